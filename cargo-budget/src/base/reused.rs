//! Dependencies that this revision has compiled, for the base's build.
//!
//! Cargo knows what it has compiled by a hash of all that went into it, which is a part of every file's name: the version,
//! the features, the profile, the toolchain. So the files of packages from a registry or from git are put into the base's
//! directory under their names, and cargo itself decides which of them are what the base needs. Packages of the
//! workspace and other paths are left out: their names do not tell one revision from another.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// What one compilation's files have in their names, and the directory of the profile that they are in.
type Unit = (PathBuf, String);

/// Letters of such a hash.
const HASH: usize = 16;

/// Puts what cargo named in `messages` of a build into `from` also into `to`. What cannot be put there is compiled again.
pub(super) fn lend(messages: &[Value], from: &Path, to: &Path) -> io::Result<()> {
    let units = units(messages, from);
    let directories: BTreeSet<&PathBuf> = units.iter().map(|(directory, _)| directory).collect();
    for directory in directories {
        let is_wanted = |name: &str| {
            let hash = name.split('.').next().and_then(|stem| stem.rsplit_once('-'));
            hash.is_some_and(|(_, hash)| units.contains(&(directory.clone(), hash.to_owned())))
        };
        // The fingerprints last: a file without one is compiled again, one that is missing would be looked for.
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

/// What was compiled of packages that have a source: their content never changes.
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

/// The unit that a file belongs to, by its path below the target directory: `release/deps/libx-HASH.rlib`,
/// `release/build/x-HASH/out`.
fn unit(file: &Path) -> Option<Unit> {
    let parts: Vec<_> = file.iter().map(|part| part.to_str()).collect::<Option<_>>()?;
    let kind = parts.iter().position(|part| matches!(*part, "deps" | "build"))?;
    let name = parts.get(kind + 1)?.split('.').next()?;
    let (_, hash) = name.rsplit_once('-')?;
    let is_hash = hash.len() == HASH && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| (parts[..kind].iter().collect(), hash.to_owned()))
}

/// Copies a file or a directory with the times by which cargo knows what is fresh. A library is linked, since it is only
/// ever replaced; all else is small, or written to.
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
    fn what_has_a_source_is_lent_and_nothing_else() {
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
        // What is there already stays as it is.
        fs::write(to.join(&files[1]), "of the base").unwrap();
        lend(&messages, &from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join(&files[1])).unwrap(), "of the base");
    }
}
