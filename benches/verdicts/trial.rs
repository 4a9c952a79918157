//! A trial: the real harness in a process of its own is asked one question, and its answer is recorded.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use perf_budget_core::outcome::Outcome;
use perf_budget_core::record;
use perf_budget_core::verdict::Verdict;
use serde::{Deserialize, Serialize};

use crate::effects::EFFECTS;
use crate::load::{self, Condition};
use crate::plan::Question;

/// The variable that makes a process of this binary the test binary, and names its workloads.
pub(crate) const GATE: &str = "VERDICTS_GATE";

/// The record of a trial.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The build of the binary that was under test.
    pub(crate) build: String,
    /// The machine, in words.
    pub(crate) machine: String,
    /// The time of the trial in seconds since 1970.
    pub(crate) at: u64,
    pub(crate) condition: Condition,
    /// The share of ten seconds in which something waited for a processor.
    pub(crate) pressure: Option<f64>,
    pub(crate) question: Question,
    /// The seconds from the start of the process to its end.
    pub(crate) seconds: f64,
    pub(crate) answers: Vec<Answer>,
}

/// The outcome of one limit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) test: String,
    pub(crate) verdict: Verdict,
    pub(crate) reason: String,
    /// The seconds that were measured for this limit.
    pub(crate) seconds: f64,
    pub(crate) processes: usize,
    pub(crate) estimate: Option<f64>,
    /// The ends of its 90 % interval, if both are finite.
    pub(crate) interval: Option<[f64; 2]>,
}

/// The directory in which trials run, and the file in which they are recorded.
pub(crate) struct Bench {
    /// The directory of this process. It has its own lock of the machine.
    place: PathBuf,
    /// The record, which several processes may add to.
    kept: PathBuf,
    build: String,
}

impl Bench {
    /// Creates the directories below cargo's directory for temporary files.
    pub(crate) fn new() -> io::Result<Bench> {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verdicts");
        let place = all.join(std::process::id().to_string());
        for directory in ["head", "base", "results", "tmp"] {
            fs::create_dir_all(place.join(directory))?;
        }
        let binary = fs::read(std::env::current_exe()?)?;
        let digest = hmac_sha256::Hash::hash(&binary);
        let build =
            digest.iter().take(6).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        Ok(Bench { place, kept: all.join("trials.jsonl"), build })
    }

    /// Returns the file in which trials are recorded, one a line.
    pub(crate) fn kept(&self) -> &Path {
        &self.kept
    }

    /// Returns the directory of this process.
    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    /// Reads the trials that were recorded before. They must be of this build, or if they are `only_read`, of any single
    /// build.
    ///
    /// # Errors
    /// If the file cannot be read, or has trials of another build.
    pub(crate) fn resumed(&self, only_read: bool) -> io::Result<Vec<Record>> {
        let text = match fs::read_to_string(self.kept()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        // The last line may be incomplete.
        let records: Vec<Record> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let first = records.first().filter(|_| only_read).map(|record| &record.build);
        let build = first.unwrap_or(&self.build);
        if let Some(other) = records.iter().find(|record| record.build != *build) {
            return Err(io::Error::other(format!(
                "`{}` has trials of build {}, and this is {}: other code has other error rates; start \
                 anew without --resume",
                self.kept().display(),
                other.build,
                build
            )));
        }
        Ok(records)
    }

    /// Runs a trial and records it.
    pub(crate) fn run(&self, condition: Condition, question: Question) -> io::Result<Record> {
        let [head, base, results, tmp] =
            ["head", "base", "results", "tmp"].map(|name| self.place.join(name));
        for (directory, effects) in [(&head, question.effects()), (&base, "0 0\n".to_owned())] {
            fs::write(directory.join("budgets.toml"), question.budgets())?;
            fs::write(directory.join(EFFECTS), effects)?;
        }
        // Evidence is kept for the next run of the same build, but each trial must begin without any.
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
        // The trials are about measured verdicts, so nothing may be proven without a measurement.
        command.env("PERF_BUDGET_MEASURE", "always");
        // The trial has its own lock, so that it does not wait for other measurements. They are load for it.
        command.env("TMPDIR", &tmp).current_dir(&head);
        if let Some(test) = question.filter() {
            command.args(["--exact", &test]);
        }
        let pressure = load::pressure();
        let begun = Instant::now();
        let output = command.stdin(Stdio::null()).output()?;
        let seconds = begun.elapsed().as_secs_f64();
        // A test that began and has no outcome is red, and counts.
        let outcomes = match record::read(&outcomes) {
            Ok(record) => record.outcomes,
            Err(error) => {
                let stderr = String::from_utf8_lossy(&output.stderr);
                return Err(io::Error::other(format!("{question:?}: {error}: {stderr}")));
            }
        };
        if let Some(outcome) = outcomes.iter().find(|seen| seen.verdict == Verdict::Skipped) {
            return Err(io::Error::other(format!("{question:?}: {}", outcome.reason)));
        }
        if outcomes.is_empty() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(format!("{question:?} gave no outcome: {stderr}")));
        }
        let run = &outcomes[0].run;
        let machine = format!("{}, {} cores, {}", run.processor, run.cores, run.platform);
        let record = Record {
            build: self.build.clone(),
            machine,
            at: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            condition,
            pressure,
            question,
            seconds,
            answers: outcomes.into_iter().map(Answer::new).collect(),
        };
        // Each line is one write, since other processes may add theirs.
        let mut file = fs::File::options().create(true).append(true).open(self.kept())?;
        file.write_all(format!("{}\n", serde_json::to_string(&record)?).as_bytes())?;
        Ok(record)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // If the directory stays, it does no harm: another run has another directory.
        let _ = fs::remove_dir_all(&self.place);
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
            interval: outcome.estimate.and_then(|estimate| Some([estimate.low?, estimate.high?])),
        }
    }
}

impl Record {
    pub(crate) fn is_red(&self) -> bool {
        self.answers.iter().any(|answer| answer.verdict.is_red())
    }

    /// Whether any limit is inconclusive.
    pub(crate) fn is_open(&self) -> bool {
        self.answers.iter().any(|answer| answer.verdict == Verdict::Inconclusive)
    }

    /// Whether every limit passed.
    pub(crate) fn passes(&self) -> bool {
        let green = |answer: &Answer| matches!(answer.verdict, Verdict::Pass | Verdict::Warn);
        self.answers.iter().all(green)
    }

    /// Whether the interval of each ratio to the base covers 1.
    pub(crate) fn covers_one(&self) -> impl Iterator<Item = bool> {
        let ratios = self.answers.iter().filter(|answer| answer.test.contains("x_base"));
        ratios.filter_map(|answer| answer.interval).map(|[low, high]| low <= 1.0 && 1.0 <= high)
    }

    /// Returns workload, effect and suite of a question about a base; `None` for any other question.
    pub(crate) fn base(&self) -> Option<(usize, u32, usize)> {
        match self.question {
            Question::Base { workload, effect, suite } => Some((workload, effect, suite)),
            _ => None,
        }
    }
}

/// Returns the records that are wanted.
pub(crate) fn select(records: &[Record], wanted: impl Fn(&Record) -> bool) -> Vec<&Record> {
    records.iter().filter(|record| wanted(record)).collect()
}
