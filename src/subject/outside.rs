//! The forks of what is measured from outside: files, and runs of a command.
//!
//! Apart from workloads, which are processes of the harness itself.

use std::time::{Duration, Instant};

use perf_budget_core::budget::{Case, Command};
use perf_budget_core::metric::Metric;
use perf_budget_core::outcome::Unmeasured;
use perf_budget_core::reading::Fork;

use super::build::Builder;
use super::{artifact, command, stale};
use crate::inject::Plant;
use crate::meter::{Source, Versus};

/// Runs of a command in one go last about this long, so that turns are worth their lock.
const BURST: Duration = Duration::from_millis(50);
/// So many runs tell what a command shows without what is planted.
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
    plant: Option<Plant>,
}

impl Files {
    /// What these patterns stand for, once it is built.
    pub(super) fn new(
        patterns: Vec<String>,
        builder: Builder,
        metrics: Vec<Metric>,
        plant: Option<Plant>,
    ) -> Files {
        Files { patterns, builder, metrics, plant }
    }
}

impl Source for Files {
    fn prepare(&mut self) {
        let _ = self.builder.build(&self.patterns);
    }

    fn fork(&mut self) -> Result<Fork, Unmeasured> {
        let (patterns, mut notes) = self.builder.build(&self.patterns)?;
        if notes.is_empty() {
            notes.extend(stale::note(&patterns, &self.builder.root));
        }
        let began = Instant::now();
        let mut fork = Fork::default();
        let (root, results) = (&self.builder.root, &self.builder.results);
        let cache = results.join("compressed");
        let mut readings = artifact::measure(&patterns, root, &self.metrics, &cache);
        let own = self.metrics.first().and_then(|metric| readings.get(metric)?.as_ref().ok());
        if let (Some(plant), Some(own)) = (self.plant, own) {
            let scratch = results.join("scratch");
            let planted = (plant, own.value, scratch.as_path());
            readings = artifact::measure_planted(&patterns, root, &self.metrics, &cache, planted);
        }
        for (metric, reading) in readings {
            match reading {
                Ok(reading) => {
                    fork.values.insert(metric.clone(), reading.value);
                    fork.remarks.insert(metric, [notes.clone(), reading.notes].concat());
                }
                Err(reason) => {
                    fork.unmeasured.insert(metric, reason);
                }
            }
        }
        fork.elapsed = began.elapsed();
        Ok(fork)
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

    fn fork(&mut self) -> Result<Fork, Unmeasured> {
        let mut fork = self.compared.fork()?;
        let [here, there] = &self.builders;
        let built = [here.build(&self.patterns)?.0, there.build(&self.patterns)?.0];
        let notes = artifact::difference([(&built[0], &here.root), (&built[1], &there.root)])?;
        for metric in &self.compared.metrics {
            fork.remarks.or_default(metric).extend(notes.iter().cloned());
        }
        Ok(fork)
    }
}

/// Runs of a command, each a fork.
pub(super) struct Runs {
    pub(super) command: Command,
    pub(super) builder: Builder,
    /// What is to be said of how it was built.
    pub(super) notes: Vec<String>,
    pub(super) metrics: Vec<Metric>,
    pub(super) timeout: Duration,
    pub(super) expanded: bool,
    pub(super) warm: bool,
    pub(super) plant: Option<Plant>,
    /// What the command itself shows of the one metric that something is planted for.
    pub(super) own: Option<f64>,
}

impl Runs {
    fn run(&self, plant: Option<(Plant, f64)>) -> Result<Fork, Unmeasured> {
        let root = &self.builder.root;
        let mut fork = command::measure(&self.command, root, &self.metrics, self.timeout, plant)?;
        if !self.notes.is_empty() {
            for metric in &self.metrics {
                fork.remarks.insert(metric.clone(), self.notes.clone());
            }
        }
        Ok(fork)
    }

    /// What is planted, and what the command shows without it, which is looked at first.
    fn planted(&mut self) -> Result<Option<(Plant, f64)>, Unmeasured> {
        let Some(plant) = self.plant else { return Ok(None) };
        if self.own.is_none() {
            let mut values = Vec::new();
            for _ in 0..BARE_RUNS {
                values.extend(self.run(None)?.values.values());
            }
            values.sort_unstable_by(f64::total_cmp);
            self.own = values.get(values.len() / 2).copied();
        }
        Ok(Some((plant, self.own.unwrap_or_default())))
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

    fn fork(&mut self) -> Result<Fork, Unmeasured> {
        self.expand()?;
        if !self.warm && command::first_run_warms(&self.command) {
            self.run(None)?;
        }
        self.warm = true;
        let plant = self.planted()?;
        self.run(plant)
    }

    fn burst(&self) -> Duration {
        BURST
    }
}
