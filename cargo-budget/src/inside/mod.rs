//! The contents of an artifact: its sections, and the crates and functions that take most of it.
//!
//! It is for people who ask where the bytes went; no verdict depends on it. Sizes are those of the file as it is,
//! before anything is stripped or compressed.

mod contents;
mod elf;
mod inspected;
mod place;
mod wasm;

use std::path::Path;

pub(crate) use self::contents::{FileContents, demangled};
pub(crate) use self::inspected::InspectedFile;
pub(crate) use self::place::{FILES, Part, Place, by_budget};
use crate::failure::Failure;

impl FileContents {
    /// Reads the contents of a file; `None` where it is neither ELF nor WASM.
    pub(crate) fn read(path: &Path) -> Result<Option<FileContents>, Failure> {
        let file = std::fs::read(path).map_err(|e| Failure::io("read", path, &e))?;
        let read = match file.get(..4) {
            Some(b"\x7fELF") => elf::read(&file).map_err(|e| e.to_string()),
            Some(b"\0asm") => wasm::read(&file).map_err(|e| e.to_string()),
            _ => return Ok(None),
        };
        let inside = read.map_err(|why| {
            let why = format!("it is damaged, or its format is not known: {why}");
            Failure::io("look into", path, &why)
        })?;
        Ok(Some(FileContents { bytes: file.len() as u64, ..inside }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_binary_can_be_read() {
        let inside = FileContents::read(&std::env::current_exe().unwrap()).unwrap();
        if cfg!(all(target_os = "linux", target_pointer_width = "64")) {
            let inside = inside.unwrap();
            assert!(inside.sections[".text"] > 100_000);
            let crates = inside.crates();
            assert!(crates["cargo_budget"] > 1000 && crates["core"] > 1000, "{crates:?}");
        }
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for bytes in [&b"\x7fELF\x02\x01"[..], b"\0asm\x01\0\0\0\x0a\xff\xff", b"\0asm"] {
            std::fs::write(file.path(), bytes).unwrap();
            assert!(FileContents::read(file.path()).unwrap_err().text.contains("damaged"));
        }
        std::fs::write(file.path(), "text").unwrap();
        assert_eq!(FileContents::read(file.path()).unwrap(), None);
    }
}
