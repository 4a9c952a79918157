//! Changes the members of a library of object files. Everything else in it stays as it is.

use std::mem::{offset_of, size_of};
use std::ops::Range;

use object::archive::Header;

/// The length in bytes of the header of a member.
const HEADER: usize = size_of::<Header>();
/// Where in a header the size of the member is, in decimal digits.
const SIZE: Range<usize> = offset_of!(Header, size)..offset_of!(Header, terminator);

/// Returns the new content of a member, such as an object file with its functions at other places.
pub(super) type Change<'c> = dyn FnMut(&[u8]) -> Result<Vec<u8>, String> + 'c;

/// Returns a library with each member replaced by what `change` makes of it. The index of symbols gets the new places of the
/// members.
pub(super) fn rewritten(library: &[u8], change: &mut Change<'_>) -> Result<Vec<u8>, String> {
    let magic = object::archive::MAGIC.len();
    let mut copy = library.get(..magic).ok_or("the library is cut off")?.to_vec();
    // The old and the new place of each member's header.
    let mut places = Vec::new();
    let mut index = None;
    let mut at = magic;
    while let Some(header) = library.get(at..at + HEADER) {
        let size =
            std::str::from_utf8(&header[SIZE]).ok().and_then(|size| size.trim().parse().ok());
        let size: usize = size.ok_or("the size of a member is no number")?;
        let begin = at + HEADER;
        let member = library.get(begin..begin + size).ok_or("a member is cut off")?;
        let name = header[..16].trim_ascii_end();
        places.push((at, copy.len()));
        let is_index = [&b"/"[..], b"/SYM64/"].contains(&name);
        if is_index {
            index = Some((copy.len() + HEADER, if name == b"/" { 4 } else { 8 }));
        }
        // The index and the table of long names are not object files.
        let is_table = is_index || name == b"//";
        let member = if is_table { member.to_vec() } else { change(member)? };
        copy.extend_from_slice(&header[..SIZE.start]);
        copy.extend_from_slice(format!("{:<10}", member.len()).as_bytes());
        copy.extend_from_slice(&header[SIZE.end..]);
        copy.extend_from_slice(&member);
        // Each header begins at an even place.
        if member.len() % 2 == 1 {
            copy.push(b'\n');
        }
        at = begin + size + size % 2;
    }
    if let Some((index, width)) = index {
        move_symbols(&mut copy[index..], width, &places)
            .ok_or("the index of symbols is damaged, or the library too large for it")?;
    }
    Ok(copy)
}

/// Replaces the places of members in an index. It has the number of symbols, and then for each symbol the place of its
/// member. All these numbers are big-endian and have `width` bytes.
fn move_symbols(index: &mut [u8], width: usize, places: &[(usize, usize)]) -> Option<()> {
    let number =
        |bytes: &[u8]| bytes.iter().fold(0_usize, |sum, &byte| sum << 8 | usize::from(byte));
    let count = number(index.get(..width)?);
    let end = count.checked_add(1)?.checked_mul(width)?;
    for field in index.get_mut(width..end)?.chunks_exact_mut(width) {
        let old = number(field);
        let found = places.binary_search_by_key(&old, |place| place.0).ok()?;
        let new = (places[found].1 as u64).to_be_bytes();
        let (above, new) = new.split_at(8 - width);
        // A number of 4 bytes is a place within the first 4 GiB only.
        above.iter().all(|byte| *byte == 0).then(|| field.copy_from_slice(new))?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, content: &[u8]) -> Vec<u8> {
        let mut bytes =
            format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 644, content.len());
        if content.len() % 2 == 1 {
            bytes.push('\n');
            let mut bytes = bytes.into_bytes();
            bytes.splice(HEADER..HEADER, content.iter().copied());
            return bytes;
        }
        [bytes.as_bytes(), content].concat()
    }

    #[test]
    fn symbols_lead_to_the_members_that_moved() {
        let library = |first: &[u8], places: [u32; 2]| {
            let mut index = 2_u32.to_be_bytes().to_vec();
            index.extend(places.iter().flat_map(|place| place.to_be_bytes()));
            index.extend(b"one\0two\0");
            let members = [
                member("/", &index),
                member("//", b"long.o/\n"),
                member("a.o/", first),
                member("/0", b"two"),
            ];
            let mut bytes = object::archive::MAGIC.to_vec();
            bytes.extend(members.concat());
            bytes
        };
        let first = 8 + 60 + 20 + 60 + 8;
        let before = library(b"one", [first, first + 64]);
        let mut grow = |member: &[u8]| {
            Ok(if member == b"one" { b"one more".to_vec() } else { member.to_vec() })
        };
        let after = rewritten(&before, &mut grow).unwrap();
        assert_eq!(after, library(b"one more", [first, first + 68]));
        let mut keep = |member: &[u8]| Ok(member.to_vec());
        assert_eq!(rewritten(&before, &mut keep).unwrap(), before);
    }

    #[test]
    fn a_damaged_library_is_an_error() {
        let mut keep = |member: &[u8]| Ok(member.to_vec());
        let mut library = object::archive::MAGIC.to_vec();
        library.extend(member("/", &[0, 0, 0, 1, 0, 0, 0, 9]));
        library.extend(member("a.o/", b"code"));
        assert!(rewritten(&library, &mut keep).unwrap_err().contains("index"));
        assert!(
            rewritten(&library[..library.len() - 1], &mut keep).unwrap_err().contains("cut off")
        );
    }
}
