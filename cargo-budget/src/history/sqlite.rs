//! The history in a SQLite file.
//!
//! The file is in WAL mode, so that readers and a writer do not wait for each other, and a transaction that is killed
//! half-way leaves nothing behind. Writers wait for each other.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter};

use super::database::{Database, Fault, Kind, Row, Value};

/// How long a writer waits for other writers.
const PATIENCE: Duration = Duration::from_secs(30);

/// The directory beside `budgets.toml` that holds the history by default. It is not in `target`, because people
/// delete that.
pub(crate) const DIRECTORY: &str = ".budgets";

/// An open SQLite file.
pub(crate) struct Sqlite {
    connection: Connection,
    place: String,
}

impl Sqlite {
    /// Opens the file for writing. Creates the file and its directory where they are missing.
    pub(crate) fn create(path: &Path) -> Result<Sqlite, Fault> {
        if let Some(directory) = path.parent().filter(|directory| !directory.is_dir()) {
            std::fs::create_dir_all(directory).map_err(|e| io(&e))?;
            // Only the directory `.budgets`, which is ours, is excluded from git.
            if directory.file_name().is_some_and(|name| name == DIRECTORY) {
                std::fs::write(directory.join(".gitignore"), "*\n").map_err(|e| io(&e))?;
            }
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut opened = Self::open(path, path, flags)?;
        opened.write_ahead()?;
        Ok(opened)
    }

    /// Opens an existing file, for writing if its permissions allow that.
    pub(crate) fn existing(path: &Path) -> Result<Sqlite, Fault> {
        // With these flags SQLite opens a file that may not be written for reading.
        let mut opened = Self::open(path, path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        match opened.rows("SELECT count(*) FROM sqlite_master", &[]) {
            Err(fault) if fault.kind != Kind::Foreign && !wal(path).exists() => {
                // WAL mode needs to create an index in the directory, which fails where the directory may not be
                // written. Where nobody writes, the file can be read as immutable instead.
                let text = path.to_string_lossy().replace('%', "%25").replace('?', "%3f");
                let uri = format!("file:{}?immutable=1", text.replace('#', "%23"));
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
                Self::open(Path::new(&uri), path, flags)
            }
            Err(fault) => Err(fault),
            Ok(_) => Ok(opened),
        }
    }

    fn open(name: &Path, path: &Path, flags: OpenFlags) -> Result<Sqlite, Fault> {
        let connection = Connection::open_with_flags(name, flags).map_err(fault)?;
        connection.busy_timeout(PATIENCE).map_err(fault)?;
        Ok(Sqlite { connection, place: path.display().to_string() })
    }

    /// Switches the file to WAL mode. SQLite's busy timeout does not apply to this statement, so the loop waits here.
    fn write_ahead(&mut self) -> Result<(), Fault> {
        let since = Instant::now();
        loop {
            let mode = self.connection.query_row("PRAGMA journal_mode", [], |row| row.get(0));
            if mode.map_err(fault).map(|mode: String| mode == "wal")? {
                return Ok(());
            }
            let set = self.connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()));
            match set.map_err(fault) {
                Err(fault) if fault.kind == Kind::Busy && since.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(fault) => return Err(fault),
                // Some file systems do not support WAL; the rollback journal is as safe, but slower.
                Ok(()) => return Ok(()),
            }
        }
    }
}

impl Database for Sqlite {
    fn place(&self) -> &str {
        &self.place
    }

    fn run(&mut self, sql: &str, values: &[Value]) -> Result<u64, Fault> {
        let mut statement = self.connection.prepare_cached(sql).map_err(fault)?;
        statement.execute(params_from_iter(values)).map(|rows| rows as u64).map_err(fault)
    }

    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
        let mut statement = self.connection.prepare_cached(sql).map_err(fault)?;
        let columns = statement.column_count();
        let rows = statement.query_map(params_from_iter(values), |row| {
            (0..columns).map(|column| row.get_ref(column).map(value)).collect()
        });
        rows.and_then(Iterator::collect).map_err(fault)
    }

    fn script(&mut self, sql: &str) -> Result<(), Fault> {
        self.connection.execute_batch(sql).map_err(fault)
    }

    fn has_table(&mut self, name: &str) -> Result<bool, Fault> {
        let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = $1";
        let rows = self.rows(sql, &[name.into()])?;
        Ok(rows.first().and_then(|row| row[0].int()) == Some(1))
    }

    /// Takes the lock for writing at once. A reader that becomes a writer later would be refused instead of having to
    /// wait.
    fn begin(&mut self) -> Result<(), Fault> {
        self.script("BEGIN IMMEDIATE")
    }

    /// Does nothing: there is only one writer at a time, and it may change the schema too.
    fn lock_schema(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(value) => ValueRef::Integer(*value),
            Value::Real(value) => ValueRef::Real(*value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
        }))
    }
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Int(value),
        ValueRef::Real(value) => Value::Real(value),
        ValueRef::Text(text) | ValueRef::Blob(text) => {
            Value::Text(String::from_utf8_lossy(text).into_owned())
        }
    }
}

/// Returns the path of the write-ahead log, which has the changes that are not yet in the database file.
fn wal(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the system may give any other reason")]
fn io(error: &std::io::Error) -> Fault {
    let kind = match error.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            Kind::ReadOnly
        }
        std::io::ErrorKind::StorageFull => Kind::Full,
        _ => Kind::Other,
    };
    Fault::new(kind, error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "the argument of map_err")]
fn fault(error: rusqlite::Error) -> Fault {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Kind::Busy,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            Kind::ReadOnly
        }
        Some(ErrorCode::DiskFull) => Kind::Full,
        Some(ErrorCode::SystemIoFailure) => Kind::Disk,
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Kind::Foreign,
        _ => Kind::Other,
    };
    Fault::new(kind, error.to_string())
}
