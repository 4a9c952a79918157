//! The place of each function relative to the cache lines and fetch windows of the processor.
//!
//! The compiler puts each function into a section of its own and asks for an alignment of 16 bytes. How fast a loop
//! runs depends on where it begins within a cache line, and an order of the functions alone would leave that to chance.
//! So a copy of an object file has each function at an offset from a multiple of 64 bytes, which depends on the function's
//! machine code and on the seed of the link. A function that both revisions have is at the same offset in both links of a
//! pair, so that its effect cancels. A function that differs is at an offset that is drawn anew for each link, so that the
//! pairs show all its places and no single place decides. Nothing is compiled again.

use std::mem::{offset_of, size_of};
use std::path::Path;

use object::SectionIndex;
use object::elf::{
    FileHeader64, Rela64, SHF_ALLOC, SHF_EXECINSTR, SHT_CREL, SHT_PROGBITS, SHT_REL, SHT_SYMTAB,
    STT_SECTION, SectionHeader64, Sym64,
};
use object::endian::{Endian as _, Endianness};
use object::read::elf::{FileHeader as _, SectionHeader as _, SectionTable, Sym as _};

use perf_budget_core::fnv;

use super::archive;

/// The size in bytes of a cache line; no processor fetches more code at once.
const BOUNDARY: u64 = 64;
/// The shortest step in bytes between two offsets. It is the alignment that compilers ask for.
const STEP: u64 = 16;

type Header = FileHeader64<Endianness>;
type Section = SectionHeader64<Endianness>;
type Symbol = Sym64<Endianness>;
type Relocation = Rela64<Endianness>;

/// Copies an object file or a library of object files with its functions at the offsets of a draw, or at multiples of 64
/// bytes where there is none. Returns the number of functions; `None` for a library that only names its members, of which
/// no copy is made.
pub(super) fn copy(from: &Path, to: &Path, draw: Option<u64>) -> Result<Option<usize>, String> {
    let failed = |what: &str, path: &Path, error: &dyn std::fmt::Display| {
        format!("failed to {what} `{}`: {error}", path.display())
    };
    let file = std::fs::read(from).map_err(|e| failed("read", from, &e))?;
    if file.starts_with(&object::archive::THIN_MAGIC) {
        return Ok(None);
    }
    let mut functions = 0;
    let mut place = |object: &[u8]| {
        let (count, placed) = placed(object, draw).map_err(|e| e.to_string())?;
        functions += count;
        Ok(placed)
    };
    let copied = if file.starts_with(&object::archive::MAGIC) {
        archive::rewritten(&file, &mut place)
    } else {
        place(&file)
    };
    let copied = copied.map_err(|e| failed("read the sections of", from, &e))?;
    std::fs::write(to, copied).map_err(|e| failed("write", to, &e))?;
    Ok(Some(functions))
}

/// Returns the number of functions of an object file, and the file with each of them at its offset. What is no object
/// file, such as the compiler's own data or bitcode, has none and stays as it is.
fn placed(file: &[u8], draw: Option<u64>) -> Result<(usize, Vec<u8>), object::read::Error> {
    // The fields of an object file are read where they are, and a member of a library may begin anywhere.
    let mut file = file.to_vec();
    if !file.starts_with(&object::elf::ELFMAG) {
        return Ok((0, file));
    }
    let header = Header::parse(&*file)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, &*file)?;
    let draw = draw.filter(|_| may_move(endian, &sections));
    let mut offsets = vec![None; sections.len()];
    for (section, offset) in sections.iter().zip(&mut offsets) {
        // The linker joins the pieces of `.init` into one function. A gap between them would be executed.
        let is_text = sections.section_name(endian, section)?.starts_with(b".text");
        if is_text
            && section.sh_type(endian) == SHT_PROGBITS
            && section.sh_flags(endian).contains(SHF_EXECINSTR)
        {
            let alignment = section.sh_addralign(endian);
            let code = section.data(endian, &*file)?;
            *offset = Some(draw.map_or(0, |draw| offset_of_function(code, alignment, draw)));
        }
    }
    let functions = offsets.iter().flatten().count();
    let mut edits = Vec::new();
    if offsets.iter().flatten().any(|&offset| offset > 0) {
        edits = moves(header, endian, &sections, &file, &offsets)?;
    }
    let table = header.e_shoff.get(endian) as usize;
    let mut added = Vec::new();
    for (nth, (section, offset)) in sections.iter().zip(&offsets).enumerate() {
        let Some(offset) = *offset else { continue };
        let at = table + nth * size_of::<Section>();
        let alignment = section.sh_addralign(endian).max(BOUNDARY);
        edits.push((at + offset_of!(Section, sh_addralign), alignment));
        if offset > 0 {
            let code = section.data(endian, &*file)?;
            let end = (file.len() + added.len()) as u64;
            edits.push((at + offset_of!(Section, sh_offset), end));
            edits.push((at + offset_of!(Section, sh_size), code.len() as u64 + offset));
            added.resize(added.len() + offset as usize, 0);
            added.extend(code);
        }
    }
    for (at, value) in edits {
        if let Some(field) = file.get_mut(at..at + 8) {
            field.copy_from_slice(&endian.write_u64(value));
        }
    }
    file.extend(added);
    Ok((functions, file))
}

