//! The comparison of two programs as they are loaded into memory: every loaded section, byte for byte.
//!
//! One difference is tolerated: the line and the column in a `core::panic::Location`, which change when somebody adds a
//! comment above. Bytes count as such a location only where the loader writes the address of a source file's name into
//! them, and where both sources have the same text at the line and column that each location names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use object::elf::SHF_ALLOC;
use object::read::{File, Object, ObjectSection, SectionFlags};

use super::mentions::is_source;

/// The section with an identifier of the build, which always differs.
const BUILD_ID: &str = ".note.gnu.build-id";
/// The section of constants that contain addresses.
const RELOCATED: &str = ".data.rel.ro";
/// The relocation types that make the loader write an address, on x86-64, AArch64 and RISC-V.
const RELATIVE: [u32; 3] = [8, 1027, 3];
/// The length of a location in bytes: the address and the length of the file's name, the line, the column.
const LOCATION: usize = 24;

/// A section that is loaded into memory.
struct Loaded<'d> {
    address: u64,
    size: u64,
    flags: u64,
    /// The content; empty where the file has no bytes for the section.
    bytes: &'d [u8],
}

/// A directory in which the compiler was started, in the base and in this revision. The compiler names sources by their
/// paths from there. It starts in the workspace for its members, and in the package's own directory for other packages.
pub(super) type Start = [PathBuf; 2];

/// Returns how two programs, the base's and this revision's, differ; `None` where they are the same.
pub(super) fn difference(base: &[u8], head: &[u8], starts: &[Start]) -> Option<String> {
    let read = |file| File::parse(file).map_err(|e| e.to_string());
    let (first, second) = match (read(base), read(head)) {
        (Ok(first), Ok(second)) => (first, second),
        (Err(why), _) | (_, Err(why)) => {
            // Files of other formats are compared as a whole.
            return (base != head)
                .then(|| format!("only ELF files are compared by their sections: {why}"));
        }
    };
    if (first.entry(), first.architecture(), first.is_64(), first.is_little_endian())
        != (second.entry(), second.architecture(), second.is_64(), second.is_little_endian())
    {
        return Some(
            "they start at different addresses, or are for different processors".to_owned(),
        );
    }
    let (first, second) = match (loaded(&first), loaded(&second)) {
        (Ok(first), Ok(second)) => (first, second),
        (Err(why), _) | (_, Err(why)) => return Some(format!("a section cannot be read: {why}")),
    };
    if !first.keys().eq(second.keys()) {
        return Some("they have different sections".to_owned());
    }
    let is_plain = base.get(4..6) == Some(&[2, 1]);
    for (name, old) in &first {
        let new = &second[name];
        let place = |section: &Loaded<'_>| (section.address, section.size, section.flags);
        if place(old) != place(new) {
            return Some(format!("the section {name} has another address, size or type"));
        }
        if old.bytes == new.bytes || name == BUILD_ID {
            continue;
        }
        let is_tolerated = is_plain
            && name == RELOCATED
            && Locations::read(&first, &second)
                .is_some_and(|locations| locations.explain(old, new, starts));
        if !is_tolerated {
            return Some(format!("the section {name} differs"));
        }
    }
    None
}

/// Returns the sections that are loaded, by name.
fn loaded<'d>(file: &File<'d>) -> Result<BTreeMap<String, Loaded<'d>>, String> {
    let mut found = BTreeMap::new();
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else { continue };
        if !sh_flags.contains(SHF_ALLOC) {
            continue;
        }
        let name = section.name().map_err(|e| e.to_string())?.to_owned();
        let bytes = section.data().map_err(|e| e.to_string())?;
        let one =
            Loaded { address: section.address(), size: section.size(), flags: sh_flags.0, bytes };
        if found.insert(name.clone(), one).is_some() {
            return Err(format!("there are two sections {name}"));
        }
    }
    Ok(found)
}

/// The addresses that the loader writes into a program, by which locations are recognised.
struct Locations<'a> {
    /// Each address that is written, by the address that it is written to.
    addresses: BTreeMap<u64, u64>,
    /// The sections that these addresses lead to.
    sections: &'a BTreeMap<String, Loaded<'a>>,
}

