//! The queries of the site: which series have something new, which commits are recent, the runs of the newest ones, and
//! the outcomes of a run, each with the value before it.

use std::collections::HashMap;

use perf_budget_core::quantity::Unit;

use super::database::{Fault, Row, Value};
use super::entry::{HARNESS, unit_of};
use super::recent::{LATELY, Recent};
use super::store::{Store, optional};

/// The facts that show that a series has got or lost an outcome, without reading its outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Fingerprint {
    /// The number of outcomes.
    pub(crate) count: i64,
    /// A sum over the keys of their runs.
    pub(crate) sum: i64,
}

/// One run of a commit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CommitRun {
    pub(crate) key: i64,
    pub(crate) id: String,
    pub(crate) commit: String,
    /// The time of the commit, or of the run if that is not known.
    pub(crate) at: i64,
    pub(crate) began: i64,
    pub(crate) environment: String,
    pub(crate) source: String,
    /// The number of its outcomes, and of those that are red.
    pub(crate) outcomes: i64,
    pub(crate) red: i64,
}

/// One outcome of a run, with the value before it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OutcomeRow {
    pub(crate) test: String,
    pub(crate) unit: Unit,
    pub(crate) verdict: String,
    pub(crate) reason: String,
    pub(crate) value: Option<f64>,
    pub(crate) limit: Option<(String, f64)>,
    pub(crate) is_red: bool,
    /// The last value of an earlier commit in the same series; `None` where there is none.
    pub(crate) before: Option<f64>,
}

impl CommitRun {
    /// Returns whether its values were held to limits; those of other tools were not.
    pub(crate) fn is_judged(&self) -> bool {
        self.source == HARNESS
    }
}

impl Store {
    /// Returns the fingerprint of each series that has outcomes.
    pub(crate) fn fingerprints(&mut self) -> Result<HashMap<i64, Fingerprint>, Fault> {
        // The keys of runs are hashes, whose sum would leave the range of a number.
        // Both columns are in the index of the primary key, so that no row is read.
        let sql = "SELECT series, count(*), CAST(sum(run % 1000003) AS BIGINT) \
                   FROM budget_outcomes GROUP BY series";
        let rows = self.database.rows(sql, &[])?;
        let fingerprint = |row: &Row| {
            let int = |column: usize| row[column].int().unwrap_or_default();
            (int(0), Fingerprint { count: int(1), sum: int(2) })
        };
        Ok(rows.iter().map(fingerprint).collect())
    }

    /// Returns which commits of a branch are recent. Runs of trees with uncommitted changes are left out.
    pub(crate) fn recent(&mut self, branch: Option<&str>) -> Result<Recent, Fault> {
        let (on, many, mut values) = branch_condition(branch);
        let sql = format!(
            "SELECT max(coalesce(r.committed, r.began)) FROM budget_runs r WHERE {on} AND r.dirty = 0 \
             GROUP BY coalesce(r.commit_id, r.id) ORDER BY 1 DESC LIMIT {many}"
        );
        values.push(i64::from(LATELY).into());
        let rows = self.database.rows(&sql, &values)?;
        let times: Vec<i64> = rows.iter().filter_map(|row| row[0].int()).collect();
        Ok(Recent::from_times(&times))
    }

    /// Returns all runs of the newest commits on a branch, the newest commit first. Runs of trees with uncommitted changes
    /// are left out.
    pub(crate) fn runs_of_commits(
        &mut self,
        branch: Option<&str>,
        commits: i64,
    ) -> Result<Vec<CommitRun>, Fault> {
        let (on, many, mut values) = branch_condition(branch);
        // A commit may be recorded with two times: its own, from a clone that has it, and that of a run, from one that lacks it.
        let sql = format!(
            "SELECT n.run, n.id, n.commit_id, c.time, n.began, n.environment, n.source, \
             (SELECT count(*) FROM budget_outcomes o WHERE o.run = n.run), \
             (SELECT count(*) FROM budget_outcomes o WHERE o.run = n.run AND o.red = 1) FROM \
             (SELECT r.commit_id, max(coalesce(r.committed, r.began)) AS time FROM budget_runs r \
             WHERE {on} AND r.commit_id IS NOT NULL AND r.dirty = 0 \
             GROUP BY r.commit_id ORDER BY 2 DESC, 1 LIMIT {many}) c \
             JOIN budget_runs n ON n.commit_id = c.commit_id \
             WHERE {again} AND n.dirty = 0 \
             ORDER BY c.time DESC, n.commit_id, n.began DESC, n.run",
            again = on.replace("r.", "n.")
        );
        values.push(commits.into());
        let rows = self.database.rows(&sql, &values)?;
        Ok(rows.iter().map(run_of).collect())
    }

    /// Returns the outcomes of each of these runs, of which there is one at least, in the order of their names, by one
    /// statement. A run without outcomes is not among them.
    pub(crate) fn outcomes_of(
        &mut self,
        runs: &[i64],
    ) -> Result<HashMap<i64, Vec<OutcomeRow>>, Fault> {
        let places = (1..=runs.len()).map(|nth| format!("${nth}")).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "SELECT s.test, s.unit, o.verdict, o.reason, o.value, o.bound, o.limit_value, o.red, \
             (SELECT p.value FROM budget_outcomes p WHERE p.series = o.series AND p.at < o.at \
             AND p.value IS NOT NULL AND EXISTS (SELECT 1 FROM budget_runs q WHERE q.run = p.run \
             AND q.dirty = 0) ORDER BY p.at DESC, p.run LIMIT 1), o.run \
             FROM budget_outcomes o JOIN budget_series s ON s.series = o.series \
             WHERE o.run IN ({places}) ORDER BY s.test, s.unit, s.series"
        );
        let runs: Vec<Value> = runs.iter().map(|&run| run.into()).collect();
        let mut found: HashMap<i64, Vec<OutcomeRow>> = HashMap::new();
        for row in &self.database.rows(&sql, &runs)? {
            found.entry(row[9].int().unwrap_or_default()).or_default().push(outcome_row(row));
        }
        Ok(found)
    }
}

/// Returns the condition that a run `r` is on a branch, the next free placeholder, and the values of the condition.
fn branch_condition(branch: Option<&str>) -> (&'static str, &'static str, Vec<Value>) {
    match branch {
        Some(branch) => ("r.branch = $1", "$2", vec![branch.into()]),
        None => ("r.branch IS NULL", "$1", Vec::new()),
    }
}

fn run_of(row: &Row) -> CommitRun {
    let int = |column: usize| row[column].int().unwrap_or_default();
    CommitRun {
        key: int(0),
        id: row[1].text().to_owned(),
        commit: row[2].text().to_owned(),
        at: int(3),
        began: int(4),
        environment: row[5].text().to_owned(),
        source: row[6].text().to_owned(),
        outcomes: int(7),
        red: int(8),
    }
}

fn outcome_row(row: &Row) -> OutcomeRow {
    OutcomeRow {
        test: row[0].text().to_owned(),
        unit: unit_of(row[1].text()),
        verdict: row[2].text().to_owned(),
        reason: row[3].text().to_owned(),
        value: row[4].real(),
        limit: optional(&row[5]).zip(row[6].real()),
        is_red: row[7].int() == Some(1),
        before: row[8].real(),
    }
}
