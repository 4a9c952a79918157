//! The difference between the files of two revisions. For programs and modules it names the sections that differ.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::quantity::{Quantity, Unit};

use super::deadline::Deadline;
use super::files::{self, FileEntry};
use super::sections::Sections;
use super::{elf, wasm_sections};

/// The most files that are named, and the most sections of a file. The sections that changed most are named.
const MOST_NAMED: usize = 4;

/// Returns notes about how the files of this revision differ from those of the base. Each revision is given by its
/// patterns and its root.
///
/// # Errors
/// If it takes longer than `timeout`, or if both revisions have one and the same file, because then nothing was compared.
pub(crate) fn difference(
    [head, base]: [(&[String], &Path); 2],
    timeout: Duration,
) -> Result<Vec<String>, Unmeasured> {
    let deadline = Deadline::after(timeout);
    let find = |side: (&[String], &Path)| files::find(side.0, side.1, deadline);
    let (head, base) = (find(head)?, find(base)?);
    let identity = |found: &FileEntry| found.path.canonicalize().ok();
    let of_base: HashSet<PathBuf> = base.files.iter().filter_map(identity).collect();
    let is_of_base = |file: &&FileEntry| identity(file).is_some_and(|path| of_base.contains(&path));
    if let Some(both) = head.files.iter().find(is_of_base) {
        let text = format!(
            "`{}` is one file for both revisions, so that it would be compared with itself; name a path below the \
             directory of budgets.toml, and say how it is built with `build`",
            both.shown
        );
        return Err(Unmeasured::new(Cause::Unsuitable, text));
    }
    let name =
        |found: &FileEntry| found.path.file_name().map(|name| name.to_string_lossy().into_owned());
    let (mut ours, mut theirs): (Vec<&FileEntry>, Vec<&FileEntry>) =
        (head.files.iter().collect(), base.files.iter().collect());
    ours.sort_by_cached_key(|found| name(found));
    theirs.sort_by_cached_key(|found| name(found));
    if !ours.iter().map(|found| name(found)).eq(theirs.iter().map(|found| name(found))) {
        return Ok(vec![format!("{} files, {} at the base", ours.len(), theirs.len())]);
    }
    let mut notes = Vec::new();
    for (our, their) in ours.iter().zip(&theirs) {
        if our.digest()? != their.digest()? {
            let name = name(our).unwrap_or_default();
            notes.push(format!("`{name}` differs from the base's{}", within(our, their)));
        }
    }
    let left = notes.len().saturating_sub(MOST_NAMED);
    notes.truncate(MOST_NAMED);
    if left > 0 {
        notes.push(format!("{left} more files differ from the base's"));
    }
    if notes.is_empty() {
        notes.push("the same bytes as at the base".to_owned());
    }
    Ok(notes)
}

/// Names the sections that differ, as in " in .text (+1.2 KB), .rodata (as long)". Returns an empty text if the files'
/// format is unknown.
fn within(our: &FileEntry, their: &FileEntry) -> String {
    let Some((ours, theirs)) = sections(&our.path).zip(sections(&their.path)) else {
        return String::new();
    };
    let differ = differing(&ours, &theirs);
    if differ.is_empty() {
        return " outside of its sections".to_owned();
    }
    let shown: Vec<String> = differ.iter().take(MOST_NAMED).map(show).collect();
    let left = differ.len().saturating_sub(MOST_NAMED);
    let more = if left > 0 { format!(" and {left} more") } else { String::new() };
    format!(" in {}{more}", shown.join(", "))
}

/// Returns the sections of a file. `None` if its format is unknown or it is damaged.
fn sections(path: &Path) -> Option<Sections> {
    let elf = File::open(path).ok().and_then(elf::sections);
    match elf {
        Some(found) => found.ok(),
        None => wasm_sections::sections(&std::fs::read(path).ok()?),
    }
}

