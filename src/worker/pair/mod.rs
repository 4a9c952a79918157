//! Pairs: two processes of test binaries that are alive at the same time, and whose operations are interleaved on one
//! processor.
//!
//! What is compared runs within microseconds of each other, so that whatever the machine does to one it also does to
//! the other. The caller tosses a coin for which of the two is started first and which begins, because the order
//! has a small effect too. The figures are in `docs/comparison.md`.

#[cfg(unix)]
mod controller;
#[cfg(not(unix))]
mod elsewhere;
#[cfg(unix)]
mod participant;
#[cfg(unix)]
mod protocol;
#[cfg(unix)]
mod responder;
mod result;
mod terms;

#[cfg(unix)]
pub use self::controller::measure;
#[cfg(not(unix))]
pub use self::elsewhere::measure;
#[cfg(unix)]
pub(crate) use self::responder::Responder;
pub use self::result::{Pair, Round};
pub use self::terms::{Place, Requirements, Side, Terms};
