//! The search for what made a limit red: the commit, the dependency, or the toolchain.
//!
//! Each step is a comparison with the good commit, by the same program and the same tests as `check --base`. A comparison
//! is run again until its evidence settles it, and its chance of a wrong answer is a part of that of the whole search.
//! The module decides which comparison comes next and when it is settled. It measures nothing and judges no values.

mod causes;
mod commit;
mod commits;
mod environment;
mod evidence;
mod first;
mod installed;
mod locked;
mod options;
mod range;
mod render;
mod rules;
mod running;
mod search;
mod searched;
mod series;
mod setup;
mod snapshot;
mod state;
mod step;
mod toolchains;

pub(crate) use self::causes::{Causes, causes};
pub(crate) use self::first::bisect;
pub(crate) use self::options::{ALPHA, EFFORT, Options};
pub(crate) use self::rules::is_slope;
