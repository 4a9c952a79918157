//! The code that the harness (`perf-budget`) and the command (`cargo-budget`) share: what budgets are, how a value is
//! judged, and how the result is worded. Nothing here starts a process, or reads a clock, a counter of the system, or a
//! random number.
//!
//! **This crate promises nothing to others.** Its items change in any release, and the two that use it pin its version. A program
//! that reads outcomes reads the JSON that `cargo budget report --format json` writes, whose schema has a version; a crate that
//! has budgets depends on `perf-budget`.
//!
//! > A **budget** sets **limits** on the **metrics** of a **subject**. A **meter** takes a **sample**; the
//! > sample gives an **estimate**; the estimate, held against a limit (and its **reference**), gives a
//! > **verdict**; outcomes make a **report**.
//!
//! | module | what it is | in the sentence |
//! |---|---|---|
//! | [`budget`] | what `budgets.toml` and `budgets.lock` say, checked, with every mistake collected | budget, limit, subject, reference |
//! | [`metric`] | the table of metrics, a row for each | metric |
//! | [`quantity`] | a number with its unit | |
//! | [`reading`] | what one process gave: data | sample |
//! | [`stats`] | evidence from numbers; it does not know what was measured | estimate |
//! | [`verdict`] | the rules of judgement | verdict |
//! | [`suite`] | the tests of a file, their names, and which of them share a measurement | |
//! | [`build`] | which programs build what is measured | |
//! | [`benchmarks`] | the benchmarks of a workspace: in which programs they are, and by which names budgets find them | |
//! | [`enforce`] | the limits that share a measurement: it takes one reading after another until each has its outcome | |
//! | [`outcome`] | all that is said of one limit, as data and in words | outcome |
//! | [`record`] | `outcomes.jsonl`, written and read | |
//! | [`report`] | renderings of outcomes: the terminal, GitHub | report |
//! | [`selftest`] | what a selftest was asked and found, as data | |
//! | [`profile`] | which profile was asked for, and what it shows, as data | |
//! | [`atomic`] | files that several processes use at the same time | |
//! | [`blame`] | which functions are to blame for a red | |
//! | [`callgrind`] | the reader of what Valgrind's tool callgrind writes about a program | |
//! | [`counts`] | the instructions of a red by address: a file for the command, which knows what was inlined there | |
//! | [`date`] | a day of the calendar | |
//! | [`error`] | the one opaque error: the gate could not do its work | |
//! | [`exact`] | JSON whose numbers are read as they were written | |
//! | [`files`] | which files a pattern stands for | |
//! | [`fnv`] | a hash for names and keys that stay on disk | |
//! | [`handover`] | what the command tells the harness about a base revision, for both ends | |
//! | [`samples`] | where the code of a process was at random moments, as a file | |
//! | [`paths`] | where the project's budgets and results are | |
//!
//! The enums are exhaustive, and no match on one of them has a wildcard arm, so that the compiler names every place that a
//! new variant must reach: clippy's `wildcard_enum_match_arm` is on. A match on an enum that others define has its reason beside it.

#![warn(clippy::wildcard_enum_match_arm)]

pub mod atomic;
pub mod benchmarks;
pub mod blame;
pub mod budget;
pub mod build;
pub mod callgrind;
pub mod counts;
pub mod date;
pub mod enforce;
pub mod error;
pub mod exact;
pub mod files;
pub mod fnv;
pub mod handover;
pub mod metric;
pub mod outcome;
pub mod paths;
pub mod profile;
pub mod quantity;
pub mod reading;
pub mod record;
pub mod report;
pub mod samples;
pub mod selftest;
pub mod stats;
pub mod suite;
pub mod verdict;
