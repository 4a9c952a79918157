//! Tests that other work of the machine is on record: two busy processes beside the gate are seen, and do not count as
//! its own.

use std::process::{Child, Command, Stdio};

use libtest_mimic::Trial;
use perf_budget_core::outcome::noise::Clock;
use perf_budget_core::verdict::Verdict;

use crate::gate::Case;
use crate::row;

/// A command that does nothing, for long enough to see which other processes work.
const BUDGETS: &str = r#"
[budget.idle]
command = ["sleep", "0.3"]
max = { peak_rss = "1 GB" }

[budget.file]
artifact = "budgets.toml"
max = { size = "1 MB" }
"#;

pub(crate) fn rows() -> Vec<Trial> {
    let rows = [
        row("interference::busy_processes_are_seen", busy_processes_are_seen),
        row("interference::a_metric_that_no_load_changes_has_no_noise", what_no_load_changes),
    ];
    if cfg!(target_os = "linux") { rows.into() } else { Vec::new() }
}

/// A process that is busy until it is dropped, or for a minute of processor time.
struct Busy(Child);

impl Busy {
    fn start() -> Busy {
        let spin = "ulimit -t 60; while :; do :; done";
        let child = Command::new("sh").args(["-c", spin]).stdin(Stdio::null()).spawn().unwrap();
        Busy(child)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn busy_processes_are_seen() {
    let case = Case::new("interference-busy", BUDGETS).args(["idle"]);
    let busy = [Busy::start(), Busy::start()];
    case.run().exited(0);
    drop(busy);
    let outcomes = case.outcomes();
    let [idle] = outcomes.as_slice() else { panic!("{outcomes:?}") };
    assert_eq!(idle.verdict, Verdict::Pass, "{}", idle.reason);
    let noise = idle.noise.as_ref().unwrap();
    // The measured command sleeps, so all processes that want a processor are others.
    assert!(noise.outside.unwrap() >= 0.5, "{noise:?}");
    assert_eq!(noise.processes, idle.evidence.unwrap().processes);
    assert!(noise.waited.is_none_or(|share| (0.0..=1.0).contains(&share)), "{noise:?}");
    assert_eq!((noise.clock, &noise.pinned), (Some(Clock::Wall), &None));
}

fn what_no_load_changes() {
    let case = Case::new("interference-exact", BUDGETS).args(["file"]);
    case.run().exited(0);
    assert_eq!(case.outcomes()[0].noise, None);
}
