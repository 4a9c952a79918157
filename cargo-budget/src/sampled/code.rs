//! The code of a process that was sampled: its files with their symbols, and how they unwind a stack.

use std::ops::Range;
use std::path::Path;

use framehop::ExplicitModuleSectionInfo;
use object::read::{Object, ObjectSection, ObjectSegment, ObjectSymbol};
use object::{File, SymbolKind};
use perf_budget_core::samples::{Code, KERNEL};

use super::inlined::{Inlined, LATE};
use crate::inside::demangled;

/// The largest program that is read, which is far beyond what a linker makes of Rust.
pub(super) const LARGEST: u64 = 2 << 30;

/// A file with code that was in the memory of the process.
pub(super) struct Module {
    /// The addresses that its code had.
    pub(super) range: Range<u64>,
    /// The number that is added to an address of the file.
    pub(super) bias: u64,
    pub(super) sections: ExplicitModuleSectionInfo<Vec<u8>>,
    /// The last part of its path.
    file: String,
    is_library: bool,
    /// The functions by their addresses in the file, each with the address behind it.
    functions: Vec<(u64, u64, String)>,
    /// The inlined functions of the file, or the reason why they are not known.
    pub(super) inlined: Result<Inlined, Option<String>>,
}

impl Module {
    /// Reads the file of some code. `kernel` is the code that the kernel maps into each process.
    ///
    /// # Errors
    /// If it is not the file that was sampled any more, or cannot be read.
    pub(super) fn read(code: &Code, kernel: &[u8]) -> Result<Module, String> {
        let path = Path::new(&code.path);
        let bytes = if code.path == KERNEL {
            kernel.to_vec()
        } else if code.file.is_some_and(|(length, _)| length > LARGEST) {
            return Err(format!("`{}` is too large to be read for its symbols", code.path));
        } else if code.file == Code::state(path) {
            std::fs::read(path).map_err(|e| format!("failed to read `{}`: {e}", code.path))?
        } else {
            return Err(format!(
                "`{}` is gone, or is not the file any more that was sampled; run the tests again",
                code.path
            ));
        };
        let file = File::parse(&*bytes)
            .map_err(|e| format!("failed to read the symbols of `{}`: {e}", code.path))?;
        let placed = file.segments().find_map(|segment| {
            let (at, length) = segment.file_range();
            // The kernel maps whole pages, so that a mapping may begin before its segment.
            let is_mapped = code.offset < at.saturating_add(length)
                && code.offset.saturating_add(code.end.saturating_sub(code.start)) > at;
            let flags = segment.flags();
            let is_executable =
                matches!(flags, object::SegmentFlags::Elf { p_flags, .. } if p_flags.0 & 1 != 0);
            (is_mapped && is_executable).then(|| segment.address().wrapping_sub(at))
        });
        let address = code.offset.wrapping_add(placed.unwrap_or_default());
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let functions = functions(&file);
        Ok(Module {
            range: code.start..code.end,
            bias: code.start.wrapping_sub(address),
            sections: sections(&file),
            is_library: name.contains(".so") || code.path == KERNEL,
            file: name,
            inlined: Inlined::read(&file, &functions, code.file.map(|(_, at)| at)),
            functions,
        })
    }

    /// Whether some names of inlined functions are missing, because finding them took too long.
    pub(super) fn is_late(&self) -> bool {
        self.inlined.as_ref().is_ok_and(Inlined::is_late)
    }

    /// Forgets its inlined functions.
    pub(super) fn forget_inlined(&mut self) {
        self.inlined = Err(Some(LATE.to_owned()));
    }

    /// Returns why the line tables of the file are not read, if it has any.
    pub(super) fn unread(&self) -> Option<String> {
        let why = self.inlined.as_ref().err()?.as_ref()?;
        Some(format!("`{}`: {why}", self.file))
    }

    /// Returns the names of the functions at an address: those that are inlined there, the innermost first, and the one that
    /// they are inlined into.
    pub(super) fn names(&self, address: u64) -> Vec<String> {
        let at = address.wrapping_sub(self.bias);
        let inlined = self.inlined.iter().flat_map(|inlined| inlined.names(at));
        inlined.chain([self.name(address)]).collect()
    }

    /// Returns the name of the function at an address. A function without a name gets the name of its library, or its address
    /// if it is in a program.
    fn name(&self, address: u64) -> String {
        let at = address.wrapping_sub(self.bias);
        let after = self.functions.partition_point(|(start, ..)| *start <= at);
        let nearest = after.checked_sub(1).map(|before| &self.functions[before]);
        match nearest.filter(|(_, end, _)| at < *end) {
            Some((_, _, name)) => name.clone(),
            None if self.is_library => self.file.clone(),
            None => format!("0x{at:x}"),
        }
    }
}

/// Returns the functions of a file by their addresses.
pub(super) fn functions(file: &File<'_>) -> Vec<(u64, u64, String)> {
    let mut functions: Vec<(u64, u64, String)> = file
        .symbols()
        .chain(file.dynamic_symbols())
        .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0)
        .filter_map(|symbol| {
            let name = symbol.name().ok().filter(|name| !name.is_empty())?;
            Some((
                symbol.address(),
                symbol.address().saturating_add(symbol.size()),
                name.to_owned(),
            ))
        })
        .collect();
    functions.sort();
    // If an address has several names, any of them will do, as long as it is always the same.
    functions.dedup_by_key(|(start, ..)| *start);
    for (_, _, name) in &mut functions {
        *name = demangled(name);
    }
    functions
}

/// Returns the sections that say how stacks are unwound.
fn sections(file: &File<'_>) -> ExplicitModuleSectionInfo<Vec<u8>> {
    let range = |name: &str| {
        let section = file.section_by_name(name)?;
        Some(section.address()..section.address().saturating_add(section.size()))
    };
    let bytes = |name: &str| Some(file.section_by_name(name)?.data().ok()?.to_vec());
    ExplicitModuleSectionInfo {
        base_svma: 0,
        text_svma: range(".text"),
        text: bytes(".text"),
        got_svma: range(".got"),
        eh_frame_svma: range(".eh_frame"),
        eh_frame: bytes(".eh_frame"),
        eh_frame_hdr_svma: range(".eh_frame_hdr"),
        eh_frame_hdr: bytes(".eh_frame_hdr"),
        ..ExplicitModuleSectionInfo::default()
    }
}
