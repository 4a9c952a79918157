//! What the two databases have in common: statements with values, rows of values, transactions.
//!
//! Both are given the same text of SQL. What they have not in common is what this trait's methods other
//! than `run` and `rows` are for, and there is nothing else that knows which of the two it speaks to.
//! Placeholders are `$1`, `$2`, … and first appear in this order, since SQLite counts them as they appear.

use std::fmt;

use crate::failure::Failure;

/// A value in a row or for a placeholder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
}

/// A row, in the order of the columns that were asked for.
pub(crate) type Row = Vec<Value>;

/// A connection to where the history is kept.
pub(crate) trait Database {
    /// Where it is, as people may see it: a path, or a URL without its password.
    fn place(&self) -> &str;

    /// Runs one statement; how many rows it changed.
    fn run(&mut self, sql: &str, values: &[Value]) -> Result<u64, Fault>;

    /// Runs one query.
    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault>;

    /// Runs several statements without values.
    fn script(&mut self, sql: &str) -> Result<(), Fault>;

    /// Whether there is a table of this name.
    fn has_table(&mut self, name: &str) -> Result<bool, Fault>;

    /// Begins a transaction that will write.
    fn begin(&mut self) -> Result<(), Fault>;

    /// Within a transaction: keeps every other process from changing the schema until its end.
    fn lock_schema(&mut self) -> Result<(), Fault>;
}

/// Does `work` in one transaction: all of it, or nothing where it fails.
pub(crate) fn transaction<T>(
    database: &mut dyn Database,
    work: impl FnOnce(&mut dyn Database) -> Result<T, Fault>,
) -> Result<T, Fault> {
    database.begin()?;
    let done = work(database).and_then(|done| database.script("COMMIT").map(|()| done));
    if done.is_err() {
        // The fault is what matters; a connection that is gone has rolled back by itself.
        let _ = database.script("ROLLBACK");
    }
    done
}

/// Why a database did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    /// The cause in the database's own words, or ours.
    pub(crate) cause: String,
}

/// What sort of fault, as far as the remedy differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Another process kept it locked for too long.
    Busy,
    /// It may not be written.
    ReadOnly,
    /// No room is left.
    Full,
    /// The disk refused, for a reason that the database does not pass on.
    Disk,
    /// The server cannot be reached, or went away.
    #[cfg(feature = "postgres")]
    Gone,
    /// Its certificate is not one that is trusted, or is another's.
    #[cfg(feature = "postgres")]
    Untrusted,
    /// The server does not let this user in.
    #[cfg(feature = "postgres")]
    Denied,
    /// The file is no database.
    Foreign,
    /// What is to be recorded contradicts what is, or the schema is too new: said in full by the cause.
    Refused,
    Other,
}

impl Fault {
    pub(crate) fn new(kind: Kind, cause: impl Into<String>) -> Self {
        Fault { kind, cause: cause.into() }
    }

    /// What to do about it.
    fn remedy(&self) -> &'static str {
        match self.kind {
            Kind::Busy => "; another process is writing: try again",
            Kind::ReadOnly => "; make it and its directory writable, or name another by `--db`",
            Kind::Full => "; make room, and try again",
            Kind::Disk => {
                "; the disk may be full or failing: make room, or name another place by `--db`"
            }
            #[cfg(feature = "postgres")]
            Kind::Gone => "; start the server, or correct the host and port of the URL",
            #[cfg(feature = "postgres")]
            Kind::Denied => "; correct the user, password or database of the URL",
            #[cfg(feature = "postgres")]
            Kind::Untrusted => {
                "; name the authority that signed the server's certificate by `SSL_CERT_FILE`, and the \
                 server as the certificate does"
            }
            Kind::Foreign => "; name another file by `--db`",
            Kind::Refused | Kind::Other => "",
        }
    }

    /// "failed to VERB `place`: cause; remedy": exit code 3.
    pub(crate) fn failure(&self, verb: &str, place: &str) -> Failure {
        Failure::unmeasured(format!("failed to {verb} `{place}`: {self}{}", self.remedy()))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}

impl Value {
    /// The number, where it is a whole one.
    pub(crate) fn int(&self) -> Option<i64> {
        if let Value::Int(value) = self { Some(*value) } else { None }
    }

    /// The number, where it is one.
    pub(crate) fn real(&self) -> Option<f64> {
        match self {
            Value::Real(value) => Some(*value),
            // SQLite keeps 2.0 as 2 where that is shorter, and gives it back as it was declared or not.
            Value::Int(value) => Some(*value as f64),
            Value::Null | Value::Text(_) => None,
        }
    }

    /// The text; empty where it is none.
    pub(crate) fn text(&self) -> &str {
        if let Value::Text(value) = self { value } else { "" }
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Value::Real(value)
    }
}

impl From<&str> for Value {
    /// A zero character, which PostgreSQL cannot keep, is shown as what it is.
    fn from(value: &str) -> Self {
        Value::Text(value.replace('\0', "\u{2400}"))
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Value::from(value.as_str())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}
