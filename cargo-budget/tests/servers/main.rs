//! The history on a PostgreSQL server: what `tests/history` tests on a file, and what concerns a server alone.
//!
//! A target of its own with its own `main`, which the everyday loop leaves out: it starts a server, and stops it by its
//! own process id at the end. Where PostgreSQL is not installed, the rows say so and are ignored.
//!
//! `cargo test -p cargo-budget --test servers`

mod faults;
#[cfg(feature = "import")]
#[path = "../history/imported.rs"]
mod imported;
#[path = "../history/million.rs"]
mod million;
#[path = "../history/project.rs"]
mod project;
#[path = "../history/recording.rs"]
mod recording;
mod server;
#[path = "../history/trends.rs"]
mod trends;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::server::Server;

fn main() -> ExitCode {
    let rows = [
        recording::rows(),
        trends::rows(),
        #[cfg(feature = "import")]
        imported::rows(),
        faults::rows(),
        million::rows(),
    ];
    let ended = libtest_mimic::run(&Arguments::from_args(), rows.into_iter().flatten().collect());
    Server::stop_shared();
    ended.exit_code()
}

/// A test that is made on a file too: here on a database of its own on the server.
fn on_both(name: &'static str, check: fn(&str)) -> [Trial; 1] {
    [on_server(name, move |server| check(&server.database(name)))]
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
