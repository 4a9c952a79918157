//! Tests of `cargo budget watch`: a line for each limit at first and after each save.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::{Crate, schemas};

#[test]
fn each_save_is_measured_until_the_command_is_ended() {
    let counted = Crate::new("watched");
    let mut command = counted.command(&["watch", "steps", "--profile=dev"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let said = BufReader::new(child.stdout.take().unwrap());
    let mut said = said.lines().map(Result::unwrap);
    // Returns the lines up to the end of a measurement.
    let mut measured = || {
        let mut lines = String::new();
        for line in said.by_ref() {
            lines.push_str(&line);
            lines.push('\n');
            if line.starts_with("  in ") {
                return lines;
            }
        }
        panic!("it ended after\n{lines}")
    };
    let first = measured();
    assert!(first.starts_with("watching steps against "), "{first}");
    assert!(first.contains("(HEAD); Ctrl-C ends it"), "{first}");
    let is = |lines: &str, verdict: &str, test: &str| {
        let is_of = |line: &&str| line.split_whitespace().take(2).eq([verdict, test]);
        assert!(lines.lines().any(|line| is_of(&line)), "{lines}");
    };
    is(&first, "pass", "steps::steps");
    is(&first, "pass", "steps::steps::x_base");

    counted.steps(150);
    let worse = measured();
    assert!(worse.starts_with("src/lib.rs\n"), "{worse}");
    is(&worse, "fail", "steps::steps::x_base");
    assert!(worse.contains("1.5 x"), "{worse}");

    counted.0.write("src/lib.rs", "pub const STEPS: f64 = oops;\n");
    let broken = measured();
    assert!(broken.contains("cannot find value `oops`"), "{broken}");

    counted.steps(101);
    is(&measured(), "pass", "steps::steps::x_base");

    crate::signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // Cargo has completed the lock file.
    let changed = counted.git(&["status", "--porcelain"]);
    assert!(
        changed.lines().all(|line| ["Cargo.lock", "src/lib.rs"].iter().any(|f| line.ends_with(f)))
    );
}

#[test]
fn what_cannot_be_watched_is_said() {
    let counted = Crate::new("unwatchable");
    counted.run(&["watch", "stops"]).is(2, &["there is no budget or test `stops`"]);
    counted.run(&["watch", "steps", "--base=nowhere"]).is(3, &["there is no commit `nowhere`"]);
    let once = counted.run(&["watch", "steps::steps", "--times=1", "--profile=dev"]);
    once.is(0, &["pass         steps::steps ", "pass         steps::steps::x_base "]);
    let json = ["watch", "steps::steps", "--times=1", "--profile=dev", "--format=json"];
    let once = counted.run(&json);
    once.is(0, &[]);
    schemas::holds("watch", &once.json());
    assert_eq!(once.json()["outcomes"][1]["verdict"], "pass", "{}", once.text);
    counted.0.write("src/lib.rs", "pub const STEPS: f64 = oops;\n");
    let broken = counted.run(&json);
    broken.is(3, &[]);
    schemas::holds("watch", &broken.json());
    let why = broken.json()["failed"].to_string();
    assert!(why.contains("cannot find value `oops`"), "{why}");
}
