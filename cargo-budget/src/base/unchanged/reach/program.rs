//! A program as the linker gets it: the sections of all its object files, and what each section refers to.
//!
//! Object files tell more than the linked program. The compiler puts each function and each constant into a section of
//! its own, so it is known where each of them ends. The relocations name what each of them refers to.

use std::collections::HashMap;

use object::elf::{SHF_ALLOC, SHF_EXECINSTR, SHF_MERGE, SHF_STRINGS};
use object::read::archive::ArchiveFile;
use object::read::{
    File, Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget, SectionFlags,
    SymbolKind,
};

/// The prefix of the names of the sections with the tables by which functions are unwound.
const UNWINDING: &str = ".gcc_except_table";
/// The beginnings of the names of sections that hold constants and variables. They are reached only by references.
const DATA: [&str; 7] = [".rodata", ".data", ".bss", ".tdata", ".tbss", ".lrodata", ".ldata"];
/// The beginnings of the names of sections that only the linker or the debugger reads, or whose content follows from the code.
const IGNORED: [&str; 4] = [".eh_frame", ".note", ".llvm", ".group"];

/// The kind of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Machine code.
    Code,
    /// Constants and variables, and the tables for unwinding.
    Data,
    /// Something that is found in another way than by a reference, such as the functions that run before `main`.
    Special,
}

/// One section of an object file.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) size: u64,
    /// The number of bytes that its address is a multiple of.
    pub(super) alignment: u64,
    pub(super) bytes: Vec<u8>,
    /// The length of each of its constants, where the linker may merge and move each of them by itself.
    pub(super) entry: Option<u64>,
    /// The names of the functions in it.
    pub(super) functions: Vec<String>,
    pub(super) references: Vec<Reference>,
    /// The section with the table by which its function is unwound.
    pub(super) unwinding: Option<usize>,
}

/// A place in a section that the linker fills in.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) offset: u64,
    /// The type of the relocation.
    pub(super) kind: u32,
    pub(super) addend: i64,
    /// Whether it names a symbol in the target section, and not only a distance from the start of that section.
    pub(super) is_exact: bool,
    pub(super) target: Target,
}

/// The target to which such a place refers.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// A place in a section of the same object file. The name is that of the symbol there, if it has one.
    Section { section: usize, offset: u64, name: Option<String> },
    /// A symbol that another object file or a shared library defines.
    Name(String),
}

/// All sections of a program that are loaded into memory.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) sections: Vec<Section>,
    /// The sections that define each symbol which other object files can refer to, with the symbol's offset.
    pub(super) defined: HashMap<String, Vec<(usize, u64)>>,
}

impl Program {
    /// Adds an object file, or all object files of a library. The error says what cannot be understood.
    pub(super) fn add(&mut self, file: &[u8]) -> Result<(), String> {
        if !file.starts_with(&object::archive::MAGIC) {
            return self.add_object(file);
        }
        let failed = |e: object::read::Error| e.to_string();
        for member in ArchiveFile::parse(file).map_err(failed)?.members() {
            let member = member.map_err(failed)?;
            let is_metadata = member.name().ends_with(b".rmeta");
            let bytes = member.data(file).map_err(failed)?;
            if !is_metadata {
                self.add_object(bytes)?;
            }
        }
        Ok(())
    }

