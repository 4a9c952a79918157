//! The note that an artifact may have been built from older sources. It is for artifacts whose budget does not say how
//! they are built.
//!
//! This is only a note and never an error: the sources of the file are unknown, and a clone or an archive sets its own
//! times.

use std::path::Path;
use std::time::{Duration, SystemTime};

use perf_budget_core::files;

use super::sources;

/// The extensions of source files that no tool generates. A script or a style sheet may be a source or be generated, so
/// these are left out.
const SOURCES: &[&str] = &[
    "rs", "c", "cc", "cpp", "go", "h", "hpp", "jsx", "proto", "scss", "svelte", "ts", "tsx", "vue",
    "wat", "wit",
];
/// The time within which a clone writes all its files, so that a smaller difference in age means nothing.
const CLONE: Duration = Duration::from_secs(10);
/// How far the clocks of two machines may differ.
const SKEW: Duration = Duration::from_secs(60);

/// Returns the note about the files that these patterns stand for. `None` if the files are sources themselves, or are
/// younger than every source file below `root`.
pub(super) fn note(patterns: &[String], root: &Path) -> Option<String> {
    note_at(patterns, root, SystemTime::now())
}

fn note_at(patterns: &[String], root: &Path, now: SystemTime) -> Option<String> {
    let found = files::find(patterns, root).ok()?.files;
    if found.iter().any(|file| sources::is_source(&file.path, SOURCES)) {
        return None;
    }
    let age =
        |file: &files::FileEntry| Some((sources::modified(&file.path).ok()?, file.shown.clone()));
    let (built, oldest) = found.iter().filter_map(age).min()?;
    let (changed, source) = sources::newest(root, SOURCES).ok()??;
    if built > now + SKEW {
        return Some(format!(
            "`{oldest}` was built at a time that is later than now, so it cannot be told whether its sources are newer; \
             build it again"
        ));
    }
    if changed <= built + CLONE {
        return None;
    }
    // As the file writes paths, on every system.
    let inside = source.strip_prefix(root).unwrap_or(&source).iter();
    let source = inside.map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
    Some(format!(
        "`{oldest}` is older than `{source}`, and may have been built from older sources; say how it is built with \
         `build`"
    ))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    #[test]
    fn a_file_that_is_older_than_the_sources_is_noted() {
        let root = std::env::temp_dir().join(format!("perf-budget-stale-{}", std::process::id()));
        fs::create_dir_all(root.join("src")).unwrap();
        let write = |name: &str, seconds: u64| {
            fs::write(root.join(name), "x").unwrap();
            let file = File::options().append(true).open(root.join(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        };
        let note_of = |artifact: &str| note(&[artifact.to_owned()], &root);
        write("app.wasm", 1000);
        assert_eq!(note_of("app.wasm"), None);
        write("src/lib.rs", 1005);
        assert_eq!(note_of("app.wasm"), None);
        write("src/lib.rs", 2000);
        let note = note_of("app.wasm").unwrap();
        assert!(note.starts_with("`app.wasm` is older than `src/lib.rs`, and may have"), "{note}");
        assert_eq!(note_of("src/lib.rs"), None);
        // The clock was set back after the file was built, and the source changed after that.
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let later = |now| note_at(&["app.wasm".to_owned()], &root, at(now));
        write("app.wasm", 9000);
        assert_eq!(later(9000), None);
        assert!(later(3000).is_some_and(|note| note.contains("later than now")));
        assert_eq!(note_of("none"), None);
        // A style sheet may have been generated, so it does not count as a source.
        fs::remove_file(root.join("src/lib.rs")).unwrap();
        write("page.css", 2000);
        assert_eq!(note_of("app.wasm"), None);
        fs::remove_dir_all(&root).unwrap();
    }
}
