//! ELF files of 64 bits, little-endian: section headers, and the symbols of functions.

use super::{Inside, Sizes, demangled, part};

const SHT_SYMTAB: u32 = 2;
const SHT_NOBITS: u32 = 8;
const STT_FUNC: u8 = 2;
const SECTION: u64 = 64;
const SYMBOL: usize = 24;

struct Section {
    name: u32,
    kind: u32,
    offset: u64,
    size: u64,
    link: u32,
}

/// `None` where the file is not what it claims to be.
pub(super) fn read(file: &[u8]) -> Option<Inside> {
    if file.get(4..6)? != [2, 1] {
        return None;
    }
    let (at, count, names) = (long(file, 40)?, half(file, 60)?, half(file, 62)?);
    let table = part(file, at, u64::from(count) * SECTION)?;
    let sections: Vec<Section> =
        table.chunks_exact(SECTION as usize).map(section).collect::<Option<_>>()?;
    let content = |section: &Section| match section.kind {
        SHT_NOBITS => Some(&[][..]),
        _ => part(file, section.offset, section.size),
    };
    let strings = sections.get(usize::from(names)).map(content)?;
    let mut inside = Inside { kind: "ELF", ..Inside::default() };
    for section in sections.iter().skip(1) {
        let bytes = content(section)?.len() as u64;
        let name = text(strings?, section.name)?;
        *inside.sections.entry(name.to_owned()).or_default() += bytes;
    }
    for symbols in sections.iter().filter(|section| section.kind == SHT_SYMTAB) {
        let strings = sections.get(symbols.link as usize).map(content)??;
        functions(content(symbols)?, strings, &mut inside.functions)?;
    }
    Some(inside)
}

fn functions(symbols: &[u8], strings: &[u8], sizes: &mut Sizes) -> Option<()> {
    let mut seen = std::collections::HashSet::new();
    for symbol in symbols.chunks_exact(SYMBOL) {
        let (value, size) = (long(symbol, 8)?, long(symbol, 16)?);
        // Functions that were found to be the same have one place and several names.
        if symbol[4] & 0xf == STT_FUNC && size > 0 && seen.insert(value) {
            let name = text(strings, word(symbol, 0)?)?;
            *sizes.entry(demangled(name)).or_default() += size;
        }
    }
    Some(())
}

fn section(header: &[u8]) -> Option<Section> {
    Some(Section {
        name: word(header, 0)?,
        kind: word(header, 4)?,
        offset: long(header, 24)?,
        size: long(header, 32)?,
        link: word(header, 40)?,
    })
}

/// The text that begins there, up to its end mark.
fn text(strings: &[u8], at: u32) -> Option<&str> {
    let rest = strings.get(at as usize..)?;
    std::str::from_utf8(rest.split(|&byte| byte == 0).next()?).ok()
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
