//! Tests with headers of the three formats, and with damaged ones.

use super::*;

/// Returns a header of this type, name and size field, with its checksum.
fn header(kind: u8, name: &str, size: &[u8]) -> [u8; 512] {
    let mut header = [0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..124 + size.len()].copy_from_slice(size);
    header[148..156].fill(b' ');
    header[156] = kind;
    header[257..263].copy_from_slice(b"ustar\0");
    let sum: u64 = header.iter().map(|&byte| u64::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

fn entry(kind: u8, name: &str, content: &[u8]) -> Vec<u8> {
    let mut entry = header(kind, name, format!("{:011o}", content.len()).as_bytes()).to_vec();
    entry.extend(content);
    entry.resize(entry.len().next_multiple_of(512), 0);
    entry
}

/// Returns the names and contents of the files in an archive.
fn read(archive: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Fault> {
    let mut files = vec![];
    entries(&mut &archive[..], |entry, content| {
        let mut bytes = vec![];
        content.read_to_end(&mut bytes)?;
        if let Kind::File(_) = entry.kind {
            files.push((entry.name, bytes));
        }
        Ok(())
    })?;
    Ok(files)
}

#[track_caller]
fn check(archive: &[Vec<u8>], want: &[(&str, &[u8])]) {
    let want: Vec<_> =
        want.iter().map(|(name, content)| ((*name).to_owned(), content.to_vec())).collect();
    assert_eq!(read(&archive.concat()).unwrap(), want);
}

#[track_caller]
fn fails(archive: &[u8], word: &str) {
    let fault = read(archive).unwrap_err();
    assert!(fault.why.contains(word), "{}", fault.why);
}

#[test]
fn all_formats_are_read() {
    let end = vec![0; 1024];
    check(
        &[entry(b'0', "a", b"one"), entry(0, "./b", &[7; 512]), end.clone()],
        &[("a", b"one"), ("b", &[7; 512])],
    );
    check(&[entry(b'0', "a", b"one")], &[("a", b"one")]);
    check(&[entry(b'5', "dir/", b""), entry(b'0', "a", b""), end.clone()], &[("a", b"")]);
    check(
        &[entry(b'L', "././@LongLink", b"long/name\0"), entry(b'0', "long", b"x")],
        &[("long/name", b"x")],
    );
    check(&[entry(b'x', "pax", b"12 path=p/q\n"), entry(b'0', "a", b"x")], &[("p/q", b"x")]);
    let mut prefixed = entry(b'0', "a", b"x");
    prefixed[345] = b'p';
    prefixed[148..156].fill(b' ');
    let sum: u64 = prefixed[..512].iter().map(|&byte| u64::from(byte)).sum();
    prefixed[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    check(&[prefixed], &[("p/a", b"x")]);
    // A large length is written in an extended header, or as a binary number.
    let mut large = entry(b'0', "a", b"four");
    large[..512].copy_from_slice(&header(b'0', "a", b""));
    check(&[entry(b'x', "pax", b"9 size=4\n"), large.clone()], &[("a", b"four")]);
    large[..512].copy_from_slice(&header(b'0', "a", &[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4]));
    check(&[large], &[("a", b"four")]);
}

#[test]
fn a_damaged_archive_is_an_error_that_says_what_is_damaged() {
    let whole = [entry(b'0', "a", &[1; 600]), entry(b'0', "b", b"two")].concat();
    fails(&whole[..100], "neither a tar archive");
    fails(&[7; 2048], "neither a tar archive");
    for at in [600, 1100, 1500, 1600, 2060, 2500] {
        fails(&whole[..at], "ends in the middle");
    }
    let mut flipped = whole.clone();
    flipped[1536] ^= 1;
    fails(&flipped, "a header in it is damaged");
    fails(&entry(b'x', "pax", b"99 path=short\n"), "extended header");
    fails(&entry(b'x', "pax", b"no length\n"), "extended header");
    fails(&header(b'0', "a", b"0000000000x"), "a number in it is damaged");
    fails(&header(b'0', "a", &[0xff; 12]), "a number in it is damaged");
    fails(&header(b'L', "a", b"77777777777"), "absurdly long");
    fails(&header(b'0', "a", b"77777777777"), "ends in the middle");
}
