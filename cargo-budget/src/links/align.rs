//! The alignment of functions to multiples of 64 bytes, so that a link moves no loop relative to the cache lines and
//! fetch windows of the processor.
//!
//! The compiler puts each function into a section of its own and asks for an alignment of 16 bytes. That number is a
//! field in the section's header, so it is raised in a copy of the object file, and nothing is compiled again.

use std::ops::Range;
use std::path::Path;

use object::elf::{FileHeader64, SHF_EXECINSTR, SectionHeader64};
use object::endian::Endianness;
use object::pod;
use object::read::archive::ArchiveFile;
use object::read::elf::{FileHeader as _, SectionHeader as _};

/// The alignment in bytes: one cache line, and no processor fetches more code at once.
pub(crate) const BOUNDARY: u64 = 64;

/// Copies an object file or a library of object files with its functions aligned, and returns the number of functions.
pub(super) fn copy(from: &Path, to: &Path) -> Result<usize, String> {
    let failed = |what: &str, path: &Path, error: &dyn std::fmt::Display| {
        format!("failed to {what} `{}`: {error}", path.display())
    };
    let mut file = std::fs::read(from).map_err(|e| failed("read", from, &e))?;
    let functions = raise(&mut file).map_err(|e| failed("read the sections of", from, &e))?;
    std::fs::write(to, file).map_err(|e| failed("write", to, &e))?;
    Ok(functions)
}

fn raise(file: &mut [u8]) -> Result<usize, object::read::Error> {
    if !file.starts_with(&object::archive::MAGIC) {
        return raise_object(file);
    }
    let mut functions = 0;
    for member in members(file)? {
        if let Some(object) = file.get_mut(member) {
            functions += raise_object(object)?;
        }
    }
    Ok(functions)
}

/// Returns the byte ranges of an archive's members.
fn members(archive: &[u8]) -> Result<Vec<Range<usize>>, object::read::Error> {
    let mut ranges = Vec::new();
    for member in ArchiveFile::parse(archive)?.members() {
        let member = member?;
        let (begin, size) = member.file_range();
        if !member.is_thin() {
            ranges.push(begin as usize..(begin + size) as usize);
        }
    }
    Ok(ranges)
}

/// Aligns the functions of one member and returns how many there are. A member that is not an object file, such as the
/// compiler's own data or bitcode, has none.
fn raise_object(object: &mut [u8]) -> Result<usize, object::read::Error> {
    if !object.starts_with(&object::elf::ELFMAG) {
        return Ok(0);
    }
    let header = FileHeader64::<Endianness>::parse(&*object)?;
    let endian = header.endian()?;
    let offset = header.e_shoff.get(endian) as usize;
    let sections = header.sections(endian, &*object)?;
    let mut is_code = Vec::with_capacity(sections.len());
    for section in sections.iter() {
        // The linker joins the pieces of `.init` into one function. A gap between them would be executed.
        let is_text = sections.section_name(endian, section)?.starts_with(b".text");
        is_code.push(is_text && section.sh_flags(endian).contains(SHF_EXECINSTR));
    }
    let headers = object.get_mut(offset..).unwrap_or_default();
    let Ok((headers, _)) =
        pod::slice_from_bytes_mut::<SectionHeader64<Endianness>>(headers, is_code.len())
    else {
        return Ok(0);
    };
    let mut functions = 0;
    for (header, _) in headers.iter_mut().zip(is_code).filter(|(_, is_code)| *is_code) {
        functions += 1;
        if header.sh_addralign.get(endian) < BOUNDARY {
            header.sh_addralign.set(endian, BOUNDARY);
        }
    }
    Ok(functions)
}
