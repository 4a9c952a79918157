//! What else the machine did while a process was measured, as amounts that can be summed over processes.

/// What else the machine did while something was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Interference {
    /// The time between the two readings, in seconds.
    pub seconds: f64,
    /// The processor seconds of everything except this process and what it started. They are counted in
    /// ticks for the machine but exactly for this process, so a short measurement may give a little
    /// less than 0.
    pub outside: Option<f64>,
    /// The processor seconds that the machine's host gave to others, and those of all the machine's
    /// processors, idle or not.
    pub stolen: Option<(f64, f64)>,
    /// The seconds in which at least one task of the machine had to wait for something.
    pub pressure: StallTime,
    /// How a quota held back this process's control group.
    pub throttled: Option<Throttled>,
}

/// The seconds in which at least one task waited (Linux's pressure stall information, `some`).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StallTime {
    /// The time in which a task waited for a processor.
    pub cpu: Option<f64>,
    /// The time in which a task waited for memory to become free.
    pub memory: Option<f64>,
    /// The time in which a task waited for a disk.
    pub io: Option<f64>,
}

/// What a processor quota did to a control group.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Throttled {
    /// The number of periods in which the quota ran out.
    pub periods: u64,
    /// The seconds that threads of the group were held back, summed over processors.
    pub seconds: f64,
}

/// The processor time of processes that a measured process started and nobody waited for. No counter adds it to the
/// harness's own time, so it would look like other work.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Orphans {
    /// There were none.
    #[default]
    None,
    /// They used this many seconds.
    Used(f64),
    /// There were some, and how much they used is not known.
    Unknown,
}
