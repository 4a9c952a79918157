//! The brotli encoder at quality 11 and a window of 22 bits.
//!
//! Its state is driven directly, because the crate's own writers would be compiled twice: once for the data and once
//! for the end of it.

use std::any::TypeId;
use std::io::{self, Read};

use brotli::enc::backward_references::BrotliEncoderParams;
use brotli::enc::encode::{BrotliEncoderDestroyInstance, BrotliEncoderOperation};
use brotli::enc::interface::{InputReferenceMut, PredictionModeContextMap, StaticCommand};
use brotli::enc::{InputPair, StandardAlloc};

use super::chunk::CHUNK;

type State = brotli::enc::encode::BrotliEncoderStateStruct<StandardAlloc>;

/// Returns the type of the encoder.
#[expect(clippy::unnecessary_wraps, reason = "a build without it has none")]
pub(super) fn implementation() -> Option<TypeId> {
    Some(TypeId::of::<State>())
}

/// Returns the compressed size of `source`. `bytes` is the expected length of `source`, as a hint for the encoder.
pub(super) fn size(source: &mut dyn Read, bytes: u64) -> io::Result<u64> {
    let mut size = 0;
    encode(source, bytes, &mut |out| size += out.len() as u64)?;
    Ok(size)
}

/// Compresses `source` piece by piece into `out`.
pub(super) fn encode(
    source: &mut dyn Read,
    bytes: u64,
    out: &mut dyn FnMut(&[u8]),
) -> io::Result<()> {
    let mut state = State::new(StandardAlloc::default());
    state.params = BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        size_hint: bytes.min(1 << 30) as usize,
        ..BrotliEncoderParams::default()
    };
    let done = drive(&mut state, source, out);
    BrotliEncoderDestroyInstance(&mut state);
    done
}

fn drive(state: &mut State, source: &mut dyn Read, out: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let mut input = vec![0; CHUNK];
    let mut output = vec![0; CHUNK];
    while !state.is_finished() {
        let read = match source.read(&mut input) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let operation = if read == 0 {
            BrotliEncoderOperation::BROTLI_OPERATION_FINISH
        } else {
            BrotliEncoderOperation::BROTLI_OPERATION_PROCESS
        };
        let (mut left, mut used) = (read, 0);
        loop {
            let (mut room, mut written) = (output.len(), 0);
            let succeeded = state.compress_stream(
                operation,
                &mut left,
                &input[..read],
                &mut used,
                &mut room,
                &mut output,
                &mut written,
                &mut None,
                &mut ignore,
            );
            if !succeeded {
                return Err(io::Error::other("the brotli encoder failed"));
            }
            out(&output[..written]);
            // The end of the stream may need more room than the output has, so it takes several calls.
            if left == 0 && (read > 0 || state.is_finished()) {
                break;
            }
        }
    }
    Ok(())
}

/// Ignores the commands that the encoder reports.
fn ignore(
    _: &mut PredictionModeContextMap<InputReferenceMut<'_>>,
    _: &mut [StaticCommand],
    _: InputPair<'_>,
    _: &mut StandardAlloc,
) {
}
