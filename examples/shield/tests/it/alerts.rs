//! The alerts as Prometheus itself takes them. What it makes of the text of a real run is told in
//! `cargo-budget/tests/report/prometheus.rs`, where that text is written.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::{here, run, succeeds, told};

#[test]
fn the_alerts_fire_when_they_should() {
    for arguments in [["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]] {
        let mut command = Command::new("promtool");
        let Some(output) = run(command.args(arguments).current_dir(here(""))) else { return };
        succeeds(&output);
    }
}

/// Whether Prometheus' checker of metrics has nothing to say of this text.
#[track_caller]
pub(crate) fn is_liked(metrics: &str) {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut promtool) = command.stderr(Stdio::piped()).spawn() else {
        crate::say("skipped: promtool is not installed");
        return;
    };
    promtool.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(told(&output), "", "it is accepted with complaints");
}