/// Whether the functions of a file may be moved within their sections. They may not if the code contains the addends of its
/// relocations, which are encoded differently for each processor, or if there is no table of symbols.
fn may_move(endian: Endianness, sections: &SectionTable<'_, Header>) -> bool {
    let is_loaded = |section: &Section| {
        let target = SectionIndex(section.sh_info(endian) as usize);
        let flags = sections.section(target).map(|target| target.sh_flags(endian));
        flags.map_or(true, |flags| flags.contains(SHF_ALLOC))
    };
    let mut has_symbols = false;
    for section in sections.iter() {
        match section.sh_type(endian) {
            SHT_SYMTAB => has_symbols = true,
            SHT_CREL => return false,
            SHT_REL if is_loaded(section) => return false,
            _ => {}
        }
    }
    has_symbols
}

/// Returns the offset of a function from a multiple of 64 bytes: one of those that its alignment allows.
fn offset_of_function(code: &[u8], alignment: u64, draw: u64) -> u64 {
    let step = alignment.max(STEP);
    let hash = fnv::hash([draw, fnv::hash(code)].map(u64::to_le_bytes).as_flattened());
    // The lowest bits of this hash depend on the lowest bits of the bytes alone.
    (hash >> 32) % (BOUNDARY / step).max(1) * step
}

/// Returns the numbers of a file that change when functions move by these offsets within their sections, each with its place
/// in the file. They are the values of symbols, the places of relocations within functions, and the addends of relocations
/// that refer to a function by its section.
fn moves(
    header: &Header,
    endian: Endianness,
    sections: &SectionTable<'_, Header>,
    file: &[u8],
    offsets: &[Option<u64>],
) -> Result<Vec<(usize, u64)>, object::read::Error> {
    let offset_in = |section: usize| offsets.get(section).copied().flatten().unwrap_or(0);
    let mut edits = Vec::new();
    let symbols = sections.symbols(endian, file, SHT_SYMTAB)?;
    let start = sections.section(symbols.section())?.sh_offset(endian) as usize;
    // For each symbol that stands for a section: the offset by which the code of that section moves.
    let mut moved = vec![0; symbols.len()];
    for (index, symbol) in symbols.enumerate() {
        let section = symbols.symbol_section(endian, symbol, index)?;
        let offset = section.map_or(0, |section| offset_in(section.0));
        if symbol.st_type() == STT_SECTION {
            moved[index.0] = offset;
        } else if offset > 0 {
            let at = start + index.0 * size_of::<Symbol>() + offset_of!(Symbol, st_value);
            edits.push((at, symbol.st_value(endian) + offset));
        }
    }
    let is_mips64el = header.is_mips64el(endian);
    for section in sections.iter() {
        let Some((relocations, _)) = section.rela(endian, file)? else { continue };
        let start = section.sh_offset(endian) as usize;
        let offset = offset_in(section.sh_info(endian) as usize);
        for (nth, relocation) in relocations.iter().enumerate() {
            let at = start + nth * size_of::<Relocation>();
            if offset > 0 {
                let place = relocation.r_offset.get(endian) + offset;
                edits.push((at + offset_of!(Relocation, r_offset), place));
            }
            let symbol = relocation.r_sym(endian, is_mips64el) as usize;
            let moved = moved.get(symbol).copied().unwrap_or(0);
            if moved > 0 {
                let addend = relocation.r_addend.get(endian).wrapping_add_unsigned(moved);
                edits.push((at + offset_of!(Relocation, r_addend), addend.cast_unsigned()));
            }
        }
    }
    Ok(edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_offset_is_drawn_equally_often() {
        let check = |alignment: u64, want: &[u64]| {
            let mut counts = [0_u32; BOUNDARY as usize];
            for draw in 0..4000 {
                counts[offset_of_function(b"code", alignment, draw) as usize] += 1;
            }
            for offset in 0..BOUNDARY {
                let count = counts[offset as usize];
                let share = f64::from(count) * want.len() as f64 / 4000.0;
                let is_wanted = want.contains(&offset);
                assert!(
                    if is_wanted { (0.85..1.15).contains(&share) } else { count == 0 },
                    "{offset}: {count}"
                );
            }
        };
        check(1, &[0, 16, 32, 48]);
        check(16, &[0, 16, 32, 48]);
        check(32, &[0, 32]);
        check(64, &[0]);
        check(4096, &[0]);
    }

    #[test]
    fn the_same_code_has_the_same_offset_on_both_sides() {
        // A saved base has links that another command made, so these must never change.
        let offsets =
            |code: &[u8]| [1, 2, 3, 4, 5, 6].map(|draw| offset_of_function(code, 16, draw));
        assert_eq!(offsets(b"code"), [32, 32, 32, 48, 32, 16]);
        assert_eq!(offsets(b"other code"), [32, 16, 32, 32, 16, 0]);
    }
}
