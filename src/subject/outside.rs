//! The processes of what is measured from outside: files, and runs of a command.
//!
//! Apart from workloads, which are processes of the harness itself.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use perf_budget_core::budget::{Case, Command};
use perf_budget_core::metric::Metric;
use perf_budget_core::outcome::Unmeasured;
use perf_budget_core::reading::ProcessRun;

use super::{artifact, binary, command};
use crate::inject::Injection;
use crate::meter::Source;

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
pub(super) fn files(
    patterns: Vec<String>,
    binaries: binary::Source,
    metrics: Vec<Metric>,
    [cache, scratch]: [PathBuf; 2],
    injection: Option<Injection>,
) -> Box<dyn Source> {
    Box::new(move || {
        let expand = |pattern: &String| binary::expand(pattern, &binaries);
        let patterns = patterns.iter().map(expand).collect::<Result<Vec<_>, _>>()?;
        let began = Instant::now();
        let mut process = ProcessRun::default();
        let mut readings = artifact::measure(&patterns, &binaries.root, &metrics, &cache);
        let own = metrics.first().and_then(|metric| readings.get(metric)?.as_ref().ok());
        if let (Some(injection), Some(own)) = (injection, own) {
            let injected = (injection, own.value, scratch.as_path());
            let root = &binaries.root;
            readings = artifact::measure_injected(&patterns, root, &metrics, &cache, injected);
        }
        for (metric, reading) in readings {
            match reading {
                Ok(reading) => {
                    process.values.insert(metric.clone(), reading.value);
                    process.remarks.insert(metric, reading.notes);
                }
                Err(reason) => {
                    process.unmeasured.insert(metric, reason);
                }
            }
        }
        process.elapsed = began.elapsed();
        Ok(process)
    })
}

/// Runs of a command, each a process.
pub(super) struct Runs {
    pub(super) command: Command,
    pub(super) binaries: binary::Source,
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
        let root = &self.binaries.root;
        command::measure(&self.command, root, &self.metrics, self.timeout, injection)
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

impl Source for Runs {
    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
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
        let injection = self.injected()?;
        self.run(injection)
    }

    fn burst(&self) -> Duration {
        BURST
    }
}
