//! Where a new crate gets the library from.
//!
//! What `cargo install --path cargo-budget` made has its library in the same checkout, and it may be nowhere
//! else; what a registry gave has it there.

use std::path::{Path, PathBuf};

use toml_edit::{Document, Item};

/// The checkout that this command was built from, where the library of the same version still is; `None`
/// where the library has to come from the registry, as the command did.
pub(crate) fn checkout() -> Option<PathBuf> {
    within(Path::new(env!("CARGO_MANIFEST_DIR")).parent()?)
}

fn within(directory: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(directory.join("Cargo.toml")).ok()?;
    let manifest = Document::parse(text).ok()?;
    let package = manifest.get("package")?;
    let own = package.get("version").and_then(Item::as_str);
    let shared = || manifest.get("workspace")?.get("package")?.get("version")?.as_str();
    let is_it = package.get("name").and_then(Item::as_str) == Some("perf-budget")
        && own.or_else(shared) == Some(env!("CARGO_PKG_VERSION"));
    is_it.then(|| directory.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_library_of_the_same_version_is_taken() {
        assert_eq!(checkout().as_deref(), Path::new(env!("CARGO_MANIFEST_DIR")).parent());
        let place = tempfile::tempdir().unwrap();
        assert_eq!(within(place.path()), None, "as in the registry's directory");
        let check = |name: &str, version: &str, taken: bool| {
            let text = format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\n");
            std::fs::write(place.path().join("Cargo.toml"), text).unwrap();
            assert_eq!(within(place.path()).is_some(), taken, "{name} {version}");
        };
        check("perf-budget", env!("CARGO_PKG_VERSION"), true);
        check("perf-budget", "99.0.0", false);
        check("another", env!("CARGO_PKG_VERSION"), false);
    }
}
