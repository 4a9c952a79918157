//! The history on a PostgreSQL server, which a team shares.

use std::cell::Cell;
use std::collections::HashMap;
use std::error::Error as _;
use std::time::Duration;

use bytes::BytesMut;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Config, NoTls, Socket, Statement};

use super::database::{Database, Fault, Kind, Row, Value};
use super::tls;

/// How long to wait for each host of the server until a session is open, unless the URL says otherwise.
const CONNECT: Duration = Duration::from_secs(10);

/// The settings of every session: it must not wait for ever behind another session's lock.
const SESSION: &str = "SET lock_timeout = '60s'; SET statement_timeout = '120s'; \
                       SET client_min_messages = 'warning'";

/// How long to wait for an answer. The server itself gives up a statement earlier, so an answer that has not come by
/// then will not come: the machine may be stopped, or the network may be down.
const ANSWER: Duration = Duration::from_secs(130);

/// The key of the lock that migrations take: "budget" in ASCII.
const SCHEMA_LOCK: i64 = 0x6275_6467_6574;

/// A session with a server.
///
/// The client is the asynchronous one, because its waiting can be ended. The blocking client waits for ever for a
/// server that accepts the connection and then says nothing.
pub(crate) struct Postgres {
    runtime: Runtime,
    client: Client,
    prepared: HashMap<String, Statement>,
    place: String,
    /// How long to wait for an answer.
    answer: Duration,
    /// Whether the server has failed to answer once. Then no further request is sent, since it would wait as long again.
    silent: Cell<bool>,
}

impl Postgres {
    /// Connects to the server that the URL names.
    pub(crate) fn connect(config: Config, place: String) -> Result<Postgres, Fault> {
        Self::connect_within(config, place, ANSWER)
    }

