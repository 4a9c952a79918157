//! The load of the machine: the load that is made on purpose, and the whole of it.

use std::io::Read;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::random::{Random, seed};

/// The variable that tells a process of this binary which load it is.
const VARIABLE: &str = "VERDICTS_LOAD";
/// The average length of bursts and of the pauses between them, in seconds.
const BURST: f64 = 0.4;
/// The time that the scheduler has to notice a load before anything is measured.
const SETTLING: Duration = Duration::from_millis(300);

/// The load that is put on the machine while verdicts are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Condition {
    /// No load: the machine as it is.
    Plain,
    /// A busy loop for each processor.
    Busy,
    /// Bursts of work on each processor.
    Bursts,
}

impl Condition {
    pub(crate) const ALL: [Condition; 3] = [Condition::Plain, Condition::Busy, Condition::Bursts];

    pub(crate) fn words(self) -> &'static str {
        match self {
            Condition::Plain => "as it is",
            Condition::Busy => "busy loops on every core",
            Condition::Bursts => "bursts on every core",
        }
    }
}

/// A running load, which ends when it is dropped.
pub(crate) struct Load(Vec<Child>);

impl Load {
    pub(crate) fn new(condition: Condition) -> std::io::Result<Load> {
        let kind = match condition {
            Condition::Plain => return Ok(Load(Vec::new())),
            Condition::Busy => "busy",
            Condition::Bursts => "bursts",
        };
        let mut load = Load(Vec::new());
        for _ in 0..std::thread::available_parallelism()?.get() {
            let mut command = Command::new(std::env::current_exe()?);
            load.0.push(command.env(VARIABLE, kind).stdin(Stdio::piped()).spawn()?);
        }
        std::thread::sleep(SETTLING);
        Ok(load)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // The child may have ended by itself, which is fine.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Runs as a load, if this process was started to be one.
pub(crate) fn serve() -> Option<ExitCode> {
    let kind = std::env::var(VARIABLE).ok()?;
    // The load ends with the process that started it, however that process ends.
    let watch = std::thread::spawn(|| std::io::stdin().read(&mut [0]));
    let mut random = Random::new(seed());
    while !watch.is_finished() {
        let mut drawn = || Duration::from_secs_f64(-BURST * (1.0 - random.uniform()).ln());
        let (burst, pause) = (drawn(), drawn());
        let begun = Instant::now();
        while begun.elapsed() < burst {
            std::hint::black_box((0..10_000_u64).fold(0, |sum, i| sum ^ std::hint::black_box(i)));
        }
        if kind != "busy" {
            std::thread::sleep(pause);
        }
    }
    Some(ExitCode::SUCCESS)
}

/// Returns the share of the last ten seconds in which something waited for a processor; `None` if the kernel does not
/// report it.
pub(crate) fn pressure() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/pressure/cpu").ok()?;
    let some = text.lines().find(|line| line.starts_with("some"))?;
    let percent = some.split_whitespace().find_map(|word| word.strip_prefix("avg10="))?;
    Some(percent.parse::<f64>().ok()? / 100.0)
}
