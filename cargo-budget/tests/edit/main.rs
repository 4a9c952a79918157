//! Tests of the commands that edit files which people wrote. They run the commands as users do: in a directory, a
//! repository, or a crate.
//!
//! `BLESS=1` rewrites the expected texts; review the difference.

mod cases;
mod init;
mod json;
mod outcomes;
mod place;
mod refusals;
mod schema;
#[path = "../schemas/mod.rs"]
mod schemas;
