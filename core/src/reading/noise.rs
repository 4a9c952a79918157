//! What else the machine did while a process was measured, as amounts that add up over processes.

/// What else went on while something was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Interference {
    /// How long the time between the two readings was, in seconds.
    pub seconds: f64,
    /// Processor seconds of all that is not this process, and nothing that it started. Counted in
    /// ticks for the machine and exactly for this process, so that a short time may give a little
    /// less than 0.
    pub outside: Option<f64>,
    /// Processor seconds that the machine's host gave to others, and those of all the machine's
    /// processors, idle or not.
    pub stolen: Option<(f64, f64)>,
    /// Seconds in which at least one task of the machine had to wait for something.
    pub pressure: StallTime,
    /// How a quota held this process's control group back.
    pub throttled: Option<Throttled>,
}

/// Seconds in which at least one task waited (Linux's pressure stall information, `some`).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StallTime {
    /// For a processor.
    pub cpu: Option<f64>,
    /// For memory to become free.
    pub memory: Option<f64>,
    /// For a disk.
    pub io: Option<f64>,
}

/// What a processor quota did to a control group.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Throttled {
    /// Periods in which it ran out.
    pub periods: u64,
    /// Seconds that threads of the group were held back, added up over processors.
    pub seconds: f64,
}

/// Processor time of what a measured process started and nobody waited for. No counter adds it to the harness's
/// own, so that it would look like other work.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Orphans {
    /// There were none.
    #[default]
    None,
    /// They used so many seconds.
    Used(f64),
    /// There were some, and what they used is not known.
    Unknown,
}
