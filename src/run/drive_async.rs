//! The loop that runs asynchronous operations under an instrument.

use std::hint::black_box;

use super::drive::{Failures, Outcome, hide_from_optimizer, keeps_outputs};
use crate::instrument::laps::Instrument;

/// The loop of [`run::drive`](crate::run::drive), with one future for the whole loop, so that entering the runtime is
/// not part of an operation.
pub(super) async fn drive<K: Outcome<O>, G: Instrument + ?Sized, I, O>(
    instrument: &mut G,
    failures: &mut Failures,
    mut setup: impl AsyncFnMut() -> I,
    mut op: impl AsyncFnMut(I) -> O,
) {
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    while !failures.ended() {
        let Some(lap) = instrument.next() else { break };
        if lap == 1 {
            let input = hide_from_optimizer(setup().await);
            instrument.start();
            let output = black_box(op(input).await);
            instrument.stop();
            let failed = failures.observe::<K, O>(&output);
            drop(output);
            instrument.record(1, failed);
            continue;
        }
        inputs.reserve(lap);
        outputs.reserve(lap);
        for _ in 0..lap {
            inputs.push(hide_from_optimizer(setup().await));
        }
        instrument.start();
        for input in inputs.drain(..) {
            let output = black_box(op(input).await);
            if keeps_outputs::<K, O>() {
                outputs.push(output);
            }
        }
        instrument.stop();
        let failed = outputs.iter().map(|output| failures.observe::<K, O>(output)).sum();
        failures.operations += lap - outputs.len();
        outputs.clear();
        instrument.record(lap, failed);
    }
}
