//! The commands that edit what people wrote, driven as users drive them: a directory, a repository, a crate.
//!
//! `BLESS=1` writes the expected texts anew; the difference is for the reviewer.

mod cases;
mod fresh;
mod outcomes;
mod place;
mod refusals;
