//! The names of a workspace's packages, in the spelling that cargo's profiles use.
//!
//! Cargo refuses two profile settings for one package under two spellings. So a package that the project's own
//! profiles name gets the same name here.

use std::path::Path;

use cargo_metadata::{Metadata, Package};
use toml_edit::Item;

use super::configuration::{Files, canonical, read};

/// Returns the name of each package of the workspace, as it is written in `profile.NAME.package`.
pub(super) fn specs(workspace: &Metadata, files: &Files) -> Vec<String> {
    let manifest = workspace.workspace_root.as_std_path().join("Cargo.toml");
    let documents = [manifest].into_iter().chain(files.all()).filter_map(|file| read(&file));
    let known: Vec<String> =
        documents.flat_map(|document| profile_packages(document.as_item())).collect();
    workspace.workspace_packages().into_iter().map(|package| spec(package, &known)).collect()
}

/// Returns the package in a directory.
pub(super) fn package_at<'m>(metadata: &'m Metadata, root: &Path) -> Option<&'m Package> {
    let root = canonical(root);
    metadata.packages.iter().find(|package| {
        package.manifest_path.parent().is_some_and(|at| canonical(at.as_std_path()) == root)
    })
}

/// Whether the package in a directory has a test target of this name. A package that cargo does not list counts as having it:
/// cargo then reports the reason when it builds.
pub(super) fn has_test(metadata: &Metadata, root: &Path, test: &str) -> bool {
    let own = package_at(metadata, root);
    own.is_none_or(|package| package.targets.iter().any(|t| t.is_test() && t.name == test))
}

/// Returns the packages that the profiles of a manifest or of a configuration file name.
fn profile_packages(document: &Item) -> Vec<String> {
    let profiles = document.get("profile").and_then(Item::as_table_like);
    let packages = profiles.into_iter().flat_map(|profiles| profiles.iter());
    let packages = packages.filter_map(|(_, profile)| profile.get("package")?.as_table_like());
    packages.flat_map(|packages| packages.iter().map(|(name, _)| name.to_owned())).collect()
}

/// Returns the name for one package: the name in `known` that stands for it, or else its own name and version.
fn spec(package: &Package, known: &[String]) -> String {
    let (name, version) = (package.name.as_str(), package.version.to_string());
    let whole = format!("{name}@{version}");
    let is_this = |known: &&String| {
        // A URL ends with the name, the version, or both.
        let own = known.rsplit_once('#').map_or(known.as_str(), |(_, own)| own);
        let is_url = own.len() < known.len();
        let (own_name, own_version) = own.split_once(['@', ':']).unwrap_or((own, ""));
        (own_name == name && (own_version.is_empty() || version.starts_with(own_version)))
            || (is_url && own == version && known.contains(name))
    };
    known.iter().find(is_this).cloned().unwrap_or(whole)
}

#[cfg(test)]
mod tests {
    use toml_edit::Document;

    use super::*;

    #[test]
    fn a_package_is_named_as_the_project_names_it() {
        let text = "[profile.release.package.one]\nopt-level = 1\n[profile.dev.package]\n\"two@0.1\" = {}\n\"*\" = {}\n";
        let document: Document<String> = Document::parse(text.to_owned()).unwrap();
        let known = profile_packages(document.as_item());
        assert_eq!(known, ["one", "two@0.1", "*"]);
        let check = |name: &str, want: &str| {
            let package = serde_json::json!({
                "name": name, "version": "0.1.0", "id": name, "dependencies": [], "targets": [],
                "features": {}, "manifest_path": "/x/Cargo.toml",
            });
            let package: Package = serde_json::from_value(package).unwrap();
            assert_eq!(spec(&package, &known), want);
        };
        check("one", "one");
        check("two", "two@0.1");
        check("three", "three@0.1.0");
    }
}
