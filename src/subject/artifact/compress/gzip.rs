//! The gzip encoder at level 9, with a header that names no file and no time.

use std::any::TypeId;
use std::io::{self, Read};

use miniz_oxide::deflate::core as deflate;

use super::chunk::CHUNK;

/// Returns the type of the encoder.
pub(super) fn implementation() -> TypeId {
    TypeId::of::<deflate::CompressorOxide>()
}

/// Returns the compressed size of `source`: a header of ten bytes, the deflated data, and a trailer of eight (RFC
/// 1952).
#[expect(clippy::wildcard_enum_match_arm, reason = "every other answer is a failure")]
pub(super) fn size(source: &mut dyn Read) -> io::Result<u64> {
    const RAW: i32 = -15; // a window of 2^15 bytes, and no zlib header
    const DEFAULT_STRATEGY: i32 = 0;
    let flags = deflate::create_comp_flags_from_zip_params(9, RAW, DEFAULT_STRATEGY);
    let mut compressor = Box::new(deflate::CompressorOxide::new(flags));
    let mut bytes = 10 + 8;
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = source.read(&mut buffer)?;
        let flush = if read == 0 { deflate::TDEFLFlush::Finish } else { deflate::TDEFLFlush::None };
        let mut rest = &buffer[..read];
        loop {
            let (status, used) = deflate::compress_to_output(&mut compressor, rest, flush, |out| {
                bytes += out.len() as u64;
                true
            });
            rest = &rest[used..];
            match status {
                deflate::TDEFLStatus::Done => return Ok(bytes),
                deflate::TDEFLStatus::Okay if rest.is_empty() && read > 0 => break,
                deflate::TDEFLStatus::Okay => {}
                status => {
                    return Err(io::Error::other(format!("the gzip encoder failed: {status:?}")));
                }
            }
        }
    }
}
