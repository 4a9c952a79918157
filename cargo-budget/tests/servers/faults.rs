//! Tests that concern only a server: two databases on it, and its faults. Each fault gives its message and its exit
//! code, and no data is lost.

use libtest_mimic::{Completion, Failed, Trial};

use crate::on_server;
use crate::project::{Project, Ran, outcome};
use crate::server::Server;

pub(crate) fn rows() -> Vec<Trial> {
    vec![
        on_server("a_run_of_another_project_is_separate", another_project),
        on_server("a_wrong_password", wrong_password),
        on_server("a_user_who_may_not_write", may_not_write),
        Trial::ignorable_test("postgres::a_server_that_stops", || match Server::start() {
            Ok(server) => {
                stops(&server);
                Ok::<_, Failed>(Completion::Completed)
            }
            Err(why) => Ok(Completion::ignored_with(why)),
        }),
    ]
}

fn another_project(server: &Server) {
    let (one, other) = (server.database("one"), server.database("other"));
    let project = Project::new("apart", &one);
    project.history(&[1.0]);
    project.run(&["history", "list", "--db", &other]).says(0, "");
    assert_eq!(crate::recording::runs(&project), 1);
}

fn wrong_password(server: &Server) {
    let project = Project::new("password", &server.url("postgres").replace("a%20secret", "secret"));
    project.commit(0);
    project.outcomes(&[outcome("run", 0, 1e-3)]);
    let words = "password authentication failed | correct the user, password or database";
    project.run(&["history", "list"]).says(3, words);
    project.run(&["history", "record"]).says(3, words).says(3, "Nothing is lost");
    project
        .run(&["history", "list", "--db", &server.url("absent")])
        .says(3, "\"absent\" does not exist");
    let without = server.url("postgres").replace(":a%20secret", "");
    project
        .run(&["history", "list", "--db", &without])
        .says(3, "password missing | correct the user");
}

fn may_not_write(server: &Server) {
    let url = server.database("may_not_write");
    let project = Project::new("may-not-write", &url);
    project.history(&[1.0]);
    let rights = "CREATE ROLE reader LOGIN PASSWORD 'secret'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader";
    crate::recording::execute(&project, &url, rights);
    let reader = url.replace("tester:a%20secret", "reader:secret");
    project.run(&["trend", "merge", "--db", &reader]).says(0, "1 commit");
    project.outcomes(&[outcome("more", 0, 1e-3)]);
    project
        .run(&["history", "record", "--db", &reader])
        .says(3, "permission denied for table budget_runs | make it | writable");
}

/// Stops the server between two runs, and while a run is recorded.
fn stops(server: &Server) {
    let project = Project::new("stops", &server.database("stops"));
    project.history(&[1.0]);
    let of = |n: u64| perf_budget_core::outcome::Outcome {
        test: format!("merge::metric_{n}"),
        ..outcome("long", 1, 1e-3)
    };
    project.outcomes(&(0..6000).map(of).collect::<Vec<_>>());
    let record = project
        .command(&["history", "record"])
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // The writer has begun when it holds a lock on the table.
    let url = server.url("stops");
    let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
    let writing = "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation \
                   WHERE c.relname = 'budget_outcomes' AND l.mode = 'RowExclusiveLock'";
    let since = std::time::Instant::now();
    while client.query_one(writing, &[]).unwrap().get::<_, i64>(0) == 0 {
        assert!(since.elapsed().as_secs() < 30, "the writer does not begin");
    }
    drop(client);
    server.end();
    let ran = Ran::of(&record.wait_with_output().unwrap());
    let ran = ran.says(3, "failed to record in `postgres://tester@127.0.0.1: | start the server");
    ran.says(3, "Nothing is lost: the outcomes are in | history record --run long --commit ");
    project.run(&["trend", "merge"]).says(3, "failed to read `postgres://tester@ | refused");
    // The run that was not recorded can still be recorded later, in another place, or there: all of it, and once.
    let (words, long) =
        ("recorded 6000 outcomes of run `long`", ["history", "record", "--run", "long"]);
    project.run(&[&long[..], &["--db", "later.sqlite"]].concat()).says(0, words);
    server.serve();
    assert_eq!(crate::recording::runs(&project), 1, "no part of the run is there");
    project.run(&long).says(0, words);
    project.run(&long).says(0, "recorded already");
    let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
    let count = client.query_one("SELECT count(*) FROM budget_outcomes", &[]).unwrap();
    assert_eq!(count.get::<_, i64>(0), 6001);
}
