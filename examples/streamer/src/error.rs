//! What may go wrong with a topic. Apart because producers, consumers and faults share it.

use std::fmt;

/// Why something was not published or not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// The topic has no partition of this index.
    NoPartition(usize),
    /// The consumer was slower than the topic has room for.
    Behind {
        /// How many messages were dropped before it read them.
        lost: u64,
    },
    /// A fault that was injected.
    Injected,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoPartition(index) => write!(f, "the topic has no partition {index}"),
            Error::Behind { lost } => {
                write!(
                    f,
                    "{lost} messages were dropped before they were read: read sooner, or give \
                           the topic more room"
                )
            }
            Error::Injected => f.write_str("injected fault"),
        }
    }
}

impl std::error::Error for Error {}