    fn connect_within(
        mut config: Config,
        place: String,
        answer: Duration,
    ) -> Result<Postgres, Fault> {
        let limit = *config.get_connect_timeout().unwrap_or(&CONNECT);
        config.connect_timeout(limit);
        // The driver's own limit covers only the connection, and not the handshake after it.
        let limit = limit.saturating_mul(config.get_hosts().len().max(1) as u32);
        if config.get_application_name().is_none() {
            config.application_name("cargo-budget");
        }
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Fault::new(Kind::Other, e.to_string()))?;
        let client = if config.get_ssl_mode() == SslMode::Disable {
            open(&runtime, &config, NoTls, limit)
        } else {
            tls::connector().and_then(|tls| open(&runtime, &config, tls, limit))
        };
        let client = match client {
            Ok(client) => client,
            Err(fault) => {
                // A name lookup that is still running is abandoned.
                runtime.shutdown_background();
                return Err(fault);
            }
        };
        let silent = Cell::new(false);
        let mut opened =
            Postgres { runtime, client, prepared: HashMap::new(), place, answer, silent };
        opened.script(SESSION)?;
        Ok(opened)
    }

    /// Waits for an answer of the server, for at most `self.answer`.
    fn wait_for_server<T>(
        &self,
        request: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Fault> {
        if self.silent.get() {
            return Err(no_answer(self.answer));
        }
        let answered =
            self.runtime.block_on(async { tokio::time::timeout(self.answer, request).await });
        answered.map_or_else(
            |_| {
                self.silent.set(true);
                Err(no_answer(self.answer))
            },
            |answer| answer.map_err(|e| fault(&e)),
        )
    }

    fn prepare(&mut self, sql: &str) -> Result<Statement, Fault> {
        if let Some(known) = self.prepared.get(sql) {
            return Ok(known.clone());
        }
        let statement = self.wait_for_server(self.client.prepare(sql))?;
        self.prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// Opens a session. Its connection is served by a task that runs whenever the runtime waits for something.
fn open<T>(runtime: &Runtime, config: &Config, tls: T, limit: Duration) -> Result<Client, Fault>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
    T::TlsConnect: TlsConnect<Socket>,
{
    let connected =
        runtime.block_on(async { tokio::time::timeout(limit, config.connect(tls)).await });
    let (client, connection) =
        connected.map_err(|_| no_answer(limit))?.map_err(|e| connecting(&e))?;
    // An error of the connection reaches the caller at the next request.
    runtime.spawn(async { connection.await.unwrap_or_default() });
    Ok(client)
}

fn no_answer(limit: Duration) -> Fault {
    let limit = limit.as_secs_f64();
    Fault::new(Kind::Gone, format!("the server has not answered within {limit} s"))
}

impl Database for Postgres {
    fn place(&self) -> &str {
        &self.place
    }

    fn run(&mut self, sql: &str, values: &[Value]) -> Result<u64, Fault> {
        let statement = self.prepare(sql)?;
        self.wait_for_server(self.client.execute(&statement, &parameters(values)))
    }

    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
        let statement = self.prepare(sql)?;
        let rows = self.wait_for_server(self.client.query(&statement, &parameters(values)))?;
        rows.iter()
            .map(|row| (0..row.len()).map(|column| value(row, column)).collect())
            .collect::<Result<_, _>>()
            .map_err(|e: tokio_postgres::Error| fault(&e))
    }

    fn script(&mut self, sql: &str) -> Result<(), Fault> {
        self.wait_for_server(self.client.batch_execute(sql))
    }

    fn has_table(&mut self, name: &str) -> Result<bool, Fault> {
        // `to_regclass` is not used, because it asks a cache, which may not yet know a table that another session has
        // just created.
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

fn value(row: &tokio_postgres::Row, column: usize) -> Result<Value, tokio_postgres::Error> {
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

    /// Accepts every type, because the check is done once the value is known.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Returns the fault of a connection that failed: the server is not there, or does not let us in.
fn connecting(error: &tokio_postgres::Error) -> Fault {
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
            Fault::new(Kind::Denied, server_message(error))
        }
        Some(_) => fault(error),
        None if server_message(error).contains("certificate") => {
            Fault::new(Kind::Untrusted, server_message(error))
        }
        // The client reports `password missing` without a code.
        None if server_message(error).contains("password") => {
            Fault::new(Kind::Denied, server_message(error))
        }
        None => Fault::new(Kind::Gone, server_message(error)),
    }
}

fn fault(error: &tokio_postgres::Error) -> Fault {
    let kind = match error.code() {
        None if error.is_closed()
            || error.source().is_some_and(<dyn std::error::Error>::is::<std::io::Error>) =>
        {
            Kind::Gone
        }
        Some(code) => match code.code() {
            // The codes of class 57P mean that the server is shutting down or starting up.
            "57P01" | "57P02" | "57P03" | "57P05" => Kind::Gone,
            "55P03" | "57014" | "40P01" => Kind::Busy,
            "25006" | "42501" => Kind::ReadOnly,
            "53100" => Kind::Full,
            _ => Kind::Other,
        },
        None => Kind::Other,
    };
    Fault::new(kind, server_message(error))
}

/// Returns the words of the server, or the innermost cause.
fn server_message(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", error.message(), error.code().code());
    }
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Instant;

    use super::*;

    /// Starts a server that lets everybody in, answers the first statement, and then says nothing more; returns its
    /// port.
    fn silent_server() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            // The bytes mean "authentication is done" and "ready".
            assert!(stream.read(&mut request).unwrap() > 0);
            stream.write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").unwrap();
            // The bytes mean "the command SET is complete" and "ready".
            assert!(stream.read(&mut request).unwrap() > 0);
            stream.write_all(b"C\0\0\0\x08SET\0Z\0\0\0\x05I").unwrap();
            while stream.read(&mut request).is_ok_and(|n| n > 0) {}
        });
        port
    }

    #[test]
    fn a_server_that_falls_silent_is_not_waited_for_twice() {
        let url = format!("postgres://u@127.0.0.1:{}/d?sslmode=disable", silent_server());
        let limit = Duration::from_secs(2);
        let mut server =
            Postgres::connect_within(url.parse().unwrap(), "there".to_owned(), limit).unwrap();
        let began = Instant::now();
        let fault = server.script("SELECT 1").unwrap_err();
        assert_eq!(fault, Fault::new(Kind::Gone, "the server has not answered within 2 s"));
        assert!(began.elapsed() >= limit);
        // A second request, such as the end of a transaction, fails at once instead of waiting as long again.
        let again = Instant::now();
        assert_eq!(server.rows("SELECT 1", &[]).unwrap_err(), fault);
        assert!(again.elapsed() < limit);
        drop(server);
    }
}
