//! The shared libraries that a program loads and the programs that it starts, if the build makes them. They are no part
//! of the program's own file, so they are compared separately.
//!
//! The system's own libraries are the same for both revisions. A library of the build counts where the program contains its
//! name: both the loader and a program that loads a library itself find it by its name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::image::{self, Start};
use crate::base::reused::is_hash;

/// The endings of shared libraries.
const ENDINGS: [&str; 3] = [".so", ".dylib", ".dll"];

/// The shared libraries of a build: each name, with the paths that have it, relative to the directory of the profile.
type Libraries = BTreeMap<String, BTreeSet<PathBuf>>;

/// Returns how the shared libraries differ that are loaded by two programs, the base's and this revision's; `None` where they
/// are the same. `elsewhere` are further directories in which this revision's build looks for libraries.
pub(super) fn difference_of_libraries(
    [base, head]: [&Path; 2],
    elsewhere: &[PathBuf],
    starts: &[Start],
) -> Option<String> {
    let (Some(then), Some(now)) = (profile(base), profile(head)) else {
        return Some("it is not known where the libraries are that the build makes".to_owned());
    };
    let found = [libraries(then), libraries(now)];
    let others: Vec<String> = elsewhere
        .iter()
        .filter(|at| !at.starts_with(now))
        .flat_map(|at| list(at, 0))
        .filter_map(|path| name_of(&path))
        .collect();
    let mut seen = BTreeSet::new();
    let mut next = vec![[base.to_owned(), head.to_owned()]];
    while let Some(pair) = next.pop() {
        let mut named = BTreeSet::new();
        for path in &pair {
            match fs::read(path) {
                Ok(bytes) => named.extend(library_names_in(&bytes)),
                Err(e) => return Some(format!("`{}` cannot be read: {e}", path.display())),
            }
        }
        // A program that contains an ending alone may put a name before it: `format!("lib{name}.so")`.
        let makes_names = named.iter().any(|text| ENDINGS.contains(&text.as_str()));
        let is_named = |name: &String| {
            named.iter().any(|text| text.contains(name.as_str())) || makes_names && !has_hash(name)
        };
        if let Some(name) = others.iter().find(|name| is_named(name)) {
            return Some(format!(
                "`{name}`, which is loaded, is in a directory that the build names"
            ));
        }
        let names = found.iter().flat_map(BTreeMap::keys);
        for name in names.filter(|name| is_named(name)).collect::<BTreeSet<_>>() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let [old, new] = found.each_ref().map(|found| found.get(name));
            let (Some(old), Some(new)) = (old, new) else {
                return Some(format!("only one of the builds makes the shared library `{name}`"));
            };
            if old != new {
                return Some(format!("the shared library `{name}` is not at the same places"));
            }
            for place in new {
                let pair = [then.join(place), now.join(place)];
                if let Some(why) = difference([&pair[0], &pair[1]], starts) {
                    return Some(format!("the shared library `{name}`, which is loaded: {why}"));
                }
                next.push(pair);
            }
        }
    }
    None
}

/// Returns how two builds of a program differ that cargo has built beside the test binaries `base` and `head`; `None` where they
/// are the same. `program` is this revision's build.
pub(super) fn difference_of_program(
    [base, head]: [&Path; 2],
    program: &Path,
    starts: &[Start],
) -> Option<String> {
    let place = profile(head).and_then(|now| program.strip_prefix(now).ok());
    let other = profile(base).zip(place).map(|(then, place)| then.join(place));
    let Some(other) = other else { return Some("the base's is not found".to_owned()) };
    difference([&other, program], starts)
}

/// Returns how two binaries differ, the base's and this revision's, or why one cannot be read; `None` where they are the same.
pub(super) fn difference([base, head]: [&Path; 2], starts: &[Start]) -> Option<String> {
    let read = |path: &Path| {
        fs::read(path).map_err(|e| format!("`{}` cannot be read: {e}", path.display()))
    };
    match (read(base), read(head)) {
        (Ok(base), Ok(head)) => image::difference(&base, &head, starts),
        (Err(why), _) | (_, Err(why)) => Some(why),
    }
}

/// Returns the directory of the profile, such as `target/release`, given a binary in `target/release/deps`.
fn profile(binary: &Path) -> Option<&Path> {
    binary.parent()?.parent()
}

/// Returns the shared libraries that a build has made: in the directory of the profile, beside the binaries, and in those
/// of build scripts.
fn libraries(profile: &Path) -> Libraries {
    let mut found = Libraries::new();
    let deepest = 16;
    let made = list(profile, 0).into_iter().chain(list(&profile.join("deps"), 0));
    for path in made.chain(list(&profile.join("build"), deepest)) {
        if let (Some(name), Ok(place)) = (name_of(&path), path.strip_prefix(profile)) {
            found.entry(name).or_default().insert(place.to_owned());
        }
    }
    found
}

/// Returns the files in a directory, and in those below it down to a depth.
fn list(directory: &Path, depth: usize) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if !path.is_dir() {
            files.push(path);
        } else if depth > 0 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            files.extend(list(&path, depth - 1));
        }
    }
    files
}

/// Returns the name of a file if it is that of a shared library: `libkit.so`, `libkit.so.1`.
fn name_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let is_library = ENDINGS.iter().any(|ending| name.ends_with(ending)) || name.contains(".so.");
    is_library.then(|| name.to_owned())
}

