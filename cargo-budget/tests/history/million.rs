//! Measures how long a trend takes where the history has a million outcomes. Nothing is asserted, since no test may
//! depend on how fast the machine is. Run it by hand with `cargo test --release -p cargo-budget --test history --
//! million --ignored --nocapture`, and with `--test servers` for PostgreSQL. The figures are in `docs/history.md`.

use std::time::Instant;

use libtest_mimic::Trial;

use crate::on_both;
use crate::project::Project;
use crate::recording::execute;

pub(crate) fn rows() -> Vec<Trial> {
    on_both("a_million_outcomes", million).map(|row| row.with_ignored_flag(true)).into()
}

/// The series: 100 tests in 50 budgets, two in each. Each has 10 000 runs.
const SERIES: &str = "
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99)
INSERT INTO budget_series (series, test, budget, case_name, metric, unit, environment, branch)
SELECT i, 'budget_' || (i / 2) || '::metric_' || (i % 2), 'budget_' || (i / 2), '',
    'metric_' || (i % 2), 's', 'Abacus 9, 4 cores, linux x86_64, release', 'main' FROM n";

const RUNS: &str = "
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
INSERT INTO budget_runs (run, id, began, commit_id, committed, dirty, branch, environment, version)
SELECT i, 'run-' || i, 1700000060 + 3600 * CAST(i AS BIGINT), 'commit-' || i, 1700000000 + 3600 * CAST(i AS BIGINT), 0, 'main',
    'Abacus 9, 4 cores, linux x86_64, release', '0.1.0' FROM n";

const OUTCOMES: &str = "
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999999)
INSERT INTO budget_outcomes (series, run, at, verdict, reason, value, low, high, exact, bound, limit_value)
SELECT i % 100, i / 100, 1700000000 + 3600 * (CAST(i AS BIGINT) / 100), 'pass',
    'p99 1.02 ms (0.99 ms to 1.05 ms) of at most 2 ms: held', 0.001 + 0.0000001 * ((CAST(i AS BIGINT) * 7919) % 997),
    0.00099, 0.00115, 0, 'max', 0.002 FROM n";

fn million(db: &str) {
    let project = Project::new("million", db);
    project.history(&[1.0]);
    let begin = Instant::now();
    for sql in [SERIES, RUNS, OUTCOMES] {
        execute(&project, db, sql);
    }
    let kind = if db.contains("://") { "PostgreSQL" } else { "SQLite" };
    report(kind, "inserted", begin);
    for arguments in [
        vec!["trend", "budget_7"],
        vec!["trend", "budget_7::metric_0"],
        vec!["trend", "budget_7::metric_0", "--last", "2000"],
        vec!["history", "list"],
        vec!["site", "--output", "out", "--branch", "main"],
        vec!["site", "--output", "out", "--branch", "main"],
    ] {
        let begin = Instant::now();
        project.run(&arguments).says(0, "");
        report(kind, &arguments.join(" "), begin);
    }
    if db.contains("://") {
        let begin = Instant::now();
        let plain = format!("{db}?sslmode=disable");
        project.run(&["trend", "budget_7", "--db", &plain]).says(0, "");
        report(kind, "trend budget_7 without reading the certificates", begin);
    }
}

#[expect(clippy::print_stderr, reason = "the figures are the purpose of the test")]
fn report(kind: &str, what: &str, since: Instant) {
    eprintln!("{kind}: {what}: {:.3} s", since.elapsed().as_secs_f64());
}
