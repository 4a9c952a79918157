//! The interface that both databases implement: statements with values, rows of values, and transactions.
//!
//! Both databases get the same SQL text. Where they differ, this trait has a method other than `run` and `rows`, so
//! no other code knows which database it uses. Placeholders are `$1`, `$2`, … and must first appear in this order,
//! because SQLite numbers them as they appear.

use std::fmt;

use crate::failure::Failure;

/// A value in a row, or for a placeholder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
}

/// A row of values, in the order of the columns in the query.
pub(crate) type Row = Vec<Value>;

/// A connection to the database that holds the history.
pub(crate) trait Database {
    /// Returns where the database is, in a form that people may see: a path, or a URL without its password.
    fn place(&self) -> &str;

    /// Runs one statement and returns how many rows it changed.
    fn run(&mut self, sql: &str, values: &[Value]) -> Result<u64, Fault>;

    /// Runs one query and returns its rows.
    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault>;

    /// Runs several statements that have no placeholders.
    fn script(&mut self, sql: &str) -> Result<(), Fault>;

    /// Returns whether there is a table of this name.
    fn has_table(&mut self, name: &str) -> Result<bool, Fault>;

    /// Begins a transaction that will write.
    fn begin(&mut self) -> Result<(), Fault>;

    /// Keeps every other process from changing the schema until the current transaction ends.
    fn lock_schema(&mut self) -> Result<(), Fault>;
}

/// Does `work` in one transaction: either all of it takes effect or, where it fails, nothing.
pub(crate) fn transaction<T>(
    database: &mut dyn Database,
    work: impl FnOnce(&mut dyn Database) -> Result<T, Fault>,
) -> Result<T, Fault> {
    database.begin()?;
    let done = work(database).and_then(|done| database.script("COMMIT").map(|()| done));
    if done.is_err() {
        // The first fault is the one to report. A connection that is gone has rolled back by itself.
        let _ = database.script("ROLLBACK");
    }
    done
}

/// Inserts rows by one statement, since each statement waits for the answer of a server. `into` is a table with its columns, as
/// in `budget_series (series, test)`. A row whose `unique` columns are those of a row that is there stays as it is there.
/// Returns how many rows are new.
pub(crate) fn insert(
    database: &mut dyn Database,
    into: &str,
    unique: &str,
    rows: &[Row],
) -> Result<u64, Fault> {
    if rows.is_empty() {
        return Ok(0);
    }
    let mut next = 0;
    let places = rows.iter().map(|row| {
        let numbers = row.iter().map(|_| {
            next += 1;
            format!("${next}")
        });
        format!("({})", numbers.collect::<Vec<_>>().join(", "))
    });
    let places = places.collect::<Vec<_>>().join(", ");
    let sql = format!("INSERT INTO {into} VALUES {places} ON CONFLICT ({unique}) DO NOTHING");
    database.run(&sql, &rows.concat())
}

/// The reason why a database did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    /// The cause, in the words of the database or in ours.
    pub(crate) cause: String,
}

/// The sort of a fault. Faults with the same remedy have the same kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Another process kept the database locked for too long.
    Busy,
    /// The database may not be written.
    ReadOnly,
    /// The disk is full.
    Full,
    /// The disk failed, and the database does not say why.
    Disk,
    /// The server cannot be reached, or the connection was lost.
    #[cfg(feature = "postgres")]
    Gone,
    /// The server's certificate is not trusted, or is for another name.
    #[cfg(feature = "postgres")]
    Untrusted,
    /// The server does not accept this user.
    #[cfg(feature = "postgres")]
    Denied,
    /// The file is not a database.
    Foreign,
    /// The new data contradicts what is recorded, or the schema is newer than this program. The cause says it in
    /// full, with the remedy.
    Refused,
    /// Any other fault.
    Other,
}

impl Fault {
    pub(crate) fn new(kind: Kind, cause: impl Into<String>) -> Self {
        Fault { kind, cause: cause.into() }
    }

    /// Returns the remedy, as the end of the message.
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

    /// Returns the failure of the command: "failed to ACTION `place`: cause; remedy", with exit code 3.
    pub(crate) fn failure(&self, action: &str, place: &str) -> Failure {
        Failure::unmeasured(format!("failed to {action} `{place}`: {self}{}", self.remedy()))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}

impl Value {
    /// Returns the value as an integer, where it is one.
    pub(crate) fn int(&self) -> Option<i64> {
        if let Value::Int(value) = self { Some(*value) } else { None }
    }

    /// Returns the value as a number, where it is one.
    pub(crate) fn real(&self) -> Option<f64> {
        match self {
            Value::Real(value) => Some(*value),
            // SQLite stores 2.0 as the integer 2 and may return it so.
            Value::Int(value) => Some(*value as f64),
            Value::Null | Value::Text(_) => None,
        }
    }

    /// Returns the text; it is empty where the value is not a text.
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
    /// Replaces the zero character, which PostgreSQL cannot store, by its visible symbol `␀`.
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
