//! The store of runs: recording and queries, with the same SQL text for both databases.

use std::collections::HashMap;

use perf_budget_core::fnv;
use perf_budget_core::quantity::Unit;

use super::database::{Database, Fault, Kind, Row, Value, insert, transaction};
use super::entry::{Entry, Measured, unit_of, unit_word};
use super::schema;

/// The most values that are added by one statement: with 12 columns far below the 32,766 placeholders of SQLite and the
/// 65,535 of PostgreSQL.
const AT_ONCE: usize = 500;

/// The most outcomes, and the most series, that are read by one statement.
pub(crate) const READ_AT_ONCE: usize = 20_000;
const SERIES_AT_ONCE: usize = 100;

/// Returns for how many series one statement reads the newest outcomes. On a slow network each statement takes a round trip.
pub(crate) fn series_at_once(last: u16) -> usize {
    (READ_AT_ONCE / usize::from(last.max(1))).clamp(1, SERIES_AT_ONCE)
}

/// An open history with the newest schema.
pub(crate) struct Store {
    pub(super) database: Box<dyn Database>,
}

/// The result of recording a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// The number of values that are new.
    pub(crate) added: u64,
    /// The number of values that were recorded already.
    pub(crate) known: u64,
}

/// A run, as the list of runs shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RunRow {
    pub(crate) id: String,
    pub(crate) began: i64,
    pub(crate) commit: Option<String>,
    pub(crate) dirty: bool,
    pub(crate) branch: Option<String>,
    pub(crate) environment: String,
    pub(crate) source: String,
    pub(crate) values: i64,
    pub(crate) red: i64,
}

/// The outcomes of one test, in one environment and on one branch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    pub(crate) key: i64,
    pub(crate) test: String,
    pub(crate) budget: String,
    pub(crate) metric: String,
    pub(crate) unit: Unit,
    pub(crate) environment: String,
    pub(crate) branch: Option<String>,
    /// The time of the newest outcome, in seconds since 1970.
    pub(crate) newest: i64,
}

/// One outcome of a series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    /// The time of the commit, or of the run if that is not known.
    pub(crate) at: i64,
    pub(crate) commit: Option<String>,
    pub(crate) dirty: bool,
    pub(crate) verdict: String,
    pub(crate) value: Option<f64>,
    pub(crate) exact: bool,
    pub(crate) bound: Option<String>,
    pub(crate) limit: Option<f64>,
    /// Whether the outcome was red.
    pub(crate) is_red: bool,
}

impl Store {
    /// Makes a store of a connection, and brings the schema of the database up to date.
    pub(crate) fn new(mut database: Box<dyn Database>) -> Result<Store, Fault> {
        schema::migrate(database.as_mut())?;
        Ok(Store { database })
    }

    /// Returns where the history is, in a form that people may see.
    pub(crate) fn place(&self) -> &str {
        self.database.place()
    }

    /// Records a run in one transaction, calling `step` after each of its values. Values that are there already stay
    /// as they are, so that recording a run twice changes nothing.
    pub(crate) fn record(&mut self, entry: &Entry, step: &dyn Fn()) -> Result<Recorded, Fault> {
        transaction(self.database.as_mut(), |database| {
            let run = add_run(database, entry)?;
            let mut values: Vec<(i64, &Measured)> =
                entry.values.iter().map(|value| (series_key(entry, value), value)).collect();
            // All writers insert in the same order, so that no two of them can wait for each other.
            values.sort_by_key(|(series, _)| *series);
            let mut added = 0;
            for some in values.chunks(AT_ONCE) {
                added += add_values(database, entry, run, some)?;
                for _ in some {
                    step();
                }
            }
            Ok(Recorded { added, known: entry.values.len() as u64 - added })
        })
    }

    /// Returns the newest runs, newest first.
    pub(crate) fn runs(&mut self, last: u16) -> Result<Vec<RunRow>, Fault> {
        let sql = "SELECT r.id, r.began, r.commit_id, r.dirty, r.branch, r.environment, r.source, \
                   (SELECT count(*) FROM budget_outcomes o WHERE o.run = r.run), \
                   (SELECT count(*) FROM budget_outcomes o WHERE o.run = r.run \
                    AND o.red = 1) \
                   FROM budget_runs r ORDER BY r.began DESC, r.run LIMIT $1";
        let rows = self.database.rows(sql, &[i64::from(last).into()])?;
        Ok(rows.iter().map(run_row).collect())
    }

    /// Returns all series of a budget, or of the one test with this full name; without a name, every series.
    pub(crate) fn series(&mut self, name: Option<&str>) -> Result<Vec<Series>, Fault> {
        let sql = "SELECT s.series, s.test, s.budget, s.metric, s.unit, s.environment, s.branch, \
                   (SELECT max(o.at) FROM budget_outcomes o WHERE o.series = s.series) \
                   FROM budget_series s";
        let rows = match name {
            Some(name) => {
                let named =
                    format!("{sql} WHERE s.budget = $1 OR s.test = $1 ORDER BY s.test, s.series");
                self.database.rows(&named, &[name.into()])?
            }
            None => self.database.rows(&format!("{sql} ORDER BY s.test, s.series"), &[])?,
        };
        Ok(rows.iter().map(series).collect())
    }

