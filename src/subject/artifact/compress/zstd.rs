//! The zstd encoder, which is the reference library. It runs at level 19, with the content's size and checksum, as the
//! reference program writes them.

use std::any::TypeId;
use std::io::{self, Read};

use zstd::Encoder;

/// A writer that counts the bytes that are written to it.
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

/// Returns the type of the encoder.
#[expect(clippy::unnecessary_wraps, reason = "a build without it has none")]
pub(super) fn implementation() -> Option<TypeId> {
    Some(TypeId::of::<Encoder<'static, Count>>())
}

/// Returns the compressed size of `source`, whose length is `bytes`.
pub(super) fn size(source: &mut dyn Read, bytes: u64) -> io::Result<u64> {
    let mut encoder = Encoder::new(Count(0), 19)?;
    encoder.include_checksum(true)?;
    encoder.set_pledged_src_size(Some(bytes))?;
    io::copy(source, &mut encoder)?;
    Ok(encoder.finish()?.0)
}
