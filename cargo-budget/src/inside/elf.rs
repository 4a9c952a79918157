//! The reader of ELF files: their sections, and the symbols of functions.

use std::collections::HashSet;

use object::elf::STT_FUNC;
use object::read::{Error, File, Object, ObjectSection, ObjectSymbol, SymbolFlags};

use super::contents::{FileContents, demangled};

/// Reads a file. An error says where the file is damaged.
pub(super) fn read(file: &[u8]) -> Result<FileContents, Error> {
    let file = File::parse(file)?;
    let mut inside = FileContents { kind: "ELF", ..FileContents::default() };
    for section in file.sections() {
        // A section without bytes in the file, such as `.bss`, has no data.
        let bytes = section.data()?.len() as u64;
        let name = String::from_utf8_lossy(section.name_bytes()?).into_owned();
        *inside.sections.entry(name).or_default() += bytes;
    }
    let mut seen = HashSet::new();
    for symbol in file.symbols() {
        let SymbolFlags::Elf { st_info, .. } = symbol.flags() else { continue };
        let (address, size) = (symbol.address(), symbol.size());
        // The linker merges equal functions, which then have one address and several names. Each address counts once.
        if st_info.st_type() == STT_FUNC && size > 0 && seen.insert(address) {
            let name = String::from_utf8_lossy(symbol.name_bytes()?);
            *inside.functions.entry(demangled(&name)).or_default() += size;
        }
    }
    Ok(inside)
}
