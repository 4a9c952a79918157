//! Performance budgets as tests.

pub mod budget;
mod error;
pub mod meter;
pub mod metric;
pub mod quantity;

pub use error::Error;
