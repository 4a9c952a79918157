//! The history: outcomes that are kept beyond one run, in a file or on a server, and what they show over time.
//!
//! `store` records runs and queries them, with one schema and one SQL text for both databases, which are in `sqlite`
//! and `postgres`; `place` says which of them a history is in. `import` reads the results of other tools. `trend`
//! finds, with `change`, `segment`, `ranks` and `drift`, how a budget's values developed, and `show` prints that. `overview`
//! shows the budgets that changed lately; `recent` decides what lately means. `survey` reads what the site shows.

#[cfg(test)]
mod appended_tests;
mod change;
#[cfg(test)]
pub(crate) mod counting;
mod database;
mod drift;
mod entry;
#[cfg(feature = "import")]
mod import;
mod overview;
mod place;
#[cfg(feature = "postgres")]
mod postgres;
mod ranks;
mod recent;
mod record;
mod revision;
mod schema;
mod segment;
mod select;
mod show;
mod sqlite;
mod step;
mod store;
mod survey;
#[cfg(test)]
mod synthetic;
mod time;
#[cfg(feature = "postgres")]
mod tls;
mod trend;

pub(crate) use database::Fault;
pub(crate) use entry::NO_VERDICT;
#[cfg(feature = "import")]
pub(crate) use import::{Format, Source, import};
pub(crate) use place::Place;
pub(crate) use recent::{LATELY, Listed, Recent};
pub(crate) use record::{Recorded, RunToRecord, record};
pub(crate) use select::{TrendQuery, choose_branch, trend};
pub(crate) use show::{TestTrend, list, list_json, percent, probability};
pub(crate) use step::worse_step;
pub(crate) use store::{Point, READ_AT_ONCE, Series, Store, series_at_once};
pub(crate) use survey::{CommitRun, OutcomeRow};
pub(crate) use time::format_time as time_shown;
pub(crate) use trend::{Commit, analyse};
