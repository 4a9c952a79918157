//! Tests of `stripped` with small, damaged and real files, and of the table of names.

use std::io::Cursor;

use super::*;

/// Returns an ELF file of 64 bits and little-endian order, with a loaded section, symbols and names.
fn small(kind: u16) -> Vec<u8> {
    let names = b"\0.text\0.symtab\0.shstrtab\0";
    let sections: [(u32, u32, u64, u64, u64); 4] = [
        (0, 0, 0, 0, 0),
        (1, 1, 2, 64, 16),                   // .text, loaded
        (7, 2, 0, 80, 48),                   // .symtab
        (15, 3, 0, 128, names.len() as u64), // .shstrtab
    ];
    let table = 128 + names.len().next_multiple_of(8);
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend(kind.to_le_bytes());
    file.extend(62_u16.to_le_bytes());
    file.extend(1_u32.to_le_bytes());
    file.extend([0; 16]);
    file.extend((table as u64).to_le_bytes());
    file.extend(0_u32.to_le_bytes());
    for half in [64_u16, 56, 0, 64, sections.len() as u16, 3] {
        file.extend(half.to_le_bytes());
    }
    file.resize(128, 0xcc);
    file.extend(names);
    file.resize(table, 0);
    for (name, kind, flags, offset, size) in sections {
        file.extend(name.to_le_bytes());
        file.extend(kind.to_le_bytes());
        for long in [flags, 0, offset, size] {
            file.extend(long.to_le_bytes());
        }
        file.extend([0; 8]);
        for long in [1_u64, 0] {
            file.extend(long.to_le_bytes());
        }
    }
    file
}

#[track_caller]
fn check(file: &[u8], want: Result<u64, &str>) {
    let got = measure(Cursor::new(file.to_vec()));
    match (&got, want) {
        (Ok(got), Ok(want)) => assert_eq!(*got, Stripped { kept: want, appended: 0 }),
        (Err(got), Err(want)) => assert!(got.contains(want), "{got}"),
        _ => panic!("{got:?} is not {want:?}"),
    }
}

#[test]
fn only_loaded_sections_and_their_names_stay() {
    // There are 80 bytes up to the end of .text and 17 bytes of names, aligned to 104, and three section headers.
    check(&small(2), Ok(104 + 3 * 64));
    check(&small(3), Ok(104 + 3 * 64));
}

/// `strip` leaves out bytes that are appended to the last part, but they are reported.
#[test]
fn appended_bytes_are_reported() {
    let mut file = small(2);
    file.extend([7; 1000]);
    let whole = Stripped { kept: 104 + 3 * 64, appended: 1000 };
    assert_eq!(measure(Cursor::new(file)), Ok(whole));
}

#[test]
fn a_file_that_cannot_be_stripped_is_refused() {
    check(&small(1), Err("neither a program nor a shared library"));
    check(&small(4), Err("neither a program nor a shared library"));
    check(b"\0asm\x01\0\0\0", Err("not an ELF file"));
    check(b"\x7fELF", Err("not an ELF file"));
    check(b"", Err("not an ELF file"));
    check(&small(2)[..200], Err("damaged ELF file"));
    let mut endless = small(2);
    endless[64 + 128..].fill(0xff);
    check(&endless, Err("damaged ELF file"));
}

/// A file that is cut off is refused, wherever it is cut. A flipped byte in a header never makes the reader panic.
#[test]
fn a_damaged_file_is_an_error_and_never_a_panic() {
    let whole = small(2);
    for at in 0..whole.len() {
        check(&whole[..at], Err("ELF file"));
        for bit in [0x01, 0x10, 0x80, 0xff] {
            let mut flipped = whole.clone();
            flipped[at] ^= bit;
            let _ = measure(Cursor::new(flipped));
        }
    }
}

#[test]
fn names_share_their_ends() {
    #[track_caller]
    fn check(names: &[&str], bytes: u64) {
        assert_eq!(string_table(names.iter().map(|n| n.as_bytes()).collect()), bytes);
    }
    check(&[], 1);
    check(&[".text"], 7);
    check(&[".text", ".rela.text"], 12);
    check(&[".a", ".b.a", ".c.a"], 11);
    check(&[".text", ".text"], 7);
}

/// Tests with the test program itself, where the programs of the system are ELF files.
#[cfg(target_os = "linux")]
mod own {
    use super::*;

    /// Returns the test program itself, a real ELF file with debug information.
    fn own_program() -> Vec<u8> {
        std::fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    #[test]
    fn bytes_appended_to_a_real_program_are_reported() {
        let mut own = own_program();
        assert_eq!(measure(Cursor::new(&own[..])).unwrap().appended, 0);
        own.extend(b"an archive");
        assert_eq!(measure(Cursor::new(&own[..])).unwrap().appended, 10);
    }

    #[test]
    fn a_damaged_program_never_makes_the_reader_panic() {
        let whole = own_program();
        let table = u64::from_le_bytes(whole[40..48].try_into().unwrap()) as usize;
        let mut state: u64 = 7;
        for _ in 0..2_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = (state >> 33) as usize;
            let at =
                if at.is_multiple_of(2) { at % 1024 } else { table + at % (whole.len() - table) };
            let file = Flipped {
                file: Cursor::new(&whole[..]),
                at: at as u64,
                bits: (state >> 20) as u8 | 1,
            };
            let _ = measure(file);
        }
        measure(Cursor::new(&whole[..table])).unwrap_err();
    }

    /// A reader of a file that changes one byte of it, without a copy of the file.
    struct Flipped<'a> {
        file: Cursor<&'a [u8]>,
        at: u64,
        bits: u8,
    }

    impl Read for Flipped<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let from = self.file.position();
            let read = self.file.read(buffer)?;
            if (from..from + read as u64).contains(&self.at) {
                buffer[(self.at - from) as usize] ^= self.bits;
            }
            Ok(read)
        }
    }

    impl Seek for Flipped<'_> {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            self.file.seek(to)
        }
    }
}
