//! A project in its own directory, with recorded outcomes as the harness writes them.

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use perf_budget_core::budget::Bound;
use perf_budget_core::budget::lock::{self, Lock};
use perf_budget_core::outcome::{
    Accepted, Against, Effect, Estimate, Evidence, Outcome, Run, Waived,
};
use perf_budget_core::quantity::Unit;
use perf_budget_core::verdict::Verdict;

pub(crate) struct Project {
    dir: tempfile::TempDir,
    runs: Cell<usize>,
}

/// The result of one run of the command.
#[derive(Debug)]
pub(crate) struct Ran {
    code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// An outcome that a test puts into the record.
#[derive(Clone)]
pub(crate) struct Measured(Outcome);

impl Project {
    pub(crate) fn new(budgets: &str) -> Project {
        let project = Project { dir: tempfile::tempdir().unwrap(), runs: Cell::new(0) };
        project.write("budgets.toml", budgets);
        project
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.file(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Appends a run with these outcomes.
    pub(crate) fn record(&self, outcomes: &[Measured]) {
        self.runs.set(self.runs.get() + 1);
        let path = self.file("target/budgets/outcomes.jsonl");
        let mut text = fs::read_to_string(&path).unwrap_or_default();
        for Measured(outcome) in outcomes {
            let id = self.runs.get().to_string();
            let run = Run { id, ..outcome.run.clone() };
            let outcome = Outcome { run, ..outcome.clone() };
            text.push_str(&serde_json::to_string(&outcome).unwrap());
            text.push('\n');
        }
        self.write("target/budgets/outcomes.jsonl", &text);
    }

    pub(crate) fn accept(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-budget"));
        command.args(["budget", "accept"]).args(args).current_dir(self.dir.path());
        for name in ["PERF_BUDGET_DIR", "CARGO_TARGET_DIR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        // The temporary directory may lie within another repository, which must not be used.
        let output = command.env("GIT_CEILING_DIRECTORIES", self.dir.path()).output().unwrap();
        let [stdout, stderr] =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        Ran { code: output.status.code(), stdout, stderr }
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        let who =
            ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"];
        let output =
            Command::new("git").args(who).args(args).current_dir(self.dir.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Returns the text of `budgets.lock`.
    pub(crate) fn text(&self) -> String {
        fs::read_to_string(self.file("budgets.lock")).unwrap()
    }

    /// Returns the lock as the harness reads it.
    pub(crate) fn lock(&self) -> Lock {
        lock::load(&self.file("budgets.lock")).unwrap()
    }
}

impl Ran {
    #[track_caller]
    pub(crate) fn exited(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        assert!(self.stderr.contains(text), "{text:?} was not printed\n{self:#?}");
    }
}

/// Returns a deterministic size that is within its limit.
pub(crate) fn bytes(series: &str, value: f64) -> Measured {
    measured(series, value, 0.0, Unit::Bytes)
}

/// Returns a statistical time that is within its limit, with an interval of 2 % on either side.
pub(crate) fn seconds(series: &str, value: f64) -> Measured {
    let Measured(outcome) = measured(series, value, 0.02, Unit::Seconds);
    let evidence = Evidence {
        fail: 0.0,
        fail_at: 5.0,
        pass: 3.0,
        pass_at: 3.0,
        detectable: None,
        detectable_longer: None,
        effort_to_settle: None,
        processes: 3,
        values: 300,
        waited: None,
        preempted: None,
    };
    Measured(Outcome { evidence: Some(evidence), ..outcome })
}

fn measured(series: &str, value: f64, share: f64, unit: Unit) -> Measured {
    let (budget, metric) = series.split_once("::").unwrap();
    let run = Run {
        profile: "release".into(),
        platform: "linux x86_64".into(),
        processor: "Z80".into(),
        cores: 2,
        ..Run::default()
    };
    // The ends are rounded to as many digits as people would write.
    let end = |value: f64| format!("{value:.3e}").parse().ok();
    Measured(Outcome {
        test: series.into(),
        budget: budget.into(),
        metric: metric.into(),
        verdict: Verdict::Pass,
        against: Some(Against { bound: Bound::Max, limit: 1e5, warn: 1e5, tolerance: 0.0, unit }),
        estimate: Some(Estimate {
            value,
            low: end(value * (1.0 - share)),
            high: end(value * (1.0 + share)),
        }),
        run,
        ..Outcome::default()
    })
}

impl Measured {
    fn with(mut self, verdict: Verdict, reason: &str) -> Measured {
        self.0.verdict = verdict;
        reason.clone_into(&mut self.0.reason);
        self
    }

    pub(crate) fn fails(self) -> Measured {
        self.with(Verdict::Fail, "over")
    }

    pub(crate) fn inconclusive(self) -> Measured {
        self.with(Verdict::Inconclusive, "underpowered")
    }

    pub(crate) fn unmeasured(self) -> Measured {
        self.with(Verdict::Unmeasured, "gone").without_value()
    }

    pub(crate) fn skipped(self) -> Measured {
        self.with(Verdict::Skipped, "no base")
    }

    pub(crate) fn without_value(mut self) -> Measured {
        self.0.estimate = None;
        self
    }

    pub(crate) fn in_debug(mut self) -> Measured {
        self.0.run.profile = "debug".into();
        self
    }

    pub(crate) fn relative_to(mut self, other: &str) -> Measured {
        self.0.relative_to = Some(other.into());
        self
    }

    pub(crate) fn waived(mut self) -> Measured {
        let until = "9999-12-31".parse().unwrap();
        let (owner, why, effect) = ("ann".into(), "so".into(), Effect::Waived);
        self.0.waived = Some(Waived { until, owner, why, effect });
        self.0.verdict = Verdict::Warn;
        self
    }

    /// Adds a limit of 1.05 times this accepted value.
    pub(crate) fn against_lock(mut self, value: f64) -> Measured {
        self.0.test += "::x_lock";
        self.0.accepted = Some(Accepted {
            value,
            low: None,
            high: None,
            unit: Unit::Seconds,
            date: "2026-01-02".parse().unwrap(),
            commit: None,
            elsewhere: None,
            counter: None,
            factor: Some(1.05),
        });
        self
    }
}
