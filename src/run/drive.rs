//! The loop that runs operations under an instrument.
//!
//! Between `start` and `stop` nothing runs but the operations: inputs are made before, outputs and inputs
//! that were only lent are kept and dropped after, and the room for both is there before.

use std::fmt::{self, Display, Write};
use std::hint::black_box;

use crate::inject::{self, Injection};
use crate::instrument::laps::Instrument;

/// What the outcomes of an operation say of it.
pub(super) trait Outcome<O> {
    /// Whether they tell of failures at all.
    const TELLS: bool;

    /// The error of an operation that failed.
    fn error(outcome: &O) -> Option<&dyn Display>;
}

/// Outcomes of operations that cannot fail.
pub(super) struct Certain;

/// Outcomes of operations that may fail.
pub(super) struct Fallible;

impl<O> Outcome<O> for Certain {
    const TELLS: bool = false;

    fn error(_: &O) -> Option<&dyn Display> {
        None
    }
}

impl<T, E: Display> Outcome<Result<T, E>> for Fallible {
    const TELLS: bool = true;

    fn error(outcome: &Result<T, E>) -> Option<&dyn Display> {
        outcome.as_ref().err().map(|error| error as &dyn Display)
    }
}

/// An operation, by the way it gets its input. An input is dropped by the operation that it was given to, and outside
/// of the measured part where it was only lent.
pub(super) trait Operation<I, O> {
    /// Runs the operation on one input. `before` and `after` are called right around it.
    fn once<W: ?Sized>(
        &mut self,
        input: I,
        watch: &mut W,
        before: impl FnOnce(&mut W),
        after: impl FnOnce(&mut W),
    ) -> O;

    /// Runs the operation on each input, as the iterator is advanced. Inputs that were only lent stay where they are.
    fn all(&mut self, inputs: &mut Vec<I>) -> impl Iterator<Item = O>;

    /// The same operation, longer by what a selftest injects.
    fn slowed(self, injection: Option<Injection>) -> impl Operation<I, O>;
}

/// An operation that is given its input.
pub(super) struct Given<F>(pub(super) F);

impl<I, O, F: FnMut(I) -> O> Operation<I, O> for Given<F> {
    #[inline]
    fn once<W: ?Sized>(
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
    fn all(&mut self, inputs: &mut Vec<I>) -> impl Iterator<Item = O> {
        inputs.drain(..).map(|input| black_box((self.0)(input)))
    }

    fn slowed(mut self, injection: Option<Injection>) -> impl Operation<I, O> {
        Given(move |input| inject::slowed(injection, || (self.0)(input)))
    }
}

/// An operation that is lent its input.
pub(super) struct Lent<F>(pub(super) F);

impl<I, O, F: FnMut(&mut I) -> O> Operation<I, O> for Lent<F> {
    #[inline]
    fn once<W: ?Sized>(
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
    fn all(&mut self, inputs: &mut Vec<I>) -> impl Iterator<Item = O> {
        inputs.iter_mut().map(|input| black_box((self.0)(input)))
    }

    fn slowed(mut self, injection: Option<Injection>) -> impl Operation<I, O> {
        Lent(move |input: &mut I| inject::slowed(injection, || (self.0)(input)))
    }
}

/// What is done about operations that fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    /// They are counted.
    Counted,
    /// The first ends the measurement.
    Fatal,
}

/// The operations that failed.
pub(super) struct Failures {
    policy: Policy,
    pub(super) count: usize,
    /// Operations that ran, those of the warm-up included.
    pub(super) operations: usize,
    pub(super) first: Excerpt,
}

/// The beginning of a text, in room that was there before: what is written to it allocates nothing.
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

    /// Counts an outcome; 1 if it failed.
    pub(super) fn take<K: Outcome<O>, O>(&mut self, outcome: &O) -> usize {
        self.operations += 1;
        let Some(error) = K::error(outcome) else { return 0 };
        if self.count == 0 {
            // An error that cannot be shown is still an error, and counted as one.
            let _ = write!(self.first, "{error:#}");
        }
        self.count += 1;
        1
    }
}

/// Runs operations as long as the instrument wants laps.
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
            let input = opaque(setup());
            let output = op.once(input, instrument, G::start, G::stop);
            let failed = failures.take::<K, O>(&output);
            drop(output);
            instrument.record(1, failed);
            continue;
        }
        inputs.extend((0..lap).map(|_| opaque(setup())));
        let mut failed = 0;
        if kept::<K, O>() {
            outputs.reserve(lap);
            instrument.start();
            outputs.extend(op.all(&mut inputs));
            instrument.stop();
            failed = outputs.iter().map(|output| failures.take::<K, O>(output)).sum();
            outputs.clear();
        } else {
            instrument.start();
            op.all(&mut inputs).for_each(drop);
            instrument.stop();
            failures.operations += lap;
        }
        inputs.clear();
        instrument.record(lap, failed);
    }
}

/// Whether outputs are needed after the timed part: to be dropped, or to be asked whether they failed.
pub(super) const fn kept<K: Outcome<O>, O>() -> bool {
    K::TELLS || std::mem::needs_drop::<O>()
}

/// The value, of which the compiler forgets what it knew. Where there is nothing to know it is left
/// alone, so that making no input takes no time.
#[inline]
pub(super) fn opaque<I>(input: I) -> I {
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
