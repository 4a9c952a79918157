//! Whether a file that nobody says how to build may be of older sources.
//!
//! A note and no red: what a file is made of is not known, and a clone or an archive has times of its own.

use std::path::Path;
use std::time::Duration;

use perf_budget_core::files;

use super::sources;

/// What programs and pages are made of, and what no tool makes: a script or a style sheet may be either.
const MADE_OF: &[&str] = &[
    "rs", "c", "cc", "cpp", "go", "h", "hpp", "jsx", "proto", "scss", "svelte", "ts", "tsx", "vue",
    "wat", "wit",
];
/// Files of one clone are written in this time.
const TOGETHER: Duration = Duration::from_secs(10);

/// What is to be said of the files that these patterns stand for; nothing where they are sources themselves, or
/// younger than every source below `root`.
pub(super) fn note(patterns: &[String], root: &Path) -> Option<String> {
    let found = files::find(patterns, root).ok()?.files;
    if found.iter().any(|file| sources::is_source(&file.path, MADE_OF)) {
        return None;
    }
    let age = |file: &files::Found| Some((sources::modified(&file.path).ok()?, file.shown.clone()));
    let (made, oldest) = found.iter().filter_map(age).min()?;
    let (changed, source) = sources::newest(root, MADE_OF).ok()??;
    if changed <= made + TOGETHER {
        return None;
    }
    let source = source.strip_prefix(root).unwrap_or(&source).display();
    Some(format!(
        "`{oldest}` is older than `{source}`, and may be of other sources; say how it is made with `build`"
    ))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn what_is_older_than_the_sources_beside_it_is_said() {
        let root = std::env::temp_dir().join(format!("perf-budget-stale-{}", std::process::id()));
        fs::create_dir_all(root.join("src")).unwrap();
        let write = |name: &str, seconds: u64| {
            fs::write(root.join(name), "x").unwrap();
            let file = File::options().append(true).open(root.join(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        };
        let said = |artifact: &str| note(&[artifact.to_owned()], &root);
        write("app.wasm", 1000);
        assert_eq!(said("app.wasm"), None);
        write("src/lib.rs", 1005);
        assert_eq!(said("app.wasm"), None);
        write("src/lib.rs", 2000);
        let note = said("app.wasm").unwrap();
        assert!(
            note.starts_with("`app.wasm` is older than `src/lib.rs`, and may be of other"),
            "{note}"
        );
        assert_eq!(said("src/lib.rs"), None);
        assert_eq!(said("none"), None);
        // What a tool wrote is no source of it.
        fs::remove_file(root.join("src/lib.rs")).unwrap();
        write("page.css", 2000);
        assert_eq!(said("app.wasm"), None);
        fs::remove_dir_all(&root).unwrap();
    }
}
