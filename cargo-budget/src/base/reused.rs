//! Dependencies that this revision has compiled, made available to the base's build.
//!
//! Cargo recognises its compilations by a hash of the version, the features, the profile and the toolchain, which is a
//! part of every file's name. So the files of packages from a registry or from git are put into the base's target
//! directory under the same names, and cargo itself decides which of them the base needs. Packages of the workspace and
//! other path dependencies are left out, because their hashes do not differ between two revisions.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// One compilation: the directory of the profile that its files are in, and the hash in their names.
type Unit = (PathBuf, String);

/// The number of characters of such a hash.
const HASH: usize = 16;

/// Copies the files that cargo compiled in the target directory `from`, according to `messages`, into the target
/// directory `to`. Cargo compiles anew what could not be copied.
pub(super) fn lend(messages: &[Value], from: &Path, to: &Path) -> io::Result<()> {
    let units = units(messages, from);
    let directories: BTreeSet<&PathBuf> = units.iter().map(|(directory, _)| directory).collect();
    for directory in directories {
        let is_wanted = |name: &str| {
            let hash = name.split('.').next().and_then(|stem| stem.rsplit_once('-'));
            hash.is_some_and(|(_, hash)| units.contains(&(directory.clone(), hash.to_owned())))
        };
        // The fingerprints come last: cargo compiles a file without a fingerprint again, but it would rely on a file
        // whose fingerprint is there.
        for part in ["deps", "build", ".fingerprint"] {
            let (here, there) = (from.join(directory).join(part), to.join(directory).join(part));
            let Ok(entries) = fs::read_dir(&here) else { continue };
            fs::create_dir_all(&there)?;
            for entry in entries {
                let name = entry?.file_name();
                if is_wanted(&name.to_string_lossy()) && !there.join(&name).exists() {
                    copy(&here.join(&name), &there.join(&name))?;
                }
            }
        }
    }
    Ok(())
}

/// Returns the compilations of packages from a registry or from git, whose content never changes.
fn units(messages: &[Value], from: &Path) -> BTreeSet<Unit> {
    let mut units = BTreeSet::new();
    for message in messages {
        let id = message["package_id"].as_str().unwrap_or("path+");
        if id.starts_with("path+") || !id.contains('+') {
            continue;
        }
        let files = message["filenames"].as_array().into_iter().flatten();
        let files = files.chain(message.get("out_dir")).filter_map(Value::as_str);
        units.extend(files.filter_map(|file| unit(Path::new(file).strip_prefix(from).ok()?)));
    }
    units
}

/// Returns the compilation that a file belongs to, from its path below the target directory, such as
/// `release/deps/libx-HASH.rlib` or `release/build/x-HASH/out`.
fn unit(file: &Path) -> Option<Unit> {
    let parts: Vec<_> = file.iter().map(|part| part.to_str()).collect::<Option<_>>()?;
    let kind = parts.iter().position(|part| matches!(*part, "deps" | "build"))?;
    let name = parts.get(kind + 1)?.split('.').next()?;
    let (_, hash) = name.rsplit_once('-')?;
    is_hash(hash).then(|| (parts[..kind].iter().collect(), hash.to_owned()))
}

/// Whether a part of a file's name is the hash by which cargo tells compilations apart.
pub(super) fn is_hash(text: &str) -> bool {
    text.len() == HASH && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Copies a file or a directory with its modification times, by which cargo sees that it is fresh. A library becomes a
/// hard link, since cargo replaces it and never writes to it. Every other file is small, or may be written to.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            copy(&from.join(&name), &to.join(&name))?;
        }
        return Ok(());
    }
    let is_library = from.extension().is_some_and(|kind| kind == "rlib" || kind == "rmeta");
    if is_library && fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    fs::copy(from, to)?;
    fs::File::options().append(true).open(to)?.set_modified(from.metadata()?.modified()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_packages_from_a_registry_or_git_are_reused() {
        let place = tempfile::tempdir().unwrap();
        let (from, to) = (place.path().join("head"), place.path().join("base"));
        let (one, two, three) = ("0123456789abcdef", "fedcba9876543210", "00000000deadbeef");
        let files = [
            format!("release/deps/libone-{one}.rlib"),
            format!("release/deps/one-{one}.d"),
            format!("release/.fingerprint/one-{one}/lib-one"),
            format!("release/build/one-{two}/out/made.rs"),
            format!("release/deps/libown-{three}.rlib"),
            format!("release/.fingerprint/own-{three}/lib-own"),
        ];
        for file in &files {
            fs::create_dir_all(from.join(file).parent().unwrap()).unwrap();
            fs::write(from.join(file), file).unwrap();
        }
        let at = |nth: usize| from.join(&files[nth]).display().to_string();
        let out = Path::new(&at(3)).parent().unwrap().display().to_string();
        let messages = [
            json!({ "reason": "compiler-artifact", "package_id": "registry+https://x#one@1.0.0", "filenames": [at(0)] }),
            json!({ "reason": "build-script-executed", "package_id": "registry+https://x#one@1.0.0", "out_dir": out }),
            json!({ "reason": "compiler-artifact", "package_id": "path+file:///own#0.1.0", "filenames": [at(4)] }),
            json!({ "reason": "build-finished", "success": true }),
        ];
        lend(&messages, &from, &to).unwrap();
        for (nth, file) in files.iter().enumerate() {
            assert_eq!(to.join(file).is_file(), nth < 4, "{file}");
        }
        let time = |path: PathBuf| path.metadata().unwrap().modified().unwrap();
        assert_eq!(time(to.join(&files[2])), time(from.join(&files[2])));
        // A file that is there already stays as it is.
        fs::write(to.join(&files[1]), "of the base").unwrap();
        lend(&messages, &from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join(&files[1])).unwrap(), "of the base");
    }
}
