//! One trial: the real harness in a process of its own, asked one question, and what it answered.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use perf_budget_core::outcome::Outcome;
use perf_budget_core::verdict::Verdict;
use serde::{Deserialize, Serialize};

use crate::load::{self, Condition};
use crate::plan::Question;
use crate::workloads::EFFECTS;

/// Says to a process of this binary that it is the test binary, and with which workloads.
pub(crate) const GATE: &str = "VERDICTS_GATE";

/// A trial, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Of the binary that was under test.
    pub(crate) build: String,
    /// Seconds since 1970.
    pub(crate) at: u64,
    pub(crate) condition: Condition,
    /// Share of ten seconds in which something waited for a processor.
    pub(crate) pressure: Option<f64>,
    pub(crate) question: Question,
    /// From start to end of the process.
    pub(crate) seconds: f64,
    pub(crate) answers: Vec<Answer>,
}

/// What came of one limit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) test: String,
    pub(crate) verdict: Verdict,
    pub(crate) reason: String,
    /// Measuring, for this limit.
    pub(crate) seconds: f64,
    pub(crate) processes: usize,
    pub(crate) estimate: Option<f64>,
}

/// Where trials are run, and kept.
pub(crate) struct Bench {
    place: PathBuf,
    build: String,
    pub(crate) processor: String,
}

impl Bench {
    /// In cargo's directory for such things.
    pub(crate) fn new() -> io::Result<Bench> {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verdicts");
        for directory in ["head", "base", "results", "tmp"] {
            fs::create_dir_all(place.join(directory))?;
        }
        let binary = fs::read(std::env::current_exe()?)?;
        let digest = hmac_sha256::Hash::hash(&binary);
        let build =
            digest.iter().take(6).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        Ok(Bench { place, build, processor: String::new() })
    }

    /// The file that trials are kept in, one a line.
    pub(crate) fn kept(&self) -> PathBuf {
        self.place.join("trials.jsonl")
    }

    /// Trials of this very build that were kept before.
    pub(crate) fn resumed(&self) -> io::Result<Vec<Record>> {
        let text = match fs::read_to_string(self.kept()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        // The last line may be half of one.
        let records: Vec<Record> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        if let Some(other) = records.iter().find(|record| record.build != self.build) {
            return Err(io::Error::other(format!(
                "`{}` has trials of build {}, and this is {}: other code has other error rates; start \
                 anew without --resume",
                self.kept().display(),
                other.build,
                self.build
            )));
        }
        Ok(records)
    }

    /// Runs a trial, and keeps it.
    pub(crate) fn run(&mut self, condition: Condition, question: Question) -> io::Result<Record> {
        let [head, base, results, tmp] =
            ["head", "base", "results", "tmp"].map(|name| self.place.join(name));
        for (directory, effects) in [(&head, question.effects()), (&base, "0 0\n".to_owned())] {
            fs::write(directory.join("budgets.toml"), question.budgets())?;
            fs::write(directory.join(EFFECTS), effects)?;
        }
        // Evidence is kept for the next run of the same build; each trial is to begin without any.
        fs::remove_dir_all(&results)?;
        fs::create_dir(&results)?;
        let outcomes = results.join("outcomes.jsonl");
        let binary = std::env::current_exe()?;
        let mut command = Command::new(&binary);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ["PERF_BUDGET", "GITHUB", "NEXTEST"].iter().any(|start| text.starts_with(start)) {
                command.env_remove(&name);
            }
        }
        command
            .env(GATE, question.workloads())
            .env("CARGO_MANIFEST_DIR", &head)
            .env("PERF_BUDGET_DIR", &results);
        command.env("PERF_BUDGET_BASE", &binary).env("PERF_BUDGET_BASE_DIR", &base);
        // The verdicts are audited, and not what is proven without one.
        command.env("PERF_BUDGET_MEASURE", "always");
        // A lock of its own: what others measure meanwhile is load, and nothing to wait for.
        command.env("TMPDIR", &tmp).current_dir(&head);
        if let Some(test) = question.filter() {
            command.args(["--exact", &test]);
        }
        let pressure = load::pressure();
        let begun = Instant::now();
        let output = command.stdin(Stdio::null()).output()?;
        let seconds = begun.elapsed().as_secs_f64();
        let text = fs::read_to_string(&outcomes).unwrap_or_default();
        let outcomes: Vec<Outcome> =
            text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let unmeasured = outcomes
            .iter()
            .find(|outcome| matches!(outcome.verdict, Verdict::Unmeasured | Verdict::Skipped));
        if let Some(outcome) = unmeasured {
            return Err(io::Error::other(format!("{question:?}: {}", outcome.reason)));
        }
        if outcomes.is_empty() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(format!("{question:?} gave no outcome: {said}")));
        }
        self.processor = format!(
            "{}, {} cores, {}",
            outcomes[0].run.processor, outcomes[0].run.cores, outcomes[0].run.platform
        );
        let record = Record {
            build: self.build.clone(),
            at: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            condition,
            pressure,
            question,
            seconds,
            answers: outcomes.into_iter().map(Answer::new).collect(),
        };
        let mut file = fs::File::options().create(true).append(true).open(self.kept())?;
        writeln!(file, "{}", serde_json::to_string(&record)?)?;
        Ok(record)
    }
}

impl Answer {
    fn new(outcome: Outcome) -> Answer {
        Answer {
            test: outcome.test,
            verdict: outcome.verdict,
            reason: outcome.reason,
            seconds: outcome.seconds,
            processes: outcome.evidence.map_or(0, |evidence| evidence.processes),
            estimate: outcome.estimate.map(|estimate| estimate.value),
        }
    }
}
