//! The history of a team, on a PostgreSQL server.

use std::collections::HashMap;
use std::error::Error as _;
use std::time::Duration;

use bytes::BytesMut;
use postgres::error::SqlState;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, NoTls, Statement};

use super::database::{Database, Fault, Kind, Row, Value};
use super::tls;

/// How long to wait for the server to answer a new connection, where the URL does not say.
const CONNECT: Duration = Duration::from_secs(10);

/// What every session is told: not to hang for ever behind somebody else's lock or a lost network.
const SESSION: &str = "SET lock_timeout = '60s'; SET statement_timeout = '120s'; \
                       SET client_min_messages = 'warning'";

/// Names the lock that migrations take: "budget" in ASCII.
const SCHEMA_LOCK: i64 = 0x6275_6467_6574;

/// A session with a server.
pub(crate) struct Postgres {
    client: Client,
    prepared: HashMap<String, Statement>,
    place: String,
}

impl Postgres {
    /// Connects to the server that the URL names.
    pub(crate) fn connect(mut config: Config, place: String) -> Result<Postgres, Fault> {
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_application_name().is_none() {
            config.application_name("cargo-budget");
        }
        let local = config.get_ssl_mode() == postgres::config::SslMode::Disable;
        let connected =
            if local { config.connect(NoTls) } else { config.connect(tls::connector()?) };
        let mut client = connected.map_err(|e| connecting(&e))?;
        client.batch_execute(SESSION).map_err(|e| fault(&e))?;
        Ok(Postgres { client, prepared: HashMap::new(), place })
    }

    fn prepare(&mut self, sql: &str) -> Result<Statement, Fault> {
        if let Some(known) = self.prepared.get(sql) {
            return Ok(known.clone());
        }
        let statement = self.client.prepare(sql).map_err(|e| fault(&e))?;
        self.prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

impl Database for Postgres {
    fn place(&self) -> &str {
        &self.place
    }

    fn run(&mut self, sql: &str, values: &[Value]) -> Result<u64, Fault> {
        let statement = self.prepare(sql)?;
        self.client.execute(&statement, &parameters(values)).map_err(|e| fault(&e))
    }

    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
        let statement = self.prepare(sql)?;
        let rows = self.client.query(&statement, &parameters(values)).map_err(|e| fault(&e))?;
        rows.iter()
            .map(|row| (0..row.len()).map(|column| value(row, column)).collect())
            .collect::<Result<_, _>>()
            .map_err(|e: postgres::Error| fault(&e))
    }

    fn script(&mut self, sql: &str) -> Result<(), Fault> {
        self.client.batch_execute(sql).map_err(|e| fault(&e))
    }

    fn has_table(&mut self, name: &str) -> Result<bool, Fault> {
        // Not `to_regclass`: that asks a cache, which may not know yet what another session has just made.
        let sql = "SELECT count(*) FROM pg_catalog.pg_tables WHERE tablename = $1 \
                   AND schemaname::text = ANY(current_schemas(false)::text[])";
        let rows = self.rows(sql, &[name.into()])?;
        Ok(rows.first().and_then(|row| row[0].int()).is_some_and(|tables| tables > 0))
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.script("BEGIN")
    }

    fn lock_schema(&mut self) -> Result<(), Fault> {
        self.rows("SELECT pg_advisory_xact_lock($1)::text", &[SCHEMA_LOCK.into()]).map(|_| ())
    }
}

fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

fn value(row: &postgres::Row, column: usize) -> Result<Value, postgres::Error> {
    let kind = row.columns()[column].type_();
    Ok(if *kind == Type::INT8 {
        row.try_get::<_, Option<i64>>(column)?.into()
    } else if *kind == Type::INT4 {
        row.try_get::<_, Option<i32>>(column)?.map(i64::from).into()
    } else if *kind == Type::FLOAT8 {
        row.try_get::<_, Option<f64>>(column)?.into()
    } else {
        row.try_get::<_, Option<&str>>(column)?.into()
    })
}

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(value) => value.to_sql_checked(kind, out),
            Value::Real(value) => value.to_sql_checked(kind, out),
            Value::Text(value) => value.to_sql_checked(kind, out),
        }
    }

    /// Which value goes with which type is checked when the value is known.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A fault while connecting: nobody there, or nobody who lets us in.
fn connecting(error: &postgres::Error) -> Fault {
    match error.code() {
        Some(code)
            if [
                &SqlState::INVALID_PASSWORD,
                &SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
                &SqlState::INVALID_CATALOG_NAME,
                &SqlState::INSUFFICIENT_PRIVILEGE,
            ]
            .contains(&code) =>
        {
            Fault::new(Kind::Denied, words(error))
        }
        Some(_) => fault(error),
        None if words(error).contains("certificate") => Fault::new(Kind::Untrusted, words(error)),
        // `password missing` comes from the client, without a code.
        None if words(error).contains("password") => Fault::new(Kind::Denied, words(error)),
        None => Fault::new(Kind::Gone, words(error)),
    }
}

fn fault(error: &postgres::Error) -> Fault {
    let kind = match error.code() {
        None if error.is_closed()
            || error.source().is_some_and(<dyn std::error::Error>::is::<std::io::Error>) =>
        {
            Kind::Gone
        }
        Some(code) => match code.code() {
            // Class 57P: the server is being shut down, or comes up.
            "57P01" | "57P02" | "57P03" | "57P05" => Kind::Gone,
            "55P03" | "57014" | "40P01" => Kind::Busy,
            "25006" | "42501" => Kind::ReadOnly,
            "53100" => Kind::Full,
            _ => Kind::Other,
        },
        None => Kind::Other,
    };
    Fault::new(kind, words(error))
}

/// What the server said, or the innermost cause.
fn words(error: &postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", said.message(), said.code().code());
    }
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}