    /// Returns the newest outcomes of each of these series, of which there is one at least, oldest first, by one statement.
    /// `series_at_once` says for how many series that is a good number.
    pub(crate) fn points_of(
        &mut self,
        series: &[i64],
        last: u16,
    ) -> Result<Vec<Vec<Point>>, Fault> {
        self.newest_of(series, last, "")
    }

    /// Does what `points_of` does, without the outcomes of trees with uncommitted changes, however many of them came last.
    pub(crate) fn clean_of(&mut self, series: &[i64], last: u16) -> Result<Vec<Vec<Point>>, Fault> {
        let clean = "AND EXISTS (SELECT 1 FROM budget_runs c WHERE c.run = b.run AND c.dirty = 0) ";
        self.newest_of(series, last, clean)
    }

    /// Returns the newest outcomes of each of these series that are not of trees with uncommitted changes, oldest first, by few
    /// statements.
    pub(crate) fn clean_points_of(
        &mut self,
        series: &[i64],
        last: u16,
    ) -> Result<Vec<Vec<Point>>, Fault> {
        let mut all = Vec::with_capacity(series.len());
        for some in series.chunks(series_at_once(last)) {
            // The condition costs a look at a run for each outcome, and few histories have such trees.
            let mut read = self.points_of(some, last)?;
            let mixed: Vec<usize> =
                (0..read.len()).filter(|&i| read[i].iter().any(|point| point.dirty)).collect();
            if !mixed.is_empty() {
                let keys: Vec<i64> = mixed.iter().map(|&i| some[i]).collect();
                for (i, clean) in mixed.into_iter().zip(self.clean_of(&keys, last)?) {
                    read[i] = clean;
                }
            }
            all.append(&mut read);
        }
        Ok(all)
    }

    fn newest_of(
        &mut self,
        series: &[i64],
        last: u16,
        condition: &str,
    ) -> Result<Vec<Vec<Point>>, Fault> {
        // The inner queries take the newest outcomes by the index, so that a long series is neither joined nor sorted
        // as a whole.
        // SQLite gives placeholders their numbers in the order in which they first appear, so the limit is the second.
        let number = |nth: usize| if nth == 0 { 1 } else { nth + 2 };
        let newest = (0..series.len()).map(|nth| {
            format!(
                "SELECT * FROM (SELECT b.* FROM budget_outcomes b WHERE b.series = ${} {condition}\
                 ORDER BY b.at DESC, b.run LIMIT $2) q{nth}",
                number(nth)
            )
        });
        let newest = newest.collect::<Vec<_>>().join(" UNION ALL ");
        let sql = format!("{POINTS} ({newest}) o {BY_TIME}");
        let mut values: Vec<Value> = series.iter().map(|&key| key.into()).collect();
        values.insert(1, i64::from(last).into());
        let rows = self.database.rows(&sql, &values)?;
        let mut found: HashMap<i64, Vec<Point>> = HashMap::new();
        for row in rows.iter().rev() {
            found.entry(row[9].int().unwrap_or_default()).or_default().push(point(row));
        }
        Ok(series.iter().map(|key| found.remove(key).unwrap_or_default()).collect())
    }

    /// Returns the names of the budgets that have a history.
    pub(crate) fn budgets(&mut self) -> Result<Vec<String>, Fault> {
        let rows =
            self.database.rows("SELECT DISTINCT budget FROM budget_series ORDER BY budget", &[])?;
        Ok(rows.iter().map(|row| row[0].text().to_owned()).collect())
    }
}

/// The columns that are read of outcomes `o`, and their order: the newest first. Outcomes of the same second are in the order of
/// the keys of their runs, so that a database can return them in one order alone.
const POINTS: &str = "SELECT o.at, r.commit_id, r.dirty, o.verdict, o.value, o.exact, o.bound, o.limit_value, o.red, o.series FROM";
const BY_TIME: &str = "JOIN budget_runs r ON r.run = o.run ORDER BY o.at DESC, r.began DESC, o.run";

