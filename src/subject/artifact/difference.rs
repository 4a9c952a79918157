//! In what the files of two revisions differ: nothing, or the sections of a program or a module that do.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::quantity::{Quantity, Unit};

use super::files::{self, Found};
use super::{Sections, elf, wasm};

/// So many sections of a file are named, those that changed most; and so many files.
const NAMED: usize = 4;

/// What is said of the files of this revision and of the base, which their patterns stand for.
///
/// # Errors
/// Where one file is in both: then nothing was compared with anything.
pub(crate) fn difference(
    [here, there]: [(&[String], &Path); 2],
) -> Result<Vec<String>, Unmeasured> {
    let (here, there) = (files::find(here.0, here.1)?, files::find(there.0, there.1)?);
    let own = |found: &Found| found.path.canonicalize().ok();
    let known: BTreeSet<_> = there.files.iter().filter_map(own).collect();
    if let Some(both) = here.files.iter().find(|file| own(file).is_some_and(|p| known.contains(&p)))
    {
        let text = format!(
            "`{}` is one file for both revisions, so that it would be compared with itself; name a path below the \
             directory of budgets.toml, and how it is made with `build`",
            both.shown
        );
        return Err(Unmeasured::new(Cause::Unsuitable, text));
    }
    let name =
        |found: &Found| found.path.file_name().map(|name| name.to_string_lossy().into_owned());
    let (mut ours, mut theirs): (Vec<&Found>, Vec<&Found>) =
        (here.files.iter().collect(), there.files.iter().collect());
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
    let left = notes.len().saturating_sub(NAMED);
    notes.truncate(NAMED);
    if left > 0 {
        notes.push(format!("{left} more files differ from the base's"));
    }
    if notes.is_empty() {
        notes.push("the same bytes as at the base".to_owned());
    }
    Ok(notes)
}

/// " in .text (+1.2 KB), .rodata (as long)"; empty where the files have no sections that are known.
fn within(our: &Found, their: &Found) -> String {
    let Some((ours, theirs)) = sections(&our.path).zip(sections(&their.path)) else {
        return String::new();
    };
    let differ = differing(&ours, &theirs);
    if differ.is_empty() {
        return " outside of its sections".to_owned();
    }
    let shown: Vec<String> = differ.iter().take(NAMED).map(shown).collect();
    let left = differ.len().saturating_sub(NAMED);
    let more = if left > 0 { format!(" and {left} more") } else { String::new() };
    format!(" in {}{more}", shown.join(", "))
}

/// The sections of a file; `None` where it has none that are known.
fn sections(path: &Path) -> Option<Sections> {
    let elf = File::open(path).ok().and_then(elf::sections);
    match elf {
        Some(found) => found.ok(),
        None => wasm::sections(&std::fs::read(path).ok()?),
    }
}

/// The sections that differ and by how many bytes, those that changed most first.
fn differing(ours: &Sections, theirs: &Sections) -> Vec<(String, i64)> {
    let names: BTreeSet<&String> = ours.iter().chain(theirs).map(|(name, _)| name).collect();
    let of = |sections: &Sections, name: &String| -> Vec<u8> {
        sections
            .iter()
            .filter(|(own, _)| own == name)
            .flat_map(|(_, bytes)| bytes.clone())
            .collect()
    };
    let mut differ = Vec::new();
    for name in names {
        let (our, their) = (of(ours, name), of(theirs, name));
        if our != their {
            differ.push((
                name.clone(),
                our.len().cast_signed() as i64 - their.len().cast_signed() as i64,
            ));
        }
    }
    differ.sort_by_key(|(_, bytes)| std::cmp::Reverse(bytes.unsigned_abs()));
    differ
}

fn shown((name, bytes): &(String, i64)) -> String {
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

    /// What is said of two directories with one file each, which is called `app`.
    fn said(name: &str, [here, there]: [&[u8]; 2]) -> Vec<String> {
        let place = place(name);
        let [here, there] = [("here", here), ("there", there)].map(|(side, bytes)| {
            let root = place.join(side);
            fs::create_dir_all(&root).unwrap();
            fs::write(root.join("app"), bytes).unwrap();
            root
        });
        let patterns = ["app".to_owned()];
        let notes = difference([(&patterns, &here), (&patterns, &there)]).unwrap();
        fs::remove_dir_all(&place).unwrap();
        notes
    }

    #[test]
    fn equal_files_are_said_to_be_equal() {
        assert_eq!(said("equal", [b"one", b"one"]), ["the same bytes as at the base"]);
        assert_eq!(said("unequal", [b"one", b"two"]), ["`app` differs from the base's"]);
    }

    #[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
    #[test]
    fn the_sections_of_a_program_that_differ_are_named() {
        let program = fs::read(std::env::current_exe().unwrap()).unwrap();
        let text = elf::sections(std::io::Cursor::new(&program)).unwrap().unwrap();
        let (_, code) = text.iter().find(|(name, _)| name == ".text").unwrap();
        let at = program.windows(64).position(|window| *window == code[..64]).unwrap();
        let mut other = program.clone();
        other[at] ^= 1;
        assert_eq!(
            said("text", [&other, &program]),
            ["`app` differs from the base's in .text (as long)"]
        );
        let mut longer = program.clone();
        elf::add_section(&mut longer, 64 + 100, |bytes| std::iter::repeat_n(7, bytes as usize))
            .unwrap();
        let notes = said("added", [&longer, &program]);
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
        let notes = said("module", [&module(&[0, 1, 2]), &module(&[0])]);
        assert_eq!(notes, ["`app` differs from the base's in code (+2 B)"]);
    }

    #[test]
    fn a_file_is_not_compared_with_itself() {
        let place = place("itself");
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("app"), "one").unwrap();
        let patterns = [place.join("app").to_str().unwrap().to_owned()];
        let why = difference([(&patterns, &place), (&patterns, Path::new("/"))]).unwrap_err();
        assert!(why.text.contains("`app` is one file for both revisions"), "{why}");
        fs::remove_dir_all(&place).unwrap();
    }
}
