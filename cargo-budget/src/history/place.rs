//! The place of a history: a file, or a server.

use std::path::PathBuf;

#[cfg(feature = "postgres")]
use super::postgres::Postgres;
use super::sqlite::{DIRECTORY, Sqlite};
use super::store::Store;
use crate::failure::Failure;
use crate::project::Project;

/// The file of the history in that directory.
const FILE: &str = "history.sqlite";

/// The place of a history.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL server, and its URL without the password, to be shown to people.
    #[cfg(feature = "postgres")]
    Server(Box<tokio_postgres::Config>, String),
}

impl Place {
    /// Returns the place that `--db` names, or by default the project's own file.
    pub(crate) fn choose(named: Option<&str>, project: Option<&Project>) -> Result<Place, Failure> {
        let Some(named) = named.filter(|named| !named.is_empty()) else {
            let project = project.ok_or_else(|| {
                Failure::usage(
                    "there is no budgets.toml here or above; name the history by `--db PATH` or \
                     `--db postgres://…`",
                )
            })?;
            return Ok(Place::File(project.root.join(DIRECTORY).join(FILE)));
        };
        match named.split_once("://") {
            Some(("postgres" | "postgresql", _)) => server(named),
            Some((scheme, _)) => Err(Failure::usage(format!(
                "a history is a file or `postgres://USER@HOST/DATABASE`, not `{scheme}://…`"
            ))),
            None => Ok(Place::File(named.into())),
        }
    }

    /// Returns the name of the place that may be shown to people.
    pub(crate) fn public_name(&self) -> String {
        match self {
            Place::File(path) => path.display().to_string(),
            #[cfg(feature = "postgres")]
            Place::Server(_, shown) => shown.clone(),
        }
    }

    /// Returns the failure of a command that needs something in the history, where there is nothing.
    pub(crate) fn nothing_recorded(&self) -> Failure {
        Failure::unmeasured(format!(
            "nothing is recorded in `{}` yet: run `cargo budget history record` after the tests",
            self.public_name()
        ))
    }

    /// Opens the history for writing. A missing file is created; a server's database has to exist.
    pub(crate) fn create(&self, action: &str) -> Result<Store, Failure> {
        let opened = match self {
            Place::File(path) => Sqlite::create(path).and_then(|db| Store::new(Box::new(db))),
            #[cfg(feature = "postgres")]
            Place::Server(..) => return self.existing(action),
        };
        opened.map_err(|fault| fault.failure(action, &self.public_name()))
    }

    /// Opens a history that exists.
    pub(crate) fn existing(&self, action: &str) -> Result<Store, Failure> {
        let opened = match self {
            Place::File(path) if !path.is_file() => {
                return Err(Failure::unmeasured(format!(
                    "there is no history in `{}`; `cargo budget history record` begins one after \
                     `cargo test --release`",
                    path.display()
                )));
            }
            Place::File(path) => Sqlite::existing(path).and_then(|db| Store::new(Box::new(db))),
            #[cfg(feature = "postgres")]
            Place::Server(config, shown) => {
                Postgres::connect(config.as_ref().clone(), shown.clone())
                    .and_then(|db| Store::new(Box::new(db)))
            }
        };
        opened.map_err(|fault| fault.failure(action, &self.public_name()))
    }
}

/// Fails, since this build has no support for a server.
#[cfg(not(feature = "postgres"))]
fn server(_: &str) -> Result<Place, Failure> {
    Err(Failure::usage(
        "this cargo-budget was built without its cargo feature `postgres`, which a history on a server needs; install \
         it by `cargo install cargo-budget --features postgres`, or name a file by `--db PATH`",
    ))
}

/// Reads the URL of a server.
#[cfg(feature = "postgres")]
fn server(url: &str) -> Result<Place, Failure> {
    // Certificates are always verified (see `tls`), so libpq's two names for that are accepted.
    let plain = url.replace("sslmode=verify-full", "sslmode=require");
    let plain = plain.replace("sslmode=verify-ca", "sslmode=require");
    let config: tokio_postgres::Config = plain.parse().map_err(|e: tokio_postgres::Error| {
        let cause = std::error::Error::source(&e).map_or_else(String::new, |e| format!(": {e}"));
        Failure::usage(format!(
            "the URL of the history is not valid{cause}; it looks like \
             `postgres://USER:PASSWORD@HOST:5432/DATABASE?sslmode=require`"
        ))
    })?;
    let host = match config.get_hosts().first() {
        Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
        #[cfg(unix)]
        Some(tokio_postgres::config::Host::Unix(path)) => path.display().to_string(),
        None => {
            return Err(Failure::usage(
                "the URL of the history names no host; it looks like \
                 `postgres://USER:PASSWORD@HOST:5432/DATABASE`",
            ));
        }
    };
    let user = config.get_user().map_or_else(String::new, |user| format!("{user}@"));
    let port = config.get_ports().first().map_or_else(String::new, |port| format!(":{port}"));
    let database = config.get_dbname().map_or_else(String::new, |name| format!("/{name}"));
    let shown = format!("postgres://{user}{host}{port}{database}");
    Ok(Place::Server(Box::new(config), shown))
}
