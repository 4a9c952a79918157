//! Performance budgets as tests.

pub mod budget;
mod enforce;
mod error;
mod harness;
mod machine;
pub mod meter;
pub mod metric;
mod place;
pub mod quantity;
pub mod report;
pub mod run;
mod session;
mod shelf;
pub mod stats;
mod subject;
mod suite;
mod turn;
pub mod verdict;

pub use error::Error;
pub use harness::Harness;
pub use meter::heap::Heap;
pub use run::{Failed, Run, Workload};
