//! The forks of what is measured from outside: files, and runs of a command.
//!
//! Apart from workloads, which are processes of the harness itself.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use perf_budget_core::budget::{Case, Command};
use perf_budget_core::metric::Metric;
use perf_budget_core::outcome::Unmeasured;
use perf_budget_core::reading::Fork;

use super::{artifact, binary, command};
use crate::inject::Plant;
use crate::meter::Source;

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
pub(super) fn files(
    patterns: Vec<String>,
    binaries: binary::Source,
    metrics: Vec<Metric>,
    [cache, scratch]: [PathBuf; 2],
    plant: Option<Plant>,
) -> Box<dyn Source> {
    Box::new(move || {
        let expand = |pattern: &String| binary::expand(pattern, &binaries);
        let patterns = patterns.iter().map(expand).collect::<Result<Vec<_>, _>>()?;
        let began = Instant::now();
        let mut fork = Fork::default();
        let mut readings = artifact::measure(&patterns, &binaries.root, &metrics, &cache);
        let own = metrics.first().and_then(|metric| readings.get(metric)?.as_ref().ok());
        if let (Some(plant), Some(own)) = (plant, own) {
            let planted = (plant, own.value, scratch.as_path());
            let root = &binaries.root;
            readings = artifact::measure_planted(&patterns, root, &metrics, &cache, planted);
        }
        for (metric, reading) in readings {
            match reading {
                Ok(reading) => {
                    fork.values.insert(metric.clone(), reading.value);
                    fork.remarks.insert(metric, reading.notes);
                }
                Err(reason) => {
                    fork.unmeasured.insert(metric, reason);
                }
            }
        }
        fork.elapsed = began.elapsed();
        Ok(fork)
    })
}

/// Runs of a command, each a fork.
pub(super) struct Runs {
    pub(super) command: Command,
    pub(super) binaries: binary::Source,
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
        let root = &self.binaries.root;
        command::measure(&self.command, root, &self.metrics, self.timeout, plant)
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

impl Source for Runs {
    fn fork(&mut self) -> Result<Fork, Unmeasured> {
        if !self.expanded {
            let Command { argv, env, .. } = &mut self.command;
            for word in argv.iter_mut().chain(env.iter_mut().map(|(_, value)| value)) {
                *word = binary::expand(word, &self.binaries)?;
            }
            self.expanded = true;
        }
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
