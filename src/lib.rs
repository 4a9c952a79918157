//! Performance budgets as tests.

pub mod budget;
mod enforce;
mod error;
pub mod meter;
pub mod metric;
pub mod quantity;
pub mod stats;
pub mod verdict;

pub use error::Error;