/// Returns the sections that differ, each with the change of its length. The largest changes come first.
fn differing(ours: &Sections, theirs: &Sections) -> Vec<(String, i64)> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in ours.iter().chain(theirs) {
        names.push(name);
    }
    names.sort_unstable();
    names.dedup();
    let content = |sections: &Sections, name: &str| -> Vec<u8> {
        let own = sections.iter().filter(|(own, _)| own == name);
        own.map(|(_, bytes)| bytes.as_slice()).collect::<Vec<_>>().concat()
    };
    let mut differ = Vec::new();
    for name in names {
        let (our, their) = (content(ours, name), content(theirs, name));
        if our != their {
            differ.push((
                name.to_owned(),
                our.len().cast_signed() as i64 - their.len().cast_signed() as i64,
            ));
        }
    }
    differ.sort_by_cached_key(|(_, bytes)| usize::MAX - bytes.unsigned_abs() as usize);
    differ
}

fn show((name, bytes): &(String, i64)) -> String {
    let name = if name.is_empty() { "a section without a name" } else { name };
    let size = Quantity::new(bytes.unsigned_abs() as f64, Unit::Bytes);
    match bytes.signum() {
        0 => format!("{name} (as long)"),
        1 => format!("{name} (+{size})"),
        _ => format!("{name} (-{size})"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    fn place(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("perf-budget-{name}-{}", std::process::id()))
    }

    /// Returns the notes about two directories with one file each, which is called `app`.
    fn notes(name: &str, [head, base]: [&[u8]; 2]) -> Vec<String> {
        let place = place(name);
        let [head, base] = [("head", head), ("base", base)].map(|(side, bytes)| {
            let root = place.join(side);
            fs::create_dir_all(&root).unwrap();
            fs::write(root.join("app"), bytes).unwrap();
            root
        });
        let patterns = ["app".to_owned()];
        let notes = difference([(&patterns, &head), (&patterns, &base)], Duration::MAX).unwrap();
        fs::remove_dir_all(&place).unwrap();
        notes
    }

    #[test]
    fn a_note_tells_equal_files_from_different_ones() {
        assert_eq!(notes("equal", [b"one", b"one"]), ["the same bytes as at the base"]);
        assert_eq!(notes("unequal", [b"one", b"two"]), ["`app` differs from the base's"]);
    }

    #[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
    #[test]
    fn the_sections_of_a_program_that_differ_are_named() {
        let program = fs::read(std::env::current_exe().unwrap()).unwrap();
        let text = elf::sections(std::io::Cursor::new(&program)).unwrap().unwrap();
        let (_, code) = text.iter().find(|(name, _)| name == ".text").unwrap();
        // The linker aligns the section by 16 bytes or more.
        let mut places = (0..program.len() - 64).step_by(16);
        let at = places.find(|&at| program[at..at + 64] == code[..64]).unwrap();
        let mut other = program.clone();
        other[at] ^= 1;
        assert_eq!(
            notes("text", [&other, &program]),
            ["`app` differs from the base's in .text (as long)"]
        );
        let mut longer = program.clone();
        elf::add_section(&mut longer, 64 + 100, |bytes| vec![7; bytes as usize]).unwrap();
        let notes = notes("added", [&longer, &program]);
        assert_eq!(notes, ["`app` differs from the base's in a section without a name (+100 B)"]);
    }

    #[test]
    fn the_sections_of_a_module_that_differ_are_named() {
        let module = |code: &[u8]| {
            let mut module = b"\0asm\x01\0\0\0\x01\x01\0\x0a".to_vec();
            module.push(code.len() as u8);
            module.extend(code);
            module
        };
        let notes = notes("module", [&module(&[0, 1, 2]), &module(&[0])]);
        assert_eq!(notes, ["`app` differs from the base's in code (+2 B)"]);
    }

    #[test]
    fn a_file_is_not_compared_with_itself() {
        let place = place("itself");
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("app"), "one").unwrap();
        let patterns = [place.join("app").to_str().unwrap().to_owned()];
        let why = difference([(&patterns, &place), (&patterns, Path::new("/"))], Duration::MAX)
            .unwrap_err();
        assert!(why.text.contains("`app` is one file for both revisions"), "{why}");
        fs::remove_dir_all(&place).unwrap();
    }
}
