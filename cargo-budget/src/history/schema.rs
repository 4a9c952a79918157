//! The schema of the history, and how an older one becomes this one.
//!
//! A version is a script in `schema/`, the same for both databases. A script that was once released is
//! never changed; what is new is a further one.

use super::database::{Database, Fault, Kind, transaction};

/// The scripts, from version 1 on.
pub(crate) const VERSIONS: &[&str] = &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// Brings the database to the newest version: at once where it is, else in one transaction, in which
/// only one process at a time can be.
pub(crate) fn migrate(database: &mut dyn Database) -> Result<(), Fault> {
    if version(database)? == VERSIONS.len() {
        return Ok(());
    }
    transaction(database, |database| {
        database.lock_schema()?;
        // Another process may have done it while we waited.
        let from = version(database)?;
        for (before, script) in VERSIONS.iter().enumerate().skip(from) {
            database.script(script)?;
            database.run(
                "INSERT INTO budget_schema (version) VALUES ($1)",
                &[(before.cast_signed() as i64 + 1).into()],
            )?;
        }
        Ok(())
    })
}

/// The version that the database has: 0 where it has none, and no table of ours.
fn version(database: &mut dyn Database) -> Result<usize, Fault> {
    if !database.has_table("budget_schema")? {
        return Ok(0);
    }
    let rows = database.rows("SELECT max(version) FROM budget_schema", &[])?;
    let version = rows.first().and_then(|row| row[0].int()).unwrap_or(0) as usize;
    if version > VERSIONS.len() {
        return Err(Fault::new(
            Kind::Refused,
            format!(
                "its schema is of version {version}, and this is cargo-budget {}, which knows \
                 version {} at most; install a newer one: `cargo install cargo-budget`",
                env!("CARGO_PKG_VERSION"),
                VERSIONS.len()
            ),
        ));
    }
    Ok(version)
}
