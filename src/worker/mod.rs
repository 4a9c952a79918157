//! A worker seen from the harness: a fresh process of a test binary, and what it is asked and answers.

mod build;
pub mod pair;
pub mod process;
pub(crate) mod wire;