impl<'a> Locations<'a> {
    /// Reads the relocations; `None` where those of the two programs differ.
    fn read(
        base: &'a BTreeMap<String, Loaded<'a>>,
        head: &BTreeMap<String, Loaded<'_>>,
    ) -> Option<Locations<'a>> {
        let table = base.get(".rela.dyn")?;
        if table.bytes != head.get(".rela.dyn")?.bytes {
            return None;
        }
        let mut addresses = BTreeMap::new();
        for entry in table.bytes.chunks_exact(24) {
            let (kind, address) = (word(entry, 8)?, long(entry, 16)?);
            if RELATIVE.contains(&kind) {
                addresses.insert(long(entry, 0)?, address);
            }
        }
        Some(Locations { addresses, sections: base })
    }

    /// Whether each difference between two sections is the line or the column of a location in a source that moved.
    fn explain(&self, old: &Loaded<'_>, new: &Loaded<'_>, starts: &[Start]) -> bool {
        let differs = |at: &usize| old.bytes[*at] != new.bytes[*at];
        let mut at = 0;
        while let Some(next) = (at..old.bytes.len()).find(differs) {
            // The line and the column are the last eight bytes of a location, and start at a multiple of eight.
            let Some(start) = (next & !7).checked_sub(16) else { return false };
            if !self.name_same_text(start, old, new, starts).unwrap_or(false) {
                return false;
            }
            at = start + LOCATION;
        }
        true
    }

    /// Whether both sections have a location at `start`, and both locations name the same text of the source.
    fn name_same_text(
        &self,
        start: usize,
        old: &Loaded<'_>,
        new: &Loaded<'_>,
        starts: &[Start],
    ) -> Option<bool> {
        let name = *self.addresses.get(&(old.address + start as u64))?;
        let length = long(old.bytes, start + 8)?;
        if new.bytes.get(start..start + 16)? != old.bytes.get(start..start + 16)? {
            return None;
        }
        let holder = self.sections.values().find(|section| {
            (section.address..section.address + section.bytes.len() as u64).contains(&name)
        })?;
        let from = usize::try_from(name - holder.address).ok()?;
        let name = holder.bytes.get(from..from.checked_add(usize::try_from(length).ok()?)?)?;
        let name = std::str::from_utf8(name).ok().filter(|name| is_source(name))?;
        let place = |bytes: &[u8]| Some((word(bytes, start + 16)?, word(bytes, start + 20)?));
        let (then, now) = (place(old.bytes)?, place(new.bytes)?);
        let is_same = |[base, head]: &Start| {
            let then = text_in_file(&base.join(name), then).filter(|text| !text.is_empty());
            then.is_some() && then == text_in_file(&head.join(name), now)
        };
        Some(starts.iter().any(is_same))
    }
}

/// Returns the text of a source file from a line and a column, both counted from 1, to the end of that line.
fn text_in_file(path: &Path, place: (u32, u32)) -> Option<String> {
    text_at(&std::fs::read_to_string(path).ok()?, place)
}

/// Returns the part of a source's text from a line and a column, both counted from 1, to the end of that line.
pub(super) fn text_at(source: &str, (line, column): (u32, u32)) -> Option<String> {
    let line = source.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    // The compiler counts characters.
    Some(line.chars().skip(usize::try_from(column).ok()?.checked_sub(1)?).collect())
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "src/lib.rs";

    /// Returns the bytes of a location whose file name has this length.
    fn section(length: u64, (line, column): (u32, u32)) -> Vec<u8> {
        let numbers = [line.to_le_bytes(), column.to_le_bytes()].concat();
        [&[0; 8][..], &length.to_le_bytes(), &numbers].concat()
    }

    /// Whether the difference between two sections is tolerated. The loader writes the address of `name` into them if
    /// `relocated`; `texts` are the base's source and this revision's.
    fn tolerated(old: &[u8], new: &[u8], name: &str, relocated: bool, texts: [&str; 2]) -> bool {
        let place = tempfile::tempdir().unwrap();
        let [base, head] = ["base", "head"].map(|side| place.path().join(side));
        for (tree, text) in [&base, &head].into_iter().zip(texts) {
            std::fs::create_dir_all(tree.join("src")).unwrap();
            std::fs::write(tree.join(NAME), text).unwrap();
        }
        let entry =
            [0x2000_u64.to_le_bytes(), 8_u64.to_le_bytes(), 0x1000_u64.to_le_bytes()].concat();
        let rela: &[u8] = if relocated { &entry } else { &[] };
        let loaded = |address, bytes| Loaded { address, size: 0, flags: 0, bytes };
        let sections: BTreeMap<String, Loaded<'_>> = [
            (".rela.dyn".to_owned(), loaded(0x500, rela)),
            (".rodata".to_owned(), loaded(0x1000, name.as_bytes())),
        ]
        .into();
        let locations = Locations::read(&sections, &sections).unwrap();
        // In the first of the directories there is no such source.
        let starts = [["/none".into(), head.clone()], [base, head]];
        locations.explain(&loaded(0x2000, old), &loaded(0x2000, new), &starts)
    }

    #[test]
    fn only_a_location_in_a_source_that_moved_is_tolerated() {
        let length = NAME.len() as u64;
        let [old, new] = [(1, 3), (3, 3)].map(|place| section(length, place));
        let texts = ["  x[i]\n", "//\n//\n  x[i]\n"];
        assert!(tolerated(&old, &new, NAME, true, texts));
        // Two numbers beside a name may belong to a table. Then the sources have no such place, or different texts there.
        assert!(!tolerated(&old, &new, NAME, true, ["  x[i]\n", "//\n//\n  y[i]\n"]));
        assert!(!tolerated(&old, &section(length, (900, 3)), NAME, true, texts));
        assert!(!tolerated(&old, &section(length, (3, 1)), NAME, true, texts));
        // The address before the numbers is not that of a source's name.
        assert!(!tolerated(&old, &new, NAME, false, texts));
        assert!(!tolerated(&old, &new, "src/lib.txt", true, texts));
        // The length of the name differs.
        assert!(!tolerated(&old, &section(length - 1, (3, 3)), NAME, true, texts));
        assert!(!tolerated(&old[8..], &new[8..], NAME, true, texts));
    }

    #[test]
    fn other_formats_are_compared_as_whole_files() {
        assert_eq!(difference(b"MZ one", b"MZ one", &[]), None);
        assert!(difference(b"MZ one", b"MZ two", &[]).unwrap().contains("only ELF files"));
        // A program is equal to itself.
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(difference(&own, &own, &[]), None);
    }
}
