//! The noise while a process was measured: what else the machine did, as amounts that add up over processes.

/// The noise while something was measured: what else the machine did.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Interference {
    /// The time between the readings of the counters before and after, in seconds.
    pub seconds: f64,
    /// The processor seconds of every other process, except those that this process started. The machine's time is
    /// counted in ticks and that of this process exactly, so the difference may be a little less than 0 over a short
    /// time.
    pub outside: Option<f64>,
    /// The processor seconds that the machine's host gave to other machines, and the processor seconds of all
    /// processors of this machine, idle or not.
    pub stolen: Option<(f64, f64)>,
    /// The seconds in which at least one task of the machine had to wait for something.
    pub pressure: StallTime,
    /// How much a processor quota throttled the control group of this process.
    pub throttled: Option<Throttled>,
}

/// The seconds in which at least one task waited (`some` of Linux's pressure stall information).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StallTime {
    /// The seconds of waiting for a processor.
    pub cpu: Option<f64>,
    /// The seconds of waiting for free memory.
    pub memory: Option<f64>,
    /// The seconds of waiting for a disk.
    pub io: Option<f64>,
}

/// How much a processor quota throttled a control group.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Throttled {
    /// The number of periods in which the quota was used up.
    pub periods: u64,
    /// The seconds for which threads of the group were held back, added up over processors.
    pub seconds: f64,
}

/// The processor time of processes that a measured process started and did not wait for. No counter adds this time to
/// the time of the harness, so that it would look like work of other processes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Orphans {
    /// There were none.
    #[default]
    None,
    /// There were some, and they used this many seconds.
    Used(f64),
    /// There were some, and the time that they used is unknown.
    Unknown,
}