/// Adds the run, or checks that the recorded run of this id is the same. Returns its key.
fn add_run(database: &mut dyn Database, entry: &Entry) -> Result<i64, Fault> {
    let run = hash(&[&entry.id, &entry.environment]);
    let revision = &entry.revision;
    let added = database.run(
        "INSERT INTO budget_runs (run, id, began, commit_id, committed, dirty, branch, environment, \
         version, source) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (run) DO NOTHING",
        &[
            run.into(),
            (&entry.id).into(),
            entry.began.into(),
            revision.commit.as_ref().into(),
            revision.committed.into(),
            i64::from(revision.dirty).into(),
            revision.branch.as_ref().into(),
            (&entry.environment).into(),
            (&entry.version).into(),
            (&entry.source).into(),
        ],
    )?;
    if added == 1 {
        return Ok(run);
    }
    let sql = "SELECT id, environment, commit_id, branch FROM budget_runs WHERE run = $1";
    let rows = database.rows(sql, &[run.into()])?;
    let known = rows.first().ok_or_else(|| Fault::new(Kind::Other, "the run is gone"))?;
    let same = |column: usize, value: &str| known[column].text() == value;
    let commit = revision.commit.as_deref().unwrap_or_default();
    let branch = revision.branch.as_deref().unwrap_or_default();
    let describe = |commit: &str, branch: &str| {
        let name = |text: &str, none: &str| {
            if text.is_empty() { none.to_owned() } else { text.to_owned() }
        };
        format!("commit {} on {}", name(commit, "none"), name(branch, "no branch"))
    };
    if same(0, &entry.id) && same(1, &entry.environment) && same(2, commit) && same(3, branch) {
        return Ok(run);
    }
    Err(Fault::new(
        Kind::Refused,
        format!(
            "run `{}` is recorded already as {}, and would now be {}; nothing was recorded. Name the right one by \
             `--commit` and `--branch`, or run the tests again",
            entry.id,
            describe(known[2].text(), known[3].text()),
            describe(commit, branch)
        ),
    ))
}

/// Adds values, and the series of those that are the first in their series. Returns how many were not recorded yet.
fn add_values(
    database: &mut dyn Database,
    entry: &Entry,
    run: i64,
    values: &[(i64, &Measured)],
) -> Result<u64, Fault> {
    let revision = &entry.revision;
    let series = values.iter().map(|(series, value)| {
        vec![
            (*series).into(),
            (&value.test).into(),
            (&value.budget).into(),
            (&value.case).into(),
            (&value.metric).into(),
            (&unit_word(value.unit)).into(),
            (&entry.environment).into(),
            revision.branch.as_ref().into(),
        ]
    });
    let into = "budget_series (series, test, budget, case_name, metric, unit, environment, branch)";
    insert(database, into, "series", &series.collect::<Vec<_>>())?;
    let outcomes = values.iter().map(|(series, value)| {
        let limit = value.limit;
        vec![
            (*series).into(),
            run.into(),
            revision.committed.unwrap_or(entry.began).into(),
            (&value.verdict).into(),
            (&value.reason).into(),
            value.value.into(),
            value.low.into(),
            value.high.into(),
            i64::from(value.exact).into(),
            limit.map(|(bound, _)| bound.side()).into(),
            limit.map(|(_, limit)| limit).filter(|limit| limit.is_finite()).into(),
            i64::from(value.is_red).into(),
        ]
    });
    let into = "budget_outcomes (series, run, at, verdict, reason, value, low, high, exact, bound, \
                limit_value, red)";
    insert(database, into, "series, run", &outcomes.collect::<Vec<_>>())
}

fn series_key(entry: &Entry, value: &Measured) -> i64 {
    let branch = entry.revision.branch.as_deref().unwrap_or_default();
    hash(&[&value.test, &value.budget, &unit_word(value.unit), &entry.environment, branch])
}

/// Returns a 64-bit hash of the parts: FNV-1a (Fowler, Noll & Vo), mixed as in SplitMix64. Recorded rows are keyed by
/// it, so the function must never change. Among a million keys, two collide with a chance of 1 in 30 million.
fn hash(parts: &[&str]) -> i64 {
    let mut hash =
        fnv::hash(&parts.iter().flat_map(|part| part.bytes().chain([0xff])).collect::<Vec<u8>>());
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (hash ^ (hash >> 31)).cast_signed()
}

pub(super) fn optional(value: &Value) -> Option<String> {
    matches!(value, Value::Text(_)).then(|| value.text().to_owned())
}

fn run_row(row: &Row) -> RunRow {
    RunRow {
        id: row[0].text().to_owned(),
        began: row[1].int().unwrap_or_default(),
        commit: optional(&row[2]),
        dirty: row[3].int() == Some(1),
        branch: optional(&row[4]),
        environment: row[5].text().to_owned(),
        source: row[6].text().to_owned(),
        values: row[7].int().unwrap_or_default(),
        red: row[8].int().unwrap_or_default(),
    }
}

fn series(row: &Row) -> Series {
    Series {
        key: row[0].int().unwrap_or_default(),
        test: row[1].text().to_owned(),
        budget: row[2].text().to_owned(),
        metric: row[3].text().to_owned(),
        unit: unit_of(row[4].text()),
        environment: row[5].text().to_owned(),
        branch: optional(&row[6]),
        newest: row[7].int().unwrap_or_default(),
    }
}

fn point(row: &Row) -> Point {
    Point {
        at: row[0].int().unwrap_or_default(),
        commit: optional(&row[1]),
        dirty: row[2].int() == Some(1),
        verdict: row[3].text().to_owned(),
        value: row[4].real(),
        exact: row[5].int() == Some(1),
        bound: optional(&row[6]),
        limit: row[7].real(),
        is_red: row[8].int() == Some(1),
    }
}
