//! The place from which a new crate gets the library.
//!
//! A command that `cargo install --path cargo-budget` installed has its library in the same checkout, and possibly
//! nowhere else. A command from a registry has its library there.

use std::path::{Path, PathBuf};

use toml_edit::{Document, Item};

/// Returns the checkout that this command was built from, if it still has the library of the same version. `None`
/// means that the library comes from the registry.
pub(crate) fn checkout() -> Option<PathBuf> {
    library_in(Path::new(env!("CARGO_MANIFEST_DIR")).parent()?)
}

/// Returns the directory if it has the library of this command's version.
fn library_in(directory: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(directory.join("Cargo.toml")).ok()?;
    let manifest = Document::parse(text).ok()?;
    let package = manifest.get("package")?;
    let own = package.get("version").and_then(Item::as_str);
    let shared = || manifest.get("workspace")?.get("package")?.get("version")?.as_str();
    let is_library = package.get("name").and_then(Item::as_str) == Some("perf-budget")
        && own.or_else(shared) == Some(env!("CARGO_PKG_VERSION"));
    is_library.then(|| directory.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_library_of_the_same_version_is_used() {
        assert_eq!(checkout().as_deref(), Path::new(env!("CARGO_MANIFEST_DIR")).parent());
        let place = tempfile::tempdir().unwrap();
        assert_eq!(library_in(place.path()), None, "as in the registry's directory");
        let check = |name: &str, version: &str, is_used: bool| {
            let text = format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\n");
            std::fs::write(place.path().join("Cargo.toml"), text).unwrap();
            assert_eq!(library_in(place.path()).is_some(), is_used, "{name} {version}");
        };
        check("perf-budget", env!("CARGO_PKG_VERSION"), true);
        check("perf-budget", "99.0.0", false);
        check("another", env!("CARGO_PKG_VERSION"), false);
    }
}
