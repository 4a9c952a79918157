//! Performance budgets as tests.

pub mod budget;
mod enforce;
mod error;
pub mod meter;
pub mod metric;
mod place;
pub mod quantity;
pub mod report;
pub mod stats;
mod suite;
mod turn;
pub mod verdict;
pub mod run;

pub use error::Error;
pub use meter::heap::Heap;
pub use run::{Failed, Run, Workload};
