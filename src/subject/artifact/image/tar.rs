//! The reader of tar archives. It reads an archive once, as a stream, and gives each entry's name, length and content.
//!
//! The tar crate is not used, because an image may come from anywhere. That crate reads a long name or an extended
//! header into memory whole, whatever its length. If it is told not to read these, it misses the lengths of large
//! entries, which are only there. In this reader a name has a limit, every header must have a correct checksum, an
//! entry that ends early is an error, and there is no code that could write a file. It reads the formats ustar, GNU
//! and pax.

use std::io::{self, Read};

use super::fault::Fault;
use crate::subject::artifact::content::drain;

/// The most bytes of a name, or of a set of extended attributes.
const LONGEST: u64 = 64 * 1024;

/// An entry of an archive.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The name in the archive, without a leading `./`.
    pub(super) name: String,
    /// The kind of the entry.
    pub(super) kind: Kind,
}

/// The kind of an entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A regular file with its length in bytes.
    File(u64),
    /// A link to a path that starts from the link's own directory.
    Symbolic(String),
    /// A link to a path that starts from the archive's root.
    Hard(String),
    /// Anything else, such as a directory or a device.
    Other,
}

/// Calls `visit` with every entry and a reader of its content. Content that `visit` does not read is skipped.
pub(super) fn entries(
    archive: &mut dyn Read,
    mut visit: impl FnMut(Entry, &mut dyn Read) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut long = ExtendedHeader::default();
    let mut first = true;
    while let Some(block) = block(archive, std::mem::take(&mut first))? {
        let kind = block[156];
        let size = match long.size.take_if(|_| !matches!(kind, b'x' | b'g' | b'L' | b'K')) {
            Some(size) => size,
            None => number(&block[124..136])?,
        };
        // Links, devices and directories have no content, even if their header has a length.
        let size = if matches!(kind, b'1'..=b'6') { 0 } else { size };
        let mut content = archive.take(size);
        match kind {
            b'L' => long.name = Some(text(&long_content(&mut content)?)),
            b'K' => long.link = Some(text(&long_content(&mut content)?)),
            b'x' => long.extend(&long_content(&mut content)?)?,
            _ => {
                let long = std::mem::take(&mut long);
                let link = long.link.unwrap_or_else(|| text(&block[157..257]));
                let kind = match kind {
                    b'0' | 0 | b'7' => Kind::File(size),
                    b'1' => Kind::Hard(link),
                    b'2' => Kind::Symbolic(link),
                    _ => Kind::Other,
                };
                let name = long.name.unwrap_or_else(|| name(&block));
                let name = name.strip_prefix("./").unwrap_or(&name).to_owned();
                visit(Entry { name, kind }, &mut content)?;
            }
        }
        drain(&mut content)?;
        let missing = content.limit();
        let padding = size.next_multiple_of(512) - size;
        let padded = drain(&mut archive.take(padding))?;
        if missing > 0 || padded < padding {
            return Err(truncated());
        }
    }
    // The archive is read to its end, because the checksum of a gzipped archive is checked there.
    drain(archive)?;
    Ok(())
}

/// The values that extended headers give for the entry that follows them.
#[derive(Default)]
struct ExtendedHeader {
    name: Option<String>,
    link: Option<String>,
    size: Option<u64>,
}

impl ExtendedHeader {
    /// Reads pax records: `LENGTH KEY=VALUE\n`.
    fn extend(&mut self, mut records: &[u8]) -> Result<(), Fault> {
        let bad = || Fault::new("an extended header in it is damaged");
        while !records.is_empty() {
            let space = records.iter().position(|&b| b == b' ').ok_or_else(bad)?;
            let length: usize = text(&records[..space]).parse().map_err(|_| bad())?;
            let record = records.get(space + 1..length).ok_or_else(bad)?;
            records = &records[length..];
            let record = record.strip_suffix(b"\n").ok_or_else(bad)?;
            let equals = record.iter().position(|&b| b == b'=').ok_or_else(bad)?;
            let value = text(&record[equals + 1..]);
            match &record[..equals] {
                b"path" => self.name = Some(value),
                b"linkpath" => self.link = Some(value),
                b"size" => self.size = Some(value.parse().map_err(|_| bad())?),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Reads the next header. `None` at the end mark, or if the archive ends between two entries.
fn block(archive: &mut dyn Read, first: bool) -> Result<Option<[u8; 512]>, Fault> {
    let mut block = [0; 512];
    let mut filled = 0;
    while filled < block.len() {
        match archive.read(&mut block[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(if first { foreign() } else { truncated() }),
            Ok(read) => filled += read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e.into()),
        }
    }
    if block.iter().all(|&byte| byte == 0) {
        return Ok(None);
    }
    // The checksum is computed as if its own field were blank.
    let blank = 8 * u64::from(b' ');
    let outside = block[..148].iter().chain(&block[156..]).map(|&byte| u64::from(byte));
    if number(&block[148..156]) != Ok(blank + outside.sum::<u64>()) {
        return Err(if first { foreign() } else { Fault::new("a header in it is damaged") });
    }
    Ok(Some(block))
}

fn name(block: &[u8; 512]) -> String {
    let (name, prefix) = (text(&block[..100]), text(&block[345..500]));
    let posix = &block[257..263] == b"ustar\0";
    if posix && !prefix.is_empty() { format!("{prefix}/{name}") } else { name }
}

/// Reads a number: octal digits, or a big-endian number if the first bit is set.
fn number(field: &[u8]) -> Result<u64, Fault> {
    let bad = || Fault::new("a number in it is damaged");
    if field[0] & 0x80 != 0 {
        let first = u64::from(field[0] & 0x7f);
        return field[1..].iter().try_fold(first, |sum, &byte| {
            sum.checked_mul(256).map(|sum| sum + u64::from(byte)).ok_or_else(bad)
        });
    }
    let digits = text(field);
    let digits = digits.trim_matches(' ');
    if digits.is_empty() { Ok(0) } else { u64::from_str_radix(digits, 8).map_err(|_| bad()) }
}

fn long_content(content: &mut io::Take<impl Read>) -> Result<Vec<u8>, Fault> {
    if content.limit() > LONGEST {
        return Err(Fault::new("a name in it is absurdly long"));
    }
    let mut bytes = Vec::new();
    content.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the text up to the first NUL byte. An image needs no name that is not Unicode, so other bytes are replaced.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn truncated() -> Fault {
    Fault::new("it ends in the middle of an entry; it was not written or copied to its end")
}

fn foreign() -> Fault {
    Fault::new("it is neither a tar archive nor a gzipped one")
}

#[cfg(test)]
#[path = "tar_tests.rs"]
mod tests;