    fn add_object(&mut self, bytes: &[u8]) -> Result<(), String> {
        let failed = |e: object::read::Error| e.to_string();
        let file = File::parse(bytes).map_err(failed)?;
        // The sections of this file by their index in it.
        let mut places = HashMap::new();
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
                return Err("it is no ELF file".to_owned());
            };
            let name = section.name().map_err(failed)?;
            let is_ignored = IGNORED.iter().any(|start| name.starts_with(start));
            if !sh_flags.contains(SHF_ALLOC) || is_ignored {
                continue;
            }
            let kind = if sh_flags.contains(SHF_EXECINSTR) {
                Kind::Code
            } else if name.starts_with(UNWINDING) || DATA.iter().any(|data| name.starts_with(data))
            {
                Kind::Data
            } else {
                Kind::Special
            };
            places.insert(section.index(), self.sections.len());
            self.sections.push(Section {
                name: name.to_owned(),
                kind,
                size: section.size(),
                alignment: section.align(),
                bytes: section.data().map_err(failed)?.to_vec(),
                entry: if sh_flags.contains(SHF_MERGE) && !sh_flags.contains(SHF_STRINGS) {
                    entry(&file, section.index())
                } else {
                    None
                },
                functions: Vec::new(),
                references: Vec::new(),
                unwinding: None,
            });
        }
        self.note_symbols(&file, &places)?;
        self.note_references(&file, &places)?;
        self.note_unwinding(&places);
        let is_nameless = |&&place: &&usize| {
            let section = &self.sections[place];
            section.kind == Kind::Code && section.size > 0 && section.functions.is_empty()
        };
        match places.values().find(is_nameless) {
            Some(&place) => Err(format!("no function is named in {}", self.sections[place].name)),
            None => Ok(()),
        }
    }

    /// Notes which symbols the sections of a file define.
    fn note_symbols(&mut self, file: &File<'_>, places: &Places) -> Result<(), String> {
        for symbol in file.symbols() {
            let Some(&place) = symbol.section_index().and_then(|index| places.get(&index)) else {
                continue;
            };
            let name = symbol.name().map_err(|e| e.to_string())?.to_owned();
            if !is_name(&name) || symbol.kind() == SymbolKind::Section {
                continue;
            }
            if self.sections[place].kind == Kind::Code {
                self.sections[place].functions.push(name.clone());
            }
            if symbol.is_global() {
                self.defined.entry(name).or_default().push((place, symbol.address()));
            }
        }
        Ok(())
    }

    /// Notes what the sections of a file refer to.
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other target has a place")]
    fn note_references(&mut self, file: &File<'_>, places: &Places) -> Result<(), String> {
        for section in file.sections() {
            let Some(&place) = places.get(&section.index()) else { continue };
            for (offset, relocation) in section.relocations() {
                let RelocationFlags::Elf { r_type } = relocation.flags() else {
                    return Err("it is no ELF file".to_owned());
                };
                let mut is_exact = false;
                let target = match relocation.target() {
                    RelocationTarget::Symbol(index) => {
                        let symbol = file.symbol_by_index(index).map_err(|e| e.to_string())?;
                        is_exact = symbol.kind() != SymbolKind::Section;
                        let name = symbol.name().map_err(|e| e.to_string())?.to_owned();
                        let inside = symbol.section_index().and_then(|index| places.get(&index));
                        match inside {
                            Some(&section) => Target::Section {
                                section,
                                offset: symbol.address(),
                                name: Some(name).filter(|name| {
                                    is_name(name) && symbol.kind() != SymbolKind::Section
                                }),
                            },
                            None => Target::Name(name),
                        }
                    }
                    // The relocation has no symbol, but only an addend.
                    RelocationTarget::Absolute => Target::Name(String::new()),
                    _ => return Err("a relocation refers to something unknown".to_owned()),
                };
                let addend = relocation.addend();
                self.sections[place].references.push(Reference {
                    offset,
                    kind: r_type.0,
                    addend,
                    is_exact,
                    target,
                });
            }
            self.sections[place].references.sort_by_key(|reference| reference.offset);
        }
        Ok(())
    }

    /// Notes for each function of a file the table by which it is unwound.
    fn note_unwinding(&mut self, places: &Places) {
        let name_after =
            |section: &Section, start: &str| section.name.strip_prefix(start).map(str::to_owned);
        let tables: HashMap<String, usize> = places
            .values()
            .filter_map(|&place| Some((name_after(&self.sections[place], UNWINDING)?, place)))
            .collect();
        for &place in places.values() {
            let section = &mut self.sections[place];
            if section.kind == Kind::Code {
                // The table of `.text.NAME` is `.gcc_except_table.NAME`; that of a plain `.text` has no name after its prefix.
                let name = name_after(section, ".text").unwrap_or_default();
                section.unwinding = tables.get(&name).copied();
            }
        }
    }
}

/// Returns the length of each constant of a section that has constants of one length.
fn entry(file: &File<'_>, section: object::read::SectionIndex) -> Option<u64> {
    let File::Elf64(file) = file else { return None };
    let header = file.section_by_index(section).ok()?.elf_section_header();
    let (length, size) = (header.sh_entsize.get(file.endian()), header.sh_size.get(file.endian()));
    (length > 0 && size % length == 0).then_some(length)
}

/// Whether a symbol comes from the source. The others are the assembler's: local labels, and marks of code and data.
fn is_name(symbol: &str) -> bool {
    !symbol.is_empty() && !symbol.starts_with(".L") && !symbol.starts_with('$')
}

/// Whether a section holds what a program can change.
pub(super) fn is_variable(name: &str) -> bool {
    let holds = [".data", ".bss", ".tdata", ".tbss"].iter().any(|start| name.starts_with(start));
    holds && !name.starts_with(".data.rel.ro")
}

/// The place in [`Program::sections`] of each section of a file.
type Places = HashMap<object::read::SectionIndex, usize>;
