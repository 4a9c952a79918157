//! The size that `strip` would leave of an ELF file: its size without symbols and debug information.
//!
//! The file is not really stripped. Its headers say how long every part is, and the parts that would stay are laid
//! out as GNU strip does it. What is loaded keeps its place. Other sections follow without gaps. Then come the names
//! of the sections. Each name is stored once, or is the end of a longer name. The section headers are last. Only headers
//! and names are read, however large the file is.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use perf_budget_core::outcome::Unmeasured;

use super::files::FileEntry;
use super::sections::Sections;

/// The most sections of a file. No program has more, so a file that claims more is damaged.
const MOST_SECTIONS: u64 = 1 << 16;

/// The most bytes of all names of sections together.
const MOST_NAMES: u64 = 1 << 26;

// These constants have the names that the System V gABI gives them.
const ET_EXEC: u64 = 2;
const ET_DYN: u64 = 3;
const PT_LOAD: u64 = 1;
const PN_XNUM: u64 = 0xffff;
const SHN_XINDEX: u64 = 0xffff;
const SHT_NULL: u64 = 0;
const SHT_SYMTAB: u64 = 2;
const SHT_STRTAB: u64 = 3;
const SHT_RELA: u64 = 4;
const SHT_NOBITS: u64 = 8;
const SHT_REL: u64 = 9;
const SHT_SYMTAB_SHNDX: u64 = 18;
const SHF_ALLOC: u64 = 2;

/// The size of a file without what only people and debuggers read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stripped {
    /// The size that `strip` would leave.
    pub(super) kept: u64,
    /// The bytes after all parts that the headers know, such as an archive that the program reads. `strip` would drop them,
    /// and the program would not work any more.
    pub(super) appended: u64,
}

/// Returns the size of `file` without symbols and debug information.
pub(super) fn stripped(file: &FileEntry) -> Result<Stripped, Unmeasured> {
    let source = File::open(&file.path).map_err(|e| file.failed("open", &e))?;
    measure(source).map_err(|why| file.unsuitable("strip", &why))
}

fn measure(source: impl Read + Seek) -> Result<Stripped, String> {
    let none = || "it is not an ELF file; `stripped` knows no other format".to_owned();
    let size = with_reader(source, &mut layout).ok_or_else(none)?;
    size.map_err(|why| format!("it is a damaged ELF file, or none that can be stripped: {why}"))
}

/// Returns the sections of a file in their order, each with its name and its content. `None` if it is not an ELF file.
pub(super) fn sections(source: impl Read + Seek) -> Option<Result<Sections, String>> {
    with_reader(source, &mut |form, _, read| {
        let headers = Headers::read(form, read)?;
        let mut found = Vec::new();
        for (section, name) in headers.named()? {
            let bytes = match section.kind {
                SHT_NOBITS => Vec::new(),
                _ => read(section.offset, section.size)?,
            };
            found.push((String::from_utf8_lossy(name).into_owned(), bytes));
        }
        Ok(found)
    })
}

/// A function that reads bytes from a file, given an offset and a length.
type Bytes<'r> = &'r mut dyn FnMut(u64, u64) -> Result<Vec<u8>, String>;

