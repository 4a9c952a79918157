//! Tests of the history on a PostgreSQL server: those of `tests/history` that also apply to a server, and those that
//! concern only a server.
//!
//! This is a target with its own `main`, which the everyday loop leaves out. It starts a server, and stops it at the
//! end by its process id. Where PostgreSQL is not installed, the tests say so and are ignored.
//!
//! `cargo test -p cargo-budget --test servers`

mod faults;
#[cfg(feature = "import")]
#[path = "../history/imported.rs"]
mod imported;
#[path = "../history/lately.rs"]
mod lately;
#[path = "../history/million.rs"]
mod million;
#[path = "../history/project.rs"]
mod project;
#[path = "../history/recording.rs"]
mod recording;
mod repositories;
#[path = "../schemas/mod.rs"]
mod schemas;
mod server;
#[path = "../history/site.rs"]
mod site;
#[path = "../history/trends.rs"]
mod trends;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::server::Server;

fn main() -> ExitCode {
    let rows = [
        recording::rows(),
        trends::rows(),
        lately::rows(),
        #[cfg(feature = "import")]
        imported::rows(),
        faults::rows(),
        million::rows(),
        repositories::rows(),
        site::rows(),
    ];
    let ended = libtest_mimic::run(&Arguments::from_args(), rows.into_iter().flatten().collect());
    Server::stop_shared();
    ended.exit_code()
}

/// Returns a test that `tests/history` also runs on a file. Here it uses its own database on the server.
fn on_both(name: &'static str, check: fn(&str)) -> [Trial; 1] {
    [on_server(name, move |server| check(&server.database(name)))]
}

/// Returns a test that needs the server.
fn on_server(name: &str, check: impl FnOnce(&Server) + Send + 'static) -> Trial {
    Trial::ignorable_test(format!("postgres::{name}"), move || match Server::shared() {
        Ok(server) => {
            check(server);
            Ok::<_, Failed>(Completion::Completed)
        }
        Err(why) => Ok(Completion::ignored_with(why)),
    })
}
