//! The size of an ELF file without symbols and debug information: what `strip` leaves.
//!
//! Nothing is stripped. Headers say what every part takes, and the parts that would stay are laid out
//! as GNU strip does it: what is loaded keeps its place; other sections follow without gaps; then the
//! names of the sections, each stored once and inside a longer one where that ends in it; then the
//! section headers. Only headers and names are read, however large the file.

use std::fs::File;
use std::io::{Read, Seek};

use object::elf;
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::read::{ReadCache, ReadRef};
use object::{Endianness, elf::FileHeader32, elf::FileHeader64};

use super::files::Found;
use crate::meter::Unmeasured;

/// More sections than any program has; a file that claims more is not believed.
const MOST_SECTIONS: u32 = 1 << 16;

/// The bytes that `strip` would leave of `file`.
pub(super) fn stripped(file: &Found) -> Result<u64, Unmeasured> {
    let source = File::open(&file.path).map_err(|e| file.failed("open", &e))?;
    measure(source).map_err(|why| file.unsuitable("strip", &why))
}

fn measure(mut source: impl Read + Seek) -> Result<u64, String> {
    let mut ident = [0; 5];
    let read = source.read_exact(&mut ident);
    if read.is_err() || ident[..4] != elf::ELFMAG {
        return Err("it is not an ELF file; `stripped` knows no other format".to_owned());
    }
    let data = ReadCache::new(source);
    let size = match elf::FileClass(ident[4]) {
        elf::ELFCLASS32 => layout::<FileHeader32<Endianness>, _>(&data),
        _ => layout::<FileHeader64<Endianness>, _>(&data),
    };
    size.map_err(|why| format!("it is a damaged ELF file, or none that can be stripped: {why}"))
}

fn layout<'data, Elf, R>(data: R) -> Result<u64, String>
where
    Elf: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let said = |e: object::read::Error| e.to_string();
    let header = Elf::parse(data).map_err(said)?;
    let endian = header.endian().map_err(said)?;
    if !matches!(header.e_type(endian), elf::ET_EXEC | elf::ET_DYN) {
        return Err("it is neither a program nor a shared library".to_owned());
    }
    let parts = [header.shnum(endian, data), header.phnum(endian, data)];
    for count in parts {
        if count.map_err(said)? > MOST_SECTIONS {
            return Err("it claims more sections than any program has".to_owned());
        }
    }
    let sections = header.sections(endian, data).map_err(said)?;
    let file = data.len().map_err(|()| "its length cannot be read".to_owned())?;
    let within = |offset: u64, size: u64| match offset.checked_add(size) {
        Some(end) if end <= file => Ok(end),
        _ => Err("a part of it lies beyond its end".to_owned()),
    };

    let segments = header.program_headers(endian, data).map_err(said)?;
    let headers = size_of::<Elf>() as u64;
    let mut end = headers;
    if !segments.is_empty() {
        let table = size_of_val(segments) as u64;
        end = end.max(within(header.e_phoff(endian).into(), table)?);
    }
    for segment in segments.iter().filter(|s| s.p_type(endian) == elf::PT_LOAD) {
        end = end.max(within(segment.p_offset(endian).into(), segment.p_filesz(endian).into())?);
    }
    let mut names: Vec<&[u8]> = vec![b".shstrtab"];
    let mut loose = vec![];
    for section in sections.iter().filter(|s| s.sh_type(endian) != elf::SHT_NULL) {
        let name = sections.section_name(endian, section).map_err(said)?;
        let (offset, size) = section.file_range(endian).unwrap_or_default();
        let section_end = within(offset, size)?;
        let loaded = section.sh_flags(endian).0 & elf::SHF_ALLOC.0 != 0;
        if loaded {
            end = end.max(section_end);
        } else if goes(section.sh_type(endian), name) {
            continue;
        } else {
            loose.push((section.sh_addralign(endian).into(), size));
        }
        names.push(name);
    }
    for (align, size) in loose {
        end = aligned(end, align)? + size;
    }
    let entries = names.len() as u64 + 1; // and the empty one at the start
    let word = if size_of::<Elf::Word>() == 8 { 8 } else { 4 };
    end = aligned(end + string_table(names), word)?;
    Ok(end + entries * size_of::<Elf::SectionHeader>() as u64)
}

/// Whether `strip` removes a section that is not loaded: symbols, their names, relocations (which
/// refer to symbols) and whatever debuggers read.
fn goes(kind: elf::SectionType, name: &[u8]) -> bool {
    const DEBUGGING: [&[u8]; 6] =
        [b".debug", b".zdebug", b".gnu.debuglto_.debug_", b".gnu.linkonce.wi.", b".line", b".stab"];
    let symbols = matches!(
        kind,
        elf::SHT_SYMTAB | elf::SHT_STRTAB | elf::SHT_REL | elf::SHT_RELA | elf::SHT_SYMTAB_SHNDX
    );
    symbols || name == b".gdb_index" || DEBUGGING.iter().any(|start| name.starts_with(start))
}

fn aligned(offset: u64, to: u64) -> Result<u64, String> {
    offset
        .checked_next_multiple_of(to.max(1))
        .filter(|&aligned| aligned - offset < 1 << 20)
        .ok_or_else(|| "an alignment in it is absurd".to_owned())
}

/// The bytes of a table of these names, each with its end mark, none that is the end of another one.
fn string_table(mut names: Vec<&[u8]>) -> u64 {
    names.sort_by(|a, b| a.iter().rev().cmp(b.iter().rev()));
    // Read from their ends, a name stands right before those that end in it.
    let followers = names.iter().skip(1).map(Some).chain([None]);
    let stored = names
        .iter()
        .zip(followers)
        .filter(|(name, next)| !name.is_empty() && !next.is_some_and(|next| next.ends_with(name)));
    1 + stored.map(|(name, _)| name.len() as u64 + 1).sum::<u64>()
}

#[cfg(test)]
#[path = "elf_tests.rs"]
mod tests;
