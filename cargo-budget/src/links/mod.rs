//! The last link of a test binary, kept so that it can be repeated.
//!
//! Where the linker puts a function moves the time of a loop by a few percent, so one link of each revision is a
//! coin. Compiling the last crate again for each link takes seconds; linking alone takes a tenth of one. So when a binary
//! is built, this command stands in for the linker, keeps what the linker is given, and has the user's own linker do the
//! work. Afterwards the same linker is run again with the same inputs, with another order of functions each time.

mod align;
mod kept;
mod make;
mod response;
mod stand_in;

pub(crate) use self::align::BOUNDARY;
pub(crate) use self::make::{Refused, clear, make};
pub(crate) use self::stand_in::{Keeping, stand_in};
