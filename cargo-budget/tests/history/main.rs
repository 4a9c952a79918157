//! Tests of the history from end to end, with the built command, a repository and a SQLite file. `tests/servers` shares
//! these modules and runs them on a PostgreSQL server.

mod faults;
#[cfg(feature = "import")]
mod imported;
#[cfg(feature = "import")]
mod imports;
mod lately;
mod million;
mod project;
#[cfg(unix)]
mod publish;
mod recording;
#[path = "../schemas/mod.rs"]
mod schemas;
mod site;
mod trends;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let rows = [
        recording::rows(),
        trends::rows(),
        lately::rows(),
        #[cfg(feature = "import")]
        imports::rows(),
        #[cfg(feature = "import")]
        imported::rows(),
        faults::rows(),
        million::rows(),
        site::rows(),
        #[cfg(unix)]
        publish::rows(),
    ];
    libtest_mimic::run(&Arguments::from_args(), rows.into_iter().flatten().collect()).exit_code()
}

/// Returns a test that uses a SQLite file.
fn on_file(name: &str, check: fn(&str)) -> Trial {
    Trial::test(format!("sqlite::{name}"), move || {
        check(".budgets/history.sqlite");
        Ok::<(), Failed>(())
    })
}

/// Returns a test that `tests/servers` also runs on a server. Here it uses a file.
fn on_both(name: &'static str, check: fn(&str)) -> [Trial; 1] {
    [on_file(name, check)]
}