/// Calls `look` with the form and the length of a file, and a function that reads from it. `None` if it is not an ELF
/// file.
fn with_reader<T>(
    mut source: impl Read + Seek,
    look: &mut dyn FnMut(Form, u64, Bytes<'_>) -> Result<T, String>,
) -> Option<Result<T, String>> {
    let mut ident = [0; 7];
    let read = source.read_exact(&mut ident);
    if read.is_err() || ident[..4] != *b"\x7fELF" {
        return None;
    }
    let mut found = || {
        let length = source.seek(SeekFrom::End(0)).map_err(|e| e.to_string())?;
        let mut read = |offset, size| {
            within(length, offset, size)?;
            let mut bytes = vec![0; size as usize];
            let read =
                source.seek(SeekFrom::Start(offset)).and_then(|_| source.read_exact(&mut bytes));
            read.map(|()| bytes).map_err(|e| e.to_string())
        };
        look(Form::read(ident)?, length, &mut read)
    };
    Some(found())
}

/// Returns the end of a part of a file of `length` bytes. Fails if the part goes beyond the end of the file.
fn within(length: u64, offset: u64, size: u64) -> Result<u64, String> {
    match offset.checked_add(size) {
        Some(end) if end <= length => Ok(end),
        _ => Err("a part of it lies beyond its end".to_owned()),
    }
}

/// The form of an ELF file: whether it has 32 or 64 bits, which decides where its fields are, and its byte order.
#[derive(Clone, Copy)]
struct Form {
    wide: bool,
    big_endian: bool,
}

/// A field of a header: its offset and its length, first in files of 32 bits and then in those of 64.
type Field = [(usize, usize); 2];

impl Form {
    fn read(ident: [u8; 7]) -> Result<Form, String> {
        let [.., class, order, version] = ident;
        match (class, order, version) {
            (1 | 2, 1 | 2, 1) => Ok(Form { wide: class == 2, big_endian: order == 2 }),
            _ => Err("its class, byte order or version is unknown".to_owned()),
        }
    }

    /// Returns the first of these values for files of 32 bits, and the second for those of 64.
    fn pick<T: Copy>(self, forms: [T; 2]) -> T {
        forms[usize::from(self.wide)]
    }

    fn number(self, bytes: &[u8], field: Field) -> u64 {
        let (at, size) = self.pick(field);
        let mut digits = [0; 8];
        if self.big_endian {
            digits[8 - size..].copy_from_slice(&bytes[at..at + size]);
            u64::from_be_bytes(digits)
        } else {
            digits[..size].copy_from_slice(&bytes[at..at + size]);
            u64::from_le_bytes(digits)
        }
    }
}

/// A section header.
struct Section {
    name: u64,
    kind: u64,
    flags: u64,
    offset: u64,
    size: u64,
    link: u64,
    info: u64,
    align: u64,
}

impl Section {
    fn read(form: Form, header: &[u8]) -> Section {
        let number = |field| form.number(header, field);
        Section {
            name: number([(0, 4); 2]),
            kind: number([(4, 4); 2]),
            flags: number([(8, 4), (8, 8)]),
            offset: number([(16, 4), (24, 8)]),
            size: number([(20, 4), (32, 8)]),
            link: number([(24, 4), (40, 4)]),
            info: number([(28, 4), (44, 4)]),
            align: number([(32, 4), (48, 8)]),
        }
    }
}

/// Adds a section that `strip` keeps, so that it leaves `bytes` bytes more. These include the section's header, and a
/// few more may be needed to align it. `content` makes the content of a given length.
///
/// # Errors
/// If the file does not have 64 bits and little-endian order, or has no sections.
pub(super) fn add_section(
    file: &mut Vec<u8>,
    bytes: u64,
    content: fn(u64) -> Vec<u8>,
) -> Result<(), String> {
    const HEADER: usize = 64;
    let unfit =
        || "only ELF files of 64 bits, little-endian and with sections are known".to_owned();
    if file.len() < HEADER || file[..6] != *b"\x7fELF\x02\x01" {
        return Err(unfit());
    }
    let form = Form { wide: true, big_endian: false };
    let at = form.number(file, [(40, 8); 2]) as usize;
    let count = form.number(file, [(60, 2); 2]) as usize;
    let table = at.checked_add(count * HEADER).and_then(|end| file.get(at..end));
    let mut table = table.filter(|table| !table.is_empty()).ok_or_else(unfit)?.to_vec();
    let offset = file.len() as u64;
    let size = bytes.saturating_sub(HEADER as u64).max(1);
    file.extend(content(size));
    let mut header = [0; HEADER];
    // The section has no name. Its kind is SHT_PROGBITS, whose content is up to the program.
    header[4] = 1;
    header[24..32].copy_from_slice(&offset.to_le_bytes());
    header[32..40].copy_from_slice(&size.to_le_bytes());
    header[48] = 1;
    table.extend(header);
    file.resize(file.len().next_multiple_of(8), 0);
    let at = file.len() as u64;
    file.extend(table);
    file[40..48].copy_from_slice(&at.to_le_bytes());
    let count = u16::try_from(count + 1).map_err(|_| unfit())?;
    file[60..62].copy_from_slice(&count.to_le_bytes());
    Ok(())
}

/// The headers of a file.
struct Headers {
    /// The length of the file header.
    file_header: u64,
    /// The offset of the segment headers, their number, and the length of each.
    segments: (u64, u64, u64),
    /// The length of a section header.
    section_size: u64,
    /// Where the headers of the sections end; 0 if there are none.
    sections_end: u64,
    sections: Vec<Section>,
    /// The string table with the names of the sections.
    names: Vec<u8>,
}

impl Headers {
    fn read(form: Form, read: Bytes<'_>) -> Result<Headers, String> {
        let header = read(0, form.pick([52, 64]))?;
        let number = |field| form.number(&header, field);
        if !matches!(number([(16, 2); 2]), ET_EXEC | ET_DYN) {
            return Err("it is neither a program nor a shared library".to_owned());
        }
        let (segments_at, sections_at) = (number([(28, 4), (32, 8)]), number([(32, 4), (40, 8)]));
        let (segment_size, section_size) = (form.pick([32, 56]), form.pick([40, 64]));
        let (mut segments, mut sections) = (number([(44, 2), (56, 2)]), number([(48, 2), (60, 2)]));
        let mut strings = number([(50, 2), (62, 2)]);
        if sections_at == 0 {
            sections = 0;
        } else if sections == 0 || segments == PN_XNUM || strings == SHN_XINDEX {
            // Numbers that are too large for the file header are stored in the header of the first section.
            let first = Section::read(form, &read(sections_at, section_size)?);
            sections = if sections == 0 { first.size } else { sections };
            segments = if segments == PN_XNUM { first.info } else { segments };
            strings = if strings == SHN_XINDEX { first.link } else { strings };
        }
        if segments_at == 0 {
            segments = 0;
        }
        if segments.max(sections) > MOST_SECTIONS {
            return Err("it claims more sections than any program has".to_owned());
        }
        let entries = [
            (segments, number([(42, 2), (54, 2)]), segment_size),
            (sections, number([(46, 2), (58, 2)]), section_size),
        ];
        if entries.iter().any(|&(count, size, right)| count > 0 && size != right) {
            return Err("the size of its headers is wrong".to_owned());
        }

        let table = read(sections_at, sections * section_size)?;
        let sections_end = if sections == 0 { 0 } else { sections_at + sections * section_size };
        let sections: Vec<Section> = table
            .chunks_exact(section_size as usize)
            .map(|header| Section::read(form, header))
            .collect();
        let names = match sections.get(strings as usize) {
            Some(section) if section.size > MOST_NAMES => {
                return Err("it claims longer names than any program has".to_owned());
            }
            Some(section) => read(section.offset, section.size)?,
            None if sections.is_empty() => vec![],
            None => return Err("it has no names of sections".to_owned()),
        };
        Ok(Headers {
            file_header: header.len() as u64,
            segments: (segments_at, segments, segment_size),
            section_size,
            sections_end,
            sections,
            names,
        })
    }

    /// Returns the sections that are in use, each with its name.
    fn named(&self) -> Result<Vec<(&Section, &[u8])>, String> {
        let used = self.sections.iter().filter(|section| section.kind != SHT_NULL);
        used.map(|section| {
            let stored = self.names.get(section.name as usize..);
            let name = stored.and_then(|s| s.split_inclusive(|&b| b == 0).next());
            let name = name.and_then(|name| name.strip_suffix(&[0]));
            Ok((section, name.ok_or("a section's name lies beyond the names")?))
        })
        .collect()
    }
}

/// Returns the length of the file if the parts that `strip` keeps are laid out as it does, and what no part contains.
fn layout(form: Form, length: u64, read: Bytes<'_>) -> Result<Stripped, String> {
    let headers = Headers::read(form, read)?;
    let (segments_at, segments, segment_size) = headers.segments;
    let mut end = headers.file_header;
    let mut known = end.max(headers.sections_end);
    if segments > 0 {
        end = end.max(within(length, segments_at, segments * segment_size)?);
    }
    for segment in read(segments_at, segments * segment_size)?.chunks_exact(segment_size as usize) {
        let number = |field| form.number(segment, field);
        let (offset, size) = (number([(4, 4), (8, 8)]), number([(16, 4), (32, 8)]));
        if number([(0, 4); 2]) == PT_LOAD {
            end = end.max(within(length, offset, size)?);
        }
        known = known.max(offset.saturating_add(size));
    }

    let mut names: Vec<&[u8]> = vec![b".shstrtab"];
    let mut not_loaded = vec![];
    for (section, name) in headers.named()? {
        let is_in_file = section.kind != SHT_NOBITS;
        let (offset, size) = if is_in_file { (section.offset, section.size) } else { (0, 0) };
        let section_end = within(length, offset, size)?;
        known = known.max(section_end);
        if section.flags & SHF_ALLOC != 0 {
            end = end.max(section_end);
        } else if is_stripped(section.kind, name) {
            continue;
        } else {
            not_loaded.push((section.align, size));
        }
        names.push(name);
    }
    known = known.max(end);
    for (align, size) in not_loaded {
        end = aligned(end, align)? + size;
    }
    let entries = names.len() as u64 + 1; // the table begins with an empty header
    end = aligned(end + string_table(names), form.pick([4, 8]))?;
    let kept = end + entries * headers.section_size;
    Ok(Stripped { kept, appended: length.saturating_sub(known) })
}

/// Whether `strip` removes a section that is not loaded. It removes symbols, their names, relocations (which
/// refer to symbols), and everything that only debuggers read.
fn is_stripped(kind: u64, name: &[u8]) -> bool {
    const DEBUGGING: [&[u8]; 6] =
        [b".debug", b".zdebug", b".gnu.debuglto_.debug_", b".gnu.linkonce.wi.", b".line", b".stab"];
    matches!(kind, SHT_SYMTAB | SHT_STRTAB | SHT_REL | SHT_RELA | SHT_SYMTAB_SHNDX)
        || name == b".gdb_index"
        || DEBUGGING.iter().any(|start| name.starts_with(start))
}

fn aligned(offset: u64, to: u64) -> Result<u64, String> {
    offset
        .checked_next_multiple_of(to.max(1))
        .filter(|&aligned| aligned - offset < 1 << 20)
        .ok_or_else(|| "an alignment in it is absurd".to_owned())
}

/// Returns the length of a string table of these names. Each has an end mark, and a name that is the end of another one
/// is not stored itself.
fn string_table(mut names: Vec<&[u8]>) -> u64 {
    names.sort_unstable_by(|a, b| a.iter().rev().cmp(b.iter().rev()));
    // The names are sorted by their reversed text, so that a name comes right before the names that end in it.
    let mut length = 1;
    for (at, name) in names.iter().enumerate() {
        let is_stored = names.get(at + 1).is_none_or(|next| !next.ends_with(name));
        if is_stored && !name.is_empty() {
            length += name.len() as u64 + 1;
        }
    }
    length
}

#[cfg(test)]
#[path = "elf_tests.rs"]
mod tests;
