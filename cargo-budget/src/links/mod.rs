//! The last link of a test binary, recorded so that it can be repeated.
//!
//! The place where the linker puts a function changes the time of a loop by a few percent. So one link of each revision
//! would leave the comparison to chance. Compiling the last crate again for each link would take seconds; linking alone
//! takes a tenth of a second. So when a binary is built, this command stands in for the linker: it starts the user's own
//! linker and records the linker's inputs. Afterwards it runs the same linker again with the same inputs, with another
//! order of the functions each time. Some links are made before anything is measured, and the harness has more made when
//! a limit needs more pairs of processes than there are links.

mod align;
mod archive;
mod copies;
mod inputs;
mod make;
mod more;
mod record;
mod response;
mod wrapper;

pub(crate) use self::inputs::Inputs;
pub(crate) use self::make::{MOST, Refused, Repeated, clear, fresh_seed};
pub(crate) use self::more::offer;
pub(crate) use self::record::forget_others;
pub(crate) use self::wrapper::{Recording, act_as_wrapper};
