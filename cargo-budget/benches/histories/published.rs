//! The published versions of a crate as a history: a repository with a commit for each of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{git, text};

/// The files of a package that cargo writes when it publishes or unpacks it, and its lock.
const OF_CARGO: [&str; 4] = ["Cargo.toml.orig", ".cargo_vcs_info.json", ".cargo-ok", "Cargo.lock"];

/// Makes the repository below `place`, and returns its path. Cargo downloads what is not on this machine yet.
/// A version that was withdrawn cannot be had.
pub(super) fn repository(name: &str, versions: &str, place: &Path) -> PathBuf {
    let repository = place.join("published");
    fs::create_dir(&repository).expect("a directory for the repository");
    git(&repository, &["init", "-q"]);
    for version in versions.split(',') {
        git(&repository, &["rm", "-q", "-r", "--ignore-unmatch", "."]);
        copy(&unpacked(name, version, place), &repository);
        git(&repository, &["add", "-A", "-f"]);
        let author = ["-c", "user.name=n", "-c", "user.email=n@n"];
        let commit = ["commit", "-q", "--allow-empty", "-m", version];
        git(&repository, &[&author[..], &commit].concat());
    }
    repository
}

/// Returns the directory in which cargo has unpacked a version.
fn unpacked(name: &str, version: &str, place: &Path) -> PathBuf {
    let asking = place.join("asking");
    fs::create_dir_all(asking.join("src")).expect("a package that depends on it");
    fs::write(asking.join("src/lib.rs"), "").expect("its source is written");
    let manifest = format!(
        "[package]\nname = \"asking\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\n{name} = \"={version}\"\n\n[workspace]\n"
    );
    fs::write(asking.join("Cargo.toml"), manifest).expect("its manifest is written");
    let _ = fs::remove_file(asking.join("Cargo.lock"));
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version", "1"]).current_dir(&asking);
    let output = cargo.output().expect("cargo starts");
    assert!(output.status.success(), "{}", text(&output));
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut own = packages.filter(|package| package["name"] == name).filter_map(|package| {
        Path::new(package["manifest_path"].as_str()?).parent().map(Path::to_owned)
    });
    own.next().expect("cargo has unpacked it")
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("the package is there").flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let at = to.join(&name);
        if path.is_dir() {
            fs::create_dir_all(&at).expect("a directory");
            copy(&path, &at);
        } else if !OF_CARGO.iter().any(|own| name == *own) {
            fs::copy(&path, &at).expect("a file is copied");
        }
    }
}
