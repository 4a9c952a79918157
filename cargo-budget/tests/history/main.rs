//! The history end to end: the built command, a repository, and both databases.
//!
//! A target of its own with its own `main`, since it starts a PostgreSQL server, and stops it by its own
//! process id at the end. Where PostgreSQL is not installed, the rows that need it say so and are ignored.

mod faults;
mod imports;
mod million;
mod project;
mod recording;
mod server;
mod trends;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::server::Server;

fn main() -> ExitCode {
    let rows =
        [recording::rows(), trends::rows(), imports::rows(), faults::rows(), million::rows()];
    let ended = libtest_mimic::run(&Arguments::from_args(), rows.into_iter().flatten().collect());
    Server::stop_shared();
    ended.exit_code()
}

/// A test on a SQLite file.
fn on_file(name: &str, check: fn(&str)) -> Trial {
    Trial::test(format!("sqlite::{name}"), move || {
        check(".budgets/history.sqlite");
        Ok::<(), Failed>(())
    })
}

/// The test on a SQLite file, and on a database of its own on the server.
fn on_both(name: &'static str, check: fn(&str)) -> [Trial; 2] {
    let server = on_server(name, move |server| check(&server.database(name)));
    [on_file(name, check), server]
}

/// A test that needs the server.
fn on_server(name: &str, check: impl FnOnce(&Server) + Send + 'static) -> Trial {
    Trial::ignorable_test(format!("postgres::{name}"), move || match Server::shared() {
        Ok(server) => {
            check(server);
            Ok::<_, Failed>(Completion::Completed)
        }
        Err(why) => Ok(Completion::ignored_with(why)),
    })
}
