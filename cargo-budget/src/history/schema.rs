//! The schema of the history, and its migration from older versions.
//!
//! A version is a script in `schema/`, which is the same for both databases. A script that was released is never
//! changed: a later change is a further script.

use super::database::{Database, Fault, Kind, transaction};

/// The scripts, from version 1 on.
pub(crate) const VERSIONS: &[&str] =
    &[include_str!("schema/1.sql"), include_str!("schema/2.sql"), include_str!("schema/3.sql")];

/// Brings the database to the newest version. Where it is older, that happens in one transaction, which only one
/// process can be in at a time.
pub(crate) fn migrate(database: &mut dyn Database) -> Result<(), Fault> {
    if version(database)? == VERSIONS.len() {
        return Ok(());
    }
    transaction(database, |database| {
        database.lock_schema()?;
        // Another process may have migrated the database while this one waited for the lock.
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

/// Returns the version of the schema in the database; 0 where there is no history in it yet.
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
                "its schema has version {version}, but this cargo-budget {} knows at most \
                 version {}; install a newer one: `cargo install cargo-budget`",
                env!("CARGO_PKG_VERSION"),
                VERSIONS.len()
            ),
        ));
    }
    Ok(version)
}