/// Whether a library has a name of cargo's own, as the library of a macro has: `libmacros-0123456789abcdef.so`.
fn has_hash(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    stem.rsplit_once('-').is_some_and(|(_, hash)| is_hash(hash))
}

/// Returns the texts in a file that may contain the name of a shared library.
fn library_names_in(bytes: &[u8]) -> BTreeSet<String> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-+".contains(byte);
    let mut found = BTreeSet::new();
    let mut at = 0;
    while let Some(dot) = bytes[at..].iter().position(|byte| *byte == b'.').map(|dot| at + dot) {
        at = dot + 1;
        if ENDINGS.iter().any(|ending| bytes[dot..].starts_with(ending.as_bytes())) {
            let before = bytes[..dot].iter().rev().take_while(|byte| is_part(byte)).count();
            let after = bytes[dot..].iter().take_while(|byte| is_part(byte)).count();
            found.insert(String::from_utf8_lossy(&bytes[dot - before..dot + after]).into_owned());
            at = dot + after;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two builds, the base's and this revision's.
    struct Builds(tempfile::TempDir);

    impl Builds {
        fn new() -> Builds {
            let builds = Builds(tempfile::tempdir().unwrap());
            builds.both("deps/budgets-1", "program\0libdy.so\0libc.so.6\0");
            builds
        }

        fn write(&self, side: &str, name: &str, text: &str) {
            let path = self.0.path().join(side).join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn both(&self, name: &str, text: &str) {
            for side in ["base", "head"] {
                self.write(side, name, text);
            }
        }

        #[track_caller]
        fn check(&self, elsewhere: &[PathBuf], want: Option<&str>) {
            let [base, head] = ["base", "head"].map(|side| self.0.path().join(side));
            let tests = [base.join("deps/budgets-1"), head.join("deps/budgets-1")];
            let got = difference_of_libraries([&tests[0], &tests[1]], elsewhere, &[]);
            match want {
                None => assert_eq!(got, None),
                Some(want) => {
                    assert!(got.as_deref().is_some_and(|got| got.contains(want)), "{got:?}");
                }
            }
        }
    }

    #[test]
    fn a_library_that_the_build_makes_is_compared_with_all_that_it_loads() {
        let builds = Builds::new();
        builds.check(&[], None);
        // A library that the program does not name has no part in it.
        builds.write("head", "deps/libmacros-0123456789abcdef.so", "one");
        builds.check(&[], None);
        builds.both("deps/libdy.so", "one libdeep.so");
        builds.both("libdy.so", "one libdeep.so");
        builds.check(&[], None);
        builds.both("build/dy-1/out/lib/libdeep.so", "one");
        builds.check(&[], None);
        builds.write("head", "build/dy-1/out/lib/libdeep.so", "two");
        builds.check(&[], Some("the shared library `libdeep.so`, which is loaded"));
        builds.write("base", "build/dy-1/out/lib/libdeep.so", "two");
        builds.write("base", "deps/libdy.so", "two");
        builds.check(&[], Some("the shared library `libdy.so`, which is loaded"));
        builds.write("base", "deps/libdy.so", "one libdeep.so");
        // A program may make the name itself.
        let plugins = Builds::new();
        plugins.both("deps/budgets-1", "plug\0.so\0");
        plugins.write("head", "deps/libmacros-0123456789abcdef.so", "one");
        plugins.check(&[], None);
        plugins.write("base", "libplug.so", "one");
        plugins.write("head", "libplug.so", "two");
        plugins.check(&[], Some("the shared library `libplug.so`, which is loaded"));
        // A library that another commit has left may be the one that is loaded.
        builds.write("base", "build/dy-2/out/libdeep.so", "two");
        builds.check(&[], Some("not at the same places"));
    }

    #[test]
    fn a_library_that_cannot_be_found_on_both_sides_is_a_difference() {
        let builds = Builds::new();
        builds.write("base", "deps/libdy.so", "one");
        builds.check(&[], Some("only one of the builds makes"));
        let builds = Builds::new();
        builds.write("elsewhere", "libdy.so", "one");
        let place = builds.0.path().join("elsewhere");
        builds.check(&[place], Some("is in a directory that the build names"));
        builds.check(&[builds.0.path().join("none")], None);
    }

    #[test]
    fn a_program_that_the_build_makes_is_compared() {
        let builds = Builds::new();
        let [base, head] = ["base", "head"].map(|side| builds.0.path().join(side));
        let tests = [base.join("deps/budgets-1"), head.join("deps/budgets-1")];
        let tool = head.join("tool");
        let differs = || difference_of_program([&tests[0], &tests[1]], &tool, &[]).is_some();
        assert!(differs());
        builds.both("tool", "one");
        assert!(!differs());
        builds.write("head", "tool", "two");
        assert!(differs());
    }

    #[test]
    fn names_of_libraries_are_found_wherever_they_are() {
        let found = library_names_in(b"\0libdy.so\0plugins/libplug.so.1x/a.b kit.dll\0.so");
        let want = [".so", "kit.dll", "libdy.so", "libplug.so.1x"];
        assert!(found.iter().eq(want), "{found:?}");
    }
}
