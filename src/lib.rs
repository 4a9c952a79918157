//! Performance budgets as tests.

pub mod budget;
mod error;
pub mod meter;
pub mod metric;
pub mod quantity;
pub mod stats;

pub use error::Error;
