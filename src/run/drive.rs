//! The loop that runs operations under an instrument.
//!
//! Between `start` and `stop` only the operations run. Inputs are made before. Outputs, and inputs that were only lent, are
//! kept and dropped afterwards; the room for them is allocated before.

use std::fmt::{self, Display, Write};
use std::hint::black_box;

use crate::inject::{self, Injection};
use crate::instrument::laps::Instrument;

/// The type of an operation's output, which says whether the operation succeeded.
pub(super) trait Outcome<O> {
    /// Whether an operation can fail at all.
    const CAN_FAIL: bool;

    /// Returns the error of an operation that failed.
    fn error(outcome: &O) -> Option<&dyn Display>;
}

/// The outcome of operations that cannot fail.
pub(super) struct CannotFail;

/// The outcome of operations that may fail, which return a `Result`.
pub(super) struct Fallible;

impl<O> Outcome<O> for CannotFail {
    const CAN_FAIL: bool = false;

    fn error(_: &O) -> Option<&dyn Display> {
        None
    }
}

impl<T, E: Display> Outcome<Result<T, E>> for Fallible {
    const CAN_FAIL: bool = true;

    fn error(outcome: &Result<T, E>) -> Option<&dyn Display> {
        outcome.as_ref().err().map(|error| error as &dyn Display)
    }
}

/// An operation, by the way in which it gets its input. The operation itself drops an input that it was given. An input that
/// it was only lent is dropped outside of the measured part.
pub(super) trait Operation<I, O> {
    /// Runs the operation on one input. `before` and `after` are called right around it.
    fn run_once<W: ?Sized>(
        &mut self,
        input: I,
        watch: &mut W,
        before: impl FnOnce(&mut W),
        after: impl FnOnce(&mut W),
    ) -> O;

    /// Runs the operation on each input, as the iterator is advanced. Inputs that were only lent stay in the vector.
    fn run_all(&mut self, inputs: &mut Vec<I>) -> impl Iterator<Item = O>;

    /// Returns the same operation, longer by what a selftest injects.
    fn slowed(self, injection: Option<Injection>) -> impl Operation<I, O>;
}

/// An operation that is given its input.
pub(super) struct ByValue<F>(pub(super) F);

impl<I, O, F: FnMut(I) -> O> Operation<I, O> for ByValue<F> {
    #[inline]
    fn run_once<W: ?Sized>(
        &mut self,
        input: I,
        watch: &mut W,
        before: impl FnOnce(&mut W),
        after: impl FnOnce(&mut W),
    ) -> O {
        before(watch);
        let output = black_box((self.0)(input));
        after(watch);
        output
    }

    #[inline]
    fn run_all(&mut self, inputs: &mut Vec<I>) -> impl Iterator<Item = O> {
        inputs.drain(..).map(|input| black_box((self.0)(input)))
    }

    fn slowed(mut self, injection: Option<Injection>) -> impl Operation<I, O> {
        ByValue(move |input| inject::slowed(injection, || (self.0)(input)))
    }
}

/// An operation that is lent its input.
pub(super) struct ByReference<F>(pub(super) F);

impl<I, O, F: FnMut(&mut I) -> O> Operation<I, O> for ByReference<F> {
    #[inline]
    fn run_once<W: ?Sized>(
        &mut self,
        mut input: I,
        watch: &mut W,
        before: impl FnOnce(&mut W),
        after: impl FnOnce(&mut W),
    ) -> O {
        before(watch);
        let output = black_box((self.0)(&mut input));
        after(watch);
        output
    }

    #[inline]
    fn run_all(&mut self, inputs: &mut Vec<I>) -> impl Iterator<Item = O> {
        inputs.iter_mut().map(|input| black_box((self.0)(input)))
    }

    fn slowed(mut self, injection: Option<Injection>) -> impl Operation<I, O> {
        ByReference(move |input: &mut I| inject::slowed(injection, || (self.0)(input)))
    }
}

/// The treatment of operations that fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    /// Failures are counted.
    Counted,
    /// The first failure ends the measurement.
    Fatal,
}

/// The failures of operations.
pub(super) struct Failures {
    policy: Policy,
    pub(super) count: usize,
    /// The number of operations that ran, the warm-up included.
    pub(super) operations: usize,
    pub(super) first: Excerpt,
}

/// The beginning of a text, in room that was allocated before: writing to it allocates nothing.
pub(super) struct Excerpt(String);

impl Excerpt {
    fn new() -> Self {
        Excerpt(String::with_capacity(1000))
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl Write for Excerpt {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut end = text.len().min(self.0.capacity() - self.0.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.0.push_str(&text[..end]);
        Ok(())
    }
}

impl Failures {
    pub(super) fn new(policy: Policy) -> Self {
        Failures { policy, count: 0, operations: 0, first: Excerpt::new() }
    }

    /// Whether a failure has ended the measurement.
    pub(super) fn ended(&self) -> bool {
        self.count > 0 && self.policy == Policy::Fatal
    }

    /// Counts the outcome of an operation; returns 1 if it is a failure, and otherwise 0.
    pub(super) fn observe<K: Outcome<O>, O>(&mut self, outcome: &O) -> usize {
        self.operations += 1;
        let Some(error) = K::error(outcome) else { return 0 };
        if self.count == 0 {
            // An error that cannot be formatted is still counted as an error.
            let _ = write!(self.first, "{error:#}");
        }
        self.count += 1;
        1
    }
}

/// Runs operations as long as the instrument needs laps.
pub(super) fn drive<K: Outcome<O>, G: Instrument + ?Sized, I, O>(
    instrument: &mut G,
    failures: &mut Failures,
    mut setup: impl FnMut() -> I,
    mut op: impl Operation<I, O>,
) {
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    while !failures.ended() {
        let Some(lap) = instrument.next() else { break };
        if lap == 1 {
            let input = hide_from_optimizer(setup());
            let output = op.run_once(input, instrument, G::start, G::stop);
            let failed = failures.observe::<K, O>(&output);
            drop(output);
            instrument.record(1, failed);
            continue;
        }
        inputs.extend((0..lap).map(|_| hide_from_optimizer(setup())));
        let mut failed = 0;
        if keeps_outputs::<K, O>() {
            outputs.reserve(lap);
            instrument.start();
            outputs.extend(op.run_all(&mut inputs));
            instrument.stop();
            failed = outputs.iter().map(|output| failures.observe::<K, O>(output)).sum();
            outputs.clear();
        } else {
            instrument.start();
            op.run_all(&mut inputs).for_each(drop);
            instrument.stop();
            failures.operations += lap;
        }
        inputs.clear();
        instrument.record(lap, failed);
    }
}

/// Whether outputs are needed after the timed part, either to be dropped or to be asked whether they failed.
pub(super) const fn keeps_outputs<K: Outcome<O>, O>() -> bool {
    K::CAN_FAIL || std::mem::needs_drop::<O>()
}

/// Returns the value in such a way that the compiler knows nothing about it. A value of size 0 is returned as it is, so that
/// an operation without an input takes no time for it.
#[inline]
pub(super) fn hide_from_optimizer<I>(input: I) -> I {
    if size_of::<I>() == 0 { input } else { black_box(input) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_ends_where_its_room_does() {
        let mut excerpt = Excerpt::new();
        let room = excerpt.0.capacity();
        for _ in 0..room {
            write!(excerpt, "aé").unwrap();
        }
        assert_eq!(excerpt.0.capacity(), room);
        assert!(excerpt.text().len() > room - 3);
    }
}
