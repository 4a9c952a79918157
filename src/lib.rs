//! Performance budgets as tests.

pub mod stats;
