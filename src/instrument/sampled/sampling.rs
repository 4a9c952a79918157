//! The request to sample a process: how many samples, for how long, and to which file.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How a process is sampled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// The file for the samples.
    pub file: PathBuf,
    /// The number of samples after which the sampling ends.
    pub most: usize,
    /// The time after which the sampling ends.
    pub longest: Duration,
}
