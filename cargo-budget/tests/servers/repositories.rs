//! Measures a server with ten million outcomes of fifty repositories, each in a schema of its own, as docs/history.md
//! advises. Nothing is asserted about time. Run it by hand with `cargo test --release -p cargo-budget --test servers -- repositories
//! --ignored --nocapture`. It takes minutes and 3 GB. The figures are in `docs/much-data.md`.

use std::time::Instant;

use libtest_mimic::Trial;

use crate::on_server;
use crate::project::Project;
use crate::server::Server;

/// The tables of the newest schema.
const TABLES: [&str; 3] = [
    include_str!("../../src/history/schema/1.sql"),
    include_str!("../../src/history/schema/2.sql"),
    include_str!("../../src/history/schema/3.sql"),
];

/// 100 tests in 50 budgets, with 2000 runs.
const ROWS: &str = "
INSERT INTO budget_schema VALUES (1), (2), (3);
INSERT INTO budget_series SELECT i, 'budget_' || (i / 2) || '::metric_' || (i % 2), 'budget_' || (i / 2), '', 'p99', 's',
    'Abacus 9, 4 cores, linux x86_64, release', 'main' FROM generate_series(0, 99) i;
INSERT INTO budget_runs (run, id, began, commit_id, committed, dirty, branch, environment, version)
    SELECT i, 'run-' || i, 1700000060 + 3600 * i::bigint, md5(i::text) || substr(md5(i::text), 1, 8),
    1700000000 + 3600 * i::bigint, 0, 'main', 'Abacus 9, 4 cores, linux x86_64, release', '0.1.0' FROM generate_series(0, 1999) i;
INSERT INTO budget_outcomes (series, run, at, verdict, reason, value, low, high, exact, bound, limit_value)
    SELECT s, r, 1700000000 + 3600 * r::bigint, 'pass', 'p99 1.02 ms (0.99 ms to 1.05 ms) of at most 2 ms: held',
    0.001 * (1 + 0.02 * ((s * 7919 + r * 104729) % 997) / 997.0), 0.00099, 0.00115, 0, 'max', 0.002
    FROM generate_series(0, 1999) r, generate_series(0, 99) s;";

pub(crate) fn rows() -> Vec<Trial> {
    vec![
        on_server("ten_million_outcomes_of_fifty_repositories", repositories)
            .with_ignored_flag(true),
    ]
}

fn repositories(server: &Server) {
    let db = server.database("repositories");
    let mut client = postgres::Client::connect(&db, postgres::NoTls).unwrap();
    let begin = Instant::now();
    for n in 0..50 {
        let schema = format!("CREATE SCHEMA repository{n}; SET search_path = repository{n};");
        client.batch_execute(&schema).unwrap();
        for sql in TABLES.into_iter().chain([ROWS]) {
            client.batch_execute(sql).unwrap();
        }
    }
    client.batch_execute("ANALYZE").unwrap();
    report("inserted, in bulk", begin);
    let one = format!("{db}?options=-csearch_path%3Drepository25");
    let project = Project::new("repositories", &one);
    for arguments in [
        vec!["trend"],
        vec!["trend", "budget_7"],
        vec!["trend", "budget_7", "--last", "2000"],
        vec!["site", "--output", "out", "--branch", "main"],
        vec!["site", "--output", "out", "--branch", "main"],
    ] {
        let begin = Instant::now();
        project.run(&arguments).says(0, "");
        report(&arguments.join(" "), begin);
    }
}

#[expect(clippy::print_stderr, reason = "the figures are the purpose of the test")]
fn report(what: &str, since: Instant) {
    eprintln!("fifty repositories: {what}: {:.3} s", since.elapsed().as_secs_f64());
}
