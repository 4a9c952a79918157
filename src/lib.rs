//! Performance budgets as tests.
