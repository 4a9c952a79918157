//! The sources of subjects that are measured from outside: files, and runs of a command.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use perf_budget_core::budget::{Case, Command};
use perf_budget_core::metric::Metric;
use perf_budget_core::outcome::Unmeasured;
use perf_budget_core::reading::ProcessRun;

use super::build::Builder;
use super::command::{Codes, Place};
use super::{artifact, command, stale};
use crate::exec::{Alike, Changes, Lengths};
use crate::inject::Injection;
use crate::meter::{Coin, Source, Versus};

/// The time for which a command is run again and again before another source has its turn. A shorter turn would not be
/// worth the cost of the machine's lock.
const BURST: Duration = Duration::from_millis(50);
/// The number of runs that show what a command's value is without the injected effect.
const BARE_RUNS: usize = 5;

/// Returns the command with each `{name}` of a parameter replaced by its value.
pub(super) fn fill(command: &Command, case: &Case) -> Command {
    let mut command = command.clone();
    for word in command.texts_mut() {
        *word = case.fill(word);
    }
    command
}

/// The files of a budget on an artifact.
pub(super) struct ArtifactFiles {
    /// The patterns that name them. `builder` builds them first.
    pub(super) patterns: Vec<String>,
    pub(super) builder: Builder,
    pub(super) metrics: Vec<Metric>,
    /// How long the files may take to be read and compressed.
    pub(super) timeout: Duration,
    pub(super) injection: Option<Injection>,
}

impl Source for ArtifactFiles {
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
        let mut readings = artifact::measure(&patterns, root, &self.metrics, &cache, self.timeout);
        let bare = self.metrics.first().and_then(|metric| readings.get(metric)?.as_ref().ok());
        if let (Some(injection), Some(bare)) = (self.injection, bare) {
            let scratch = results.join("scratch");
            let injected = (injection, bare.value, scratch.as_path());
            readings = artifact::measure_injected(
                &patterns,
                root,
                &self.metrics,
                &cache,
                self.timeout,
                injected,
            );
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

/// The comparison of an artifact's files in two revisions. Its notes say in what the files differ.
pub(super) struct ArtifactComparison {
    compared: Versus,
    patterns: Vec<String>,
    /// The builds of this revision and of the base.
    builders: [Builder; 2],
    /// How long the search for differences may take.
    timeout: Duration,
}

impl ArtifactComparison {
    /// Returns the source that adds these notes to `compared`, which compares the files of these patterns.
    pub(super) fn new(
        compared: Versus,
        patterns: Vec<String>,
        builders: [Builder; 2],
        timeout: Duration,
    ) -> ArtifactComparison {
        ArtifactComparison { compared, patterns, builders, timeout }
    }
}

impl Source for ArtifactComparison {
    fn prepare(&mut self) {
        self.compared.prepare();
    }

    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        let mut process = self.compared.measure_process()?;
        let [head, base] = &self.builders;
        let built = [head.build(&self.patterns)?.0, base.build(&self.patterns)?.0];
        let notes =
            artifact::difference([(&built[0], &head.root), (&built[1], &base.root)], self.timeout)?;
        for metric in &self.compared.metrics {
            process.remarks.or_default(metric).extend(notes.iter().cloned());
        }
        Ok(process)
    }
}

/// The runs of a command.
pub(super) struct CommandRuns {
    pub(super) command: Command,
    pub(super) builder: Builder,
    /// The differences of its environment from that of this process.
    pub(super) environment: Changes,
    /// The exit codes that are no failure.
    pub(super) codes: Codes,
    /// The notes about how the command was built.
    pub(super) notes: Vec<String>,
    pub(super) metrics: Vec<Metric>,
    pub(super) timeout: Duration,
    /// Whether the command's programs are built and their paths filled in.
    pub(super) is_built: bool,
    /// Whether the command was not run yet.
    pub(super) is_first: bool,
    /// Whether the command's files are in the page cache, if they should be.
    pub(super) is_warm: bool,
    pub(super) injection: Option<Injection>,
    /// The command's value without the injected effect, once it is known.
    pub(super) bare_value: Option<f64>,
    /// The coin that draws the lengths to which each process is padded, if each is compared with another one. The coin of the other
    /// side has the same seed.
    pub(super) lengths: Option<Coin>,
    /// The words of the command that are paths of files which were built for it.
    pub(super) built: Vec<OsString>,
}

impl CommandRuns {
    fn run(
        &mut self,
        injection: Option<(Injection, f64)>,
        lengths: Option<Lengths>,
    ) -> Result<ProcessRun, Unmeasured> {
        let (root, environment) = (&self.builder.root, &self.environment);
        let is_first = std::mem::replace(&mut self.is_first, false);
        let alike = lengths.map(|lengths| Alike { lengths, paths: self.built.clone() });
        let place =
            Place { root, environment, codes: &self.codes, is_first, alike: alike.as_ref() };
        let mut process =
            command::measure(&self.command, place, &self.metrics, self.timeout, injection)?;
        if !self.notes.is_empty() {
            for metric in &self.metrics {
                process.remarks.insert(metric.clone(), self.notes.clone());
            }
        }
        Ok(process)
    }

    /// Returns the effect to inject, and the command's value without it, which is measured on the first call.
    fn injected(&mut self) -> Result<Option<(Injection, f64)>, Unmeasured> {
        let Some(injection) = self.injection else { return Ok(None) };
        if self.bare_value.is_none() {
            let mut values = Vec::new();
            for _ in 0..BARE_RUNS {
                values.extend(self.run(None, None)?.values.values());
            }
            values.sort_unstable_by(f64::total_cmp);
            self.bare_value = values.get(values.len() / 2).copied();
        }
        Ok(Some((injection, self.bare_value.unwrap_or_default())))
    }

    /// Builds the programs that the command names, and fills their paths into it.
    fn build(&mut self) -> Result<(), Unmeasured> {
        if self.is_built {
            return Ok(());
        }
        let texts: Vec<String> = self.command.texts().cloned().collect();
        let (texts, mut notes) = self.builder.build(&texts)?;
        for (word, text) in self.command.texts_mut().zip(texts) {
            if *word != text && Path::new(&text).is_absolute() {
                self.built.push(text.clone().into());
            }
            *word = text;
        }
        if notes.is_empty() {
            notes.extend(stale::note_on_program(&self.command.argv, &self.builder.root));
        }
        (self.notes, self.is_built) = (notes, true);
        Ok(())
    }

    /// Returns the program that the command starts, and the files that were built for it.
    fn programs(&self) -> Vec<PathBuf> {
        let own = self.command.argv.first().map(|program| {
            let is_path = program.contains(['/', std::path::MAIN_SEPARATOR]);
            // A bare name is looked up in directories that both revisions share.
            if is_path { self.builder.root.join(program) } else { program.into() }
        });
        own.into_iter().chain(self.built.iter().map(PathBuf::from)).collect()
    }
}

impl Source for CommandRuns {
    fn prepare(&mut self) {
        let _ = self.build();
    }

    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        self.build()?;
        if !self.is_warm && command::first_run_warms(&self.command) {
            self.run(None, None)?;
        }
        self.is_warm = true;
        let injection = self.injected()?;
        let lengths = self.lengths.as_mut().map(|coin| Lengths::nth(coin.below(Lengths::COUNT)));
        Ok(ProcessRun { programs: self.programs(), ..self.run(injection, lengths)? })
    }

    fn burst(&self) -> Duration {
        BURST
    }
}
