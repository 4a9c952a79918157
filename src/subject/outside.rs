//! The processes of what is measured from outside: files, and runs of a command.
//!
//! Apart from workloads, which are processes of the harness itself.

use std::time::{Duration, Instant};

use perf_budget_core::budget::{Case, Command};
use perf_budget_core::metric::Metric;
use perf_budget_core::outcome::Unmeasured;
use perf_budget_core::reading::ProcessRun;

use super::build::Builder;
use super::{artifact, command, stale};
use crate::inject::Injection;
use crate::meter::{Source, Versus};

/// Runs of a command in one go last about this long, so that turns are worth their lock.
const BURST: Duration = Duration::from_millis(50);
/// So many runs tell what a command shows without what is injected.
const BARE_RUNS: usize = 5;

/// The command with each `{name}` of a parameter replaced by its value.
pub(super) fn filled(command: &Command, case: &Case) -> Command {
    let mut command = command.clone();
    let words = command.argv.iter_mut().chain(command.env.iter_mut().map(|(_, value)| value));
    for word in words {
        *word = case.fill(word);
    }
    command
}

/// The files of a budget on artifacts.
pub(super) struct Files {
    patterns: Vec<String>,
    builder: Builder,
    metrics: Vec<Metric>,
    injection: Option<Injection>,
}

impl Files {
    /// What these patterns stand for, once it is built.
    pub(super) fn new(
        patterns: Vec<String>,
        builder: Builder,
        metrics: Vec<Metric>,
        injection: Option<Injection>,
    ) -> Files {
        Files { patterns, builder, metrics, injection }
    }
}

impl Source for Files {
    fn prepare(&mut self) {
        let _ = self.builder.build(&self.patterns);
    }

    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        let (patterns, mut notes) = self.builder.build(&self.patterns)?;
        if notes.is_empty() {
            notes.extend(stale::note(&patterns, &self.builder.root));
        }
        let began = Instant::now();
        let mut process = ProcessRun::default();
        let (root, results) = (&self.builder.root, &self.builder.results);
        let cache = results.join("compressed");
        let mut readings = artifact::measure(&patterns, root, &self.metrics, &cache);
        let own = self.metrics.first().and_then(|metric| readings.get(metric)?.as_ref().ok());
        if let (Some(injection), Some(own)) = (self.injection, own) {
            let scratch = results.join("scratch");
            let injected = (injection, own.value, scratch.as_path());
            readings = artifact::measure_injected(&patterns, root, &self.metrics, &cache, injected);
        }
        for (metric, reading) in readings {
            match reading {
                Ok(reading) => {
                    process.values.insert(metric.clone(), reading.value);
                    process.remarks.insert(metric, [notes.clone(), reading.notes].concat());
                }
                Err(reason) => {
                    process.unmeasured.insert(metric, reason);
                }
            }
        }
        process.elapsed = began.elapsed();
        Ok(process)
    }
}

/// The files of two revisions, and in what they differ.
pub(super) struct Beside {
    compared: Versus,
    patterns: Vec<String>,
    /// Of this revision and of the base.
    builders: [Builder; 2],
}

impl Beside {
    /// What `compared` compares are the files of these patterns.
    pub(super) fn new(compared: Versus, patterns: Vec<String>, builders: [Builder; 2]) -> Beside {
        Beside { compared, patterns, builders }
    }
}

impl Source for Beside {
    fn prepare(&mut self) {
        self.compared.prepare();
    }

    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        let mut process = self.compared.measure_process()?;
        let [here, there] = &self.builders;
        let built = [here.build(&self.patterns)?.0, there.build(&self.patterns)?.0];
        let notes = artifact::difference([(&built[0], &here.root), (&built[1], &there.root)])?;
        for metric in &self.compared.metrics {
            process.remarks.or_default(metric).extend(notes.iter().cloned());
        }
        Ok(process)
    }
}

/// Runs of a command, each a process.
pub(super) struct Runs {
    pub(super) command: Command,
    pub(super) builder: Builder,
    /// What is to be said of how it was built.
    pub(super) notes: Vec<String>,
    pub(super) metrics: Vec<Metric>,
    pub(super) timeout: Duration,
    pub(super) expanded: bool,
    pub(super) warm: bool,
    pub(super) injection: Option<Injection>,
    /// What the command itself shows of the one metric that something is injected for.
    pub(super) own: Option<f64>,
}

impl Runs {
    fn run(&self, injection: Option<(Injection, f64)>) -> Result<ProcessRun, Unmeasured> {
        let root = &self.builder.root;
        let mut process =
            command::measure(&self.command, root, &self.metrics, self.timeout, injection)?;
        if !self.notes.is_empty() {
            for metric in &self.metrics {
                process.remarks.insert(metric.clone(), self.notes.clone());
            }
        }
        Ok(process)
    }

    /// What is injected, and what the command shows without it, which is looked at first.
    fn injected(&mut self) -> Result<Option<(Injection, f64)>, Unmeasured> {
        let Some(injection) = self.injection else { return Ok(None) };
        if self.own.is_none() {
            let mut values = Vec::new();
            for _ in 0..BARE_RUNS {
                values.extend(self.run(None)?.values.values());
            }
            values.sort_unstable_by(f64::total_cmp);
            self.own = values.get(values.len() / 2).copied();
        }
        Ok(Some((injection, self.own.unwrap_or_default())))
    }
}

impl Runs {
    /// Builds it, and puts where it is into the command.
    fn expand(&mut self) -> Result<(), Unmeasured> {
        if self.expanded {
            return Ok(());
        }
        let Command { argv, env, .. } = &mut self.command;
        let mut words: Vec<&mut String> =
            argv.iter_mut().chain(env.iter_mut().map(|(_, value)| value)).collect();
        let texts: Vec<String> = words.iter().map(|word| (**word).clone()).collect();
        let (texts, notes) = self.builder.build(&texts)?;
        for (word, text) in words.iter_mut().zip(texts) {
            **word = text;
        }
        (self.notes, self.expanded) = (notes, true);
        Ok(())
    }
}

impl Source for Runs {
    fn prepare(&mut self) {
        let _ = self.expand();
    }

    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        self.expand()?;
        if !self.warm && command::first_run_warms(&self.command) {
            self.run(None)?;
        }
        self.warm = true;
        let injection = self.injected()?;
        self.run(injection)
    }

    fn burst(&self) -> Duration {
        BURST
    }
}
