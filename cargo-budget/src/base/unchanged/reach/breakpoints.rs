//! A copy of a program that ends where it would enter one of certain functions.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use object::Architecture;
use object::read::{File, Object, ObjectSection, ObjectSymbol, SymbolKind};

/// Copies a program, with a breakpoint as the first instruction of each of these functions. A function that the linker
/// left out needs none.
pub(super) fn copy(from: &Path, to: &Path, functions: &BTreeSet<&str>) -> Result<(), String> {
    let failed = |what: &str, path: &Path, e: &dyn std::fmt::Display| {
        format!("failed to {what} `{}`: {e}", path.display())
    };
    let mut bytes = fs::read(from).map_err(|e| failed("read", from, &e))?;
    let (places, breakpoint) = places(&bytes, functions).map_err(|e| failed("read", from, &e))?;
    for place in places {
        let end = place.saturating_add(breakpoint.len());
        let first = bytes.get_mut(place..end);
        first
            .ok_or_else(|| failed("read", from, &"a function is outside of it"))?
            .copy_from_slice(breakpoint);
    }
    if let Some(directory) = to.parent() {
        fs::create_dir_all(directory).map_err(|e| failed("create", directory, &e))?;
    }
    // An earlier copy may still run, and a file that runs cannot be written.
    let _ = fs::remove_file(to);
    let written = fs::write(to, bytes).and_then(|()| fs::metadata(from));
    let written = written.and_then(|data| fs::set_permissions(to, data.permissions()));
    written.map_err(|e| failed("write", to, &e))
}

/// Returns where in a file these functions begin, and the instruction that ends a process.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other processor is known here")]
fn places(bytes: &[u8], functions: &BTreeSet<&str>) -> Result<(Vec<usize>, &'static [u8]), String> {
    let file = File::parse(bytes).map_err(|e| e.to_string())?;
    let breakpoint: &[u8] = match file.architecture() {
        Architecture::X86_64 => &[0xcc],
        Architecture::Aarch64 => &[0x00, 0x00, 0x20, 0xd4],
        other => return Err(format!("no breakpoint is known for {other:?}")),
    };
    // A linker can also be told to leave out the local ones alone.
    if !file.symbols().any(|symbol| symbol.is_local() && symbol.kind() == SymbolKind::Text) {
        return Err("it is stripped, so not all of its functions have names".to_owned());
    }
    let mut places = Vec::new();
    for symbol in file.symbols() {
        let name = symbol.name().map_err(|e| e.to_string())?;
        let Some(section) = symbol.section_index().filter(|_| functions.contains(name)) else {
            continue;
        };
        let section = file.section_by_index(section).map_err(|e| e.to_string())?;
        let (Some((begin, _)), Some(offset)) =
            (section.file_range(), symbol.address().checked_sub(section.address()))
        else {
            return Err(format!("`{name}` is outside of its section"));
        };
        places.push(usize::try_from(begin + offset).map_err(|e| e.to_string())?);
    }
    Ok((places, breakpoint))
}
