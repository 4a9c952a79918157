//! The zstd encoder, which is the reference library: level 19 with the content's size and checksum, as the
//! program writes them.

use std::any::TypeId;
use std::io::{self, Read};

use zstd::Encoder;

/// Counts what is written to it.
struct Count(u64);

impl io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What encodes.
#[expect(clippy::unnecessary_wraps, reason = "a build without it has none")]
pub(super) fn implementation() -> Option<TypeId> {
    Some(TypeId::of::<Encoder<'static, Count>>())
}

/// How many bytes come out; `bytes` is how many `source` holds.
pub(super) fn size(source: &mut dyn Read, bytes: u64) -> io::Result<u64> {
    let mut encoder = Encoder::new(Count(0), 19)?;
    encoder.include_checksum(true)?;
    encoder.set_pledged_src_size(Some(bytes))?;
    io::copy(source, &mut encoder)?;
    Ok(encoder.finish()?.0)
}
