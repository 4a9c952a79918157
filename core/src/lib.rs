//! What the harness (`perf-budget`) and the command (`cargo-budget`) share: what budgets are, how a value is
//! judged, and what is said of it. Nothing here starts a process, or reads a clock, a counter of the system, or
//! chance.
//!
//! This crate promises nothing to others: its version is pinned by the two that use it.
//!
//! > A **budget** sets **limits** on the **metrics** of a **subject**. A **meter** takes a **sample**; the
//! > sample gives an **estimate**; the estimate, held against a limit (and its **reference**), gives a
//! > **verdict**; outcomes make a **report**.
//!
//! | word | where |
//! |---|---|
//! | budget, limit, subject, reference | [`budget`]: what `budgets.toml` says, checked, with every mistake collected |
//! | metric | [`metric`]: one row of a table for each |
//! | number with a unit | [`quantity`] |
//! | sample | [`reading`]: what one process gave |
//! | estimate | [`stats`]: evidence from numbers |
//! | verdict | [`verdict`]: the rules of judgement; [`enforce`]: limits that share a measurement |
//! | outcome | [`outcome`]: all that is said of one limit; [`record`]: how it is kept |
//! | report | [`report`]: renderings of outcomes |

pub mod budget;
pub mod date;
pub mod enforce;
pub mod error;
pub mod exact;
pub mod files;
pub mod metric;
pub mod outcome;
pub mod paths;
pub mod quantity;
pub mod reading;
pub mod record;
pub mod report;
pub mod selftest;
pub mod stats;
pub mod suite;
pub mod verdict;
