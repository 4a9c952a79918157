//! Performance budgets as tests.

pub mod budget;
mod error;
pub mod meter;
pub mod metric;
pub mod quantity;
pub mod run;

pub use error::Error;
pub use meter::heap::Heap;
pub use run::{Failed, Run, Workload};
