//! The two loops that run operations under an instrument: plain and asynchronous.
//!
//! Between `start` and `stop` nothing runs but the operations: inputs are made before, outputs are
//! kept and dropped after, and the room for both is there before.

use std::fmt::{self, Display, Write};
use std::hint::black_box;

use crate::meter::gauge::Gauge;

/// How the outcome of an operation says that it failed.
pub(super) type Failing<O> = for<'a> fn(&'a O) -> Option<&'a dyn Display>;

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
    fn take<O>(&mut self, outcome: &O, failing: Failing<O>) -> usize {
        self.operations += 1;
        let Some(error) = failing(outcome) else { return 0 };
        if self.count == 0 {
            // An error that cannot be shown is still an error, and counted as one.
            let _ = write!(self.first, "{error:#}");
        }
        self.count += 1;
        1
    }
}

/// Runs operations as long as the instrument wants laps.
pub(super) fn drive<G: Gauge + ?Sized, I, O>(
    gauge: &mut G,
    failures: &mut Failures,
    failing: Failing<O>,
    mut setup: impl FnMut() -> I,
    mut op: impl FnMut(I) -> O,
) {
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    while !failures.ended() {
        let Some(lap) = gauge.next() else { break };
        if lap == 1 {
            let input = black_box(setup());
            gauge.start();
            let output = black_box(op(input));
            gauge.stop();
            let failed = failures.take(&output, failing);
            drop(output);
            gauge.record(1, failed);
            continue;
        }
        inputs.reserve(lap);
        outputs.reserve(lap);
        inputs.extend((0..lap).map(|_| black_box(setup())));
        gauge.start();
        outputs.extend(inputs.drain(..).map(|input| black_box(op(input))));
        gauge.stop();
        let failed = outputs.iter().map(|output| failures.take(output, failing)).sum();
        outputs.clear();
        gauge.record(lap, failed);
    }
}

/// The same for asynchronous operations: one future for the whole loop, so that entering the runtime
/// is not part of an operation.
pub(super) async fn drive_async<G: Gauge + ?Sized, I, O>(
    gauge: &mut G,
    failures: &mut Failures,
    failing: Failing<O>,
    mut setup: impl AsyncFnMut() -> I,
    mut op: impl AsyncFnMut(I) -> O,
) {
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    while !failures.ended() {
        let Some(lap) = gauge.next() else { break };
        if lap == 1 {
            let input = black_box(setup().await);
            gauge.start();
            let output = black_box(op(input).await);
            gauge.stop();
            let failed = failures.take(&output, failing);
            drop(output);
            gauge.record(1, failed);
            continue;
        }
        inputs.reserve(lap);
        outputs.reserve(lap);
        for _ in 0..lap {
            inputs.push(black_box(setup().await));
        }
        gauge.start();
        for input in inputs.drain(..) {
            outputs.push(black_box(op(input).await));
        }
        gauge.stop();
        let failed = outputs.iter().map(|output| failures.take(output, failing)).sum();
        outputs.clear();
        gauge.record(lap, failed);
    }
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
