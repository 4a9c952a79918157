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
//! | build | [`build`]: which programs build what is measured |
//! | outcome | [`outcome`]: all that is said of one limit; [`record`]: how it is kept |
//! | report | [`report`]: renderings of outcomes |
//!
//! Where a module matches on enums of this crate, no arm is a wildcard: the compiler names every place that a new
//! variant must reach. `budget` and `files` match on what others define.

pub mod budget;
#[warn(clippy::wildcard_enum_match_arm)]
pub mod build;
pub mod date;
#[warn(clippy::wildcard_enum_match_arm)]
pub mod enforce;
#[warn(clippy::wildcard_enum_match_arm)]
pub mod error;
pub mod exact;
pub mod files;
#[warn(clippy::wildcard_enum_match_arm)]
pub mod metric;
#[warn(clippy::wildcard_enum_match_arm)]
pub mod outcome;
pub mod paths;
#[warn(clippy::wildcard_enum_match_arm)]
pub mod quantity;
#[warn(clippy::wildcard_enum_match_arm)]
pub mod reading;
#[warn(clippy::wildcard_enum_match_arm)]
pub mod record;
#[warn(clippy::wildcard_enum_match_arm)]
pub mod report;
#[warn(clippy::wildcard_enum_match_arm)]
pub mod selftest;
pub mod stats;
#[warn(clippy::wildcard_enum_match_arm)]
pub mod suite;
#[warn(clippy::wildcard_enum_match_arm)]
pub mod verdict;
