//! A saved base: test binaries that were built elsewhere, for instance by the run that tested the main branch.
//!
//! A file beside them describes the commit, the toolchain and the settings that they were built with. They are used only
//! if the base would be built here with exactly the same ones. Otherwise the base is built.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::compared::Links;
use super::running::Changes;
use crate::failure::Failure;
use crate::file;

/// The name of the file that describes the saved base.
const FILE: &str = "base.json";
/// The version of that file's format.
const VERSION: u32 = 3;

/// The inputs of a base's build: two bases with the same key are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) commit: String,
    pub(super) test: String,
    pub(super) profile: String,
    pub(super) options: Vec<String>,
    /// The output of `cargo -vV`: its version, its host and the operating system.
    pub(super) toolchain: String,
    /// The settings that affect cargo's build, by key. Only a digest of each value is stored, since some are secret.
    pub(super) flags: BTreeMap<String, String>,
    /// The way in which the builds that times are compared with are made.
    pub(super) times: String,
}

/// The content of the file that describes the saved base.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    version: u32,
    key: Key,
    /// The directory of the base's package when it was built.
    package: PathBuf,
    /// The target directory that it was built in.
    target: PathBuf,
    /// The changes that cargo makes to the environment of the binary.
    environment: Changes,
    /// The path of the binary below the target directory.
    place: PathBuf,
    /// Why there is only one link; `None` where there are several.
    reason: Option<String>,
    /// The seed of the first link. Older releases began with 1.
    #[serde(default = "first")]
    first_seed: u32,
    /// The name and the digest of each file: the binary, and the links that times are compared with.
    files: Vec<(String, String)>,
}

fn first() -> u32 {
    1
}

/// A saved base that was copied to the target directory.
#[derive(Debug)]
pub(super) struct CopiedBase {
    pub(super) binary: PathBuf,
    pub(super) links: Links,
    pub(super) reason: Option<String>,
    /// The changes that cargo makes to the environment of the binary.
    pub(super) environment: Changes,
}

/// The name of the saved binary.
const BINARY: &str = "binary";
/// The name of the binary that the links repeat. It is removed together with the links.
const PLAIN: &str = "link-plain";

/// Saves a base to the directory `to`. It was built in `target_dir` from the package in `package`.
pub(super) fn write(
    to: &Path,
    key: &Key,
    (package, target_dir): (&Path, &Path),
    binary: &Path,
    (links, reason): (&Links, Option<&str>),
    environment: &Changes,
) -> Result<(), Failure> {
    fs::create_dir_all(to).map_err(|e| Failure::io("create", to, &e))?;
    // The description is removed first and written last, so that an incomplete directory is not taken for a base.
    let file = to.join(FILE);
    file::remove(&file)?;
    let mut files = Vec::new();
    let names = std::iter::once((BINARY.to_owned(), binary));
    let plain = links.plain.iter().map(|plain| (PLAIN.to_owned(), plain.as_path()));
    let first_seed = links.first_seed;
    let links = links.binaries.iter().enumerate();
    let links = links.map(|(nth, link)| (format!("link-{nth}"), link.as_path()));
    for (name, from) in names.chain(plain).chain(links) {
        let content = fs::read(from).map_err(|e| Failure::io("read", from, &e))?;
        let place = to.join(&name);
        fs::write(&place, &content).map_err(|e| Failure::io("write", &place, &e))?;
        files.push((name, digest(&content)));
    }
    let place = binary.strip_prefix(target_dir).unwrap_or(binary).to_owned();
    let reason = reason.map(str::to_owned);
    let saved = Saved {
        version: VERSION,
        key: key.clone(),
        package: package.to_owned(),
        target: target_dir.to_owned(),
        environment: environment.clone(),
        place,
        reason,
        first_seed,
        files,
    };
    let text = serde_json::to_vec_pretty(&saved)
        .map_err(|e| Failure::unmeasured(format!("failed to describe the base: {e}")))?;
    fs::write(&file, text).map_err(|e| Failure::io("write", &file, &e))
}

/// Copies the saved base in `from` to `target_dir`, under names that cargo does not use.
///
/// # Errors
/// Returns the reason why the saved base cannot be used.
pub(super) fn take(
    from: &Path,
    key: &Key,
    package: &Path,
    target_dir: &Path,
) -> Result<CopiedBase, String> {
    let file = from.join(FILE);
    let text = fs::read(&file).map_err(|e| format!("it has no {FILE}: {e}"))?;
    let saved: Saved =
        serde_json::from_slice(&text).map_err(|e| format!("its {FILE} cannot be read: {e}"))?;
    if saved.version != VERSION {
        return Err(format!(
            "it was written by another release, in version {} of the format",
            saved.version
        ));
    }
    compare(&saved.key, key)?;
    let name = saved.place.file_name().unwrap_or_default().to_string_lossy();
    let beside = target_dir.join(saved.place.parent().unwrap_or(Path::new("")));
    let binary = beside.join(format!("saved-{name}"));
    if !binary.starts_with(target_dir) || saved.place.iter().any(|part| part == "..") {
        return Err("it names a place outside of the target directory".to_owned());
    }
    fs::create_dir_all(&beside)
        .map_err(|e| format!("`{}` cannot be made: {e}", beside.display()))?;
    let mut links = Links::empty(&binary, saved.first_seed);
    let beside_binary = |name: &str| {
        beside.join(format!("{}.{name}", binary.file_name().unwrap_or_default().display()))
    };
    for (name, known) in &saved.files {
        let to = match name.strip_prefix("link-") {
            None if name == BINARY => binary.clone(),
            Some(_) if name == PLAIN => links.plain.insert(beside_binary(name)).clone(),
            Some(nth) if nth.parse::<u32>().is_ok() => {
                let to = beside_binary(name);
                links.binaries.push(to.clone());
                to
            }
            _ => return Err(format!("it names `{name}`, which is not a file of a base")),
        };
        copy(&from.join(name), &to, known, (&saved.package, package))?;
    }
    if !binary.is_file() {
        return Err("it has no binary".to_owned());
    }
    let environment = moved(&saved, package, target_dir);
    Ok(CopiedBase { binary, links, reason: saved.reason, environment })
}

/// Returns the changes that cargo makes to the environment, with the directories of this machine.
fn moved(saved: &Saved, package: &Path, target_dir: &Path) -> Changes {
    let places = [(&saved.target, target_dir), (&saved.package, package)];
    let with_own_places = |value: &String| {
        places.iter().fold(value.clone(), |value, (there, here)| {
            value.replace(&*there.to_string_lossy(), &here.to_string_lossy())
        })
    };
    let changes = saved.environment.iter();
    changes.map(|(name, value)| (name.clone(), value.as_ref().map(with_own_places))).collect()
}

/// Copies a file of a saved base, whose digest must still be `expected`.
fn copy(
    from: &Path,
    to: &Path,
    expected: &str,
    (package, here): (&Path, &Path),
) -> Result<(), String> {
    let content =
        fs::read(from).map_err(|e| format!("`{}` cannot be read: {e}", from.display()))?;
    if digest(&content) != expected {
        return Err(format!("`{}` was changed after it was written", from.display()));
    }
    // A workload that finds its files by `env!("CARGO_MANIFEST_DIR")` would find none, or those of another revision.
    let path = package.to_string_lossy();
    if package != here && contains(&content, path.as_bytes()) {
        return Err(format!(
            "it was built in `{path}`, which its code names, and the base is in `{}`",
            here.display()
        ));
    }
    let written = fs::write(to, &content).and_then(|()| {
        let time = from.metadata()?.modified()?;
        let file = fs::File::options().append(true).open(to)?;
        // An archive may have lost the permission to run the file.
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        file.set_modified(time)
    });
    written.map_err(|e| format!("`{}` cannot be written: {e}", to.display()))
}

/// Checks that two keys are equal; the error names what differs.
fn compare(saved: &Key, wanted: &Key) -> Result<(), String> {
    let differs = |what: &str, there: &str, here: &str| {
        if there == here {
            return Ok(());
        }
        Err(format!("its {what} is {there}, and the base's is {here}"))
    };
    differs("commit", &saved.commit, &wanted.commit)?;
    differs("test", &saved.test, &wanted.test)?;
    differs("profile", &saved.profile, &wanted.profile)?;
    differs("options", &saved.options.join(" "), &wanted.options.join(" "))?;
    differs("toolchain", &one_line(&saved.toolchain), &one_line(&wanted.toolchain))?;
    let keys = saved.flags.keys().chain(wanted.flags.keys());
    let mut other = keys.filter(|key| saved.flags.get(*key) != wanted.flags.get(*key));
    if let Some(key) = other.next() {
        return Err(format!("it was built with another `{key}`"));
    }
    differs("way of comparing times", &saved.times, &wanted.times)
}

fn one_line(text: &str) -> String {
    text.lines().collect::<Vec<_>>().join(", ")
}

/// Whether `content` contains the bytes `part`.
fn contains(content: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && content.windows(part.len()).any(|window| window == part)
}

/// Returns a digest of some content, as text.
pub(super) fn digest(content: &[u8]) -> String {
    use std::fmt::Write as _;
    hmac_sha256::Hash::hash(content).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key {
            commit: "c0ffee".to_owned(),
            test: "budgets".to_owned(),
            profile: "release".to_owned(),
            options: Vec::new(),
            toolchain: "cargo 1.89.0\nhost: x86_64".to_owned(),
            flags: BTreeMap::from([("RUSTFLAGS".to_owned(), digest(b"-O"))]),
            times: "one unit, 2 links".to_owned(),
        }
    }

    #[test]
    fn a_saved_base_is_used_where_its_key_is_equal_and_refused_with_a_reason_otherwise() {
        let place = tempfile::tempdir().unwrap();
        let (target, dir, there) =
            (place.path().join("target"), place.path().join("saved"), place.path().join("other"));
        let binary = target.join("release/deps/budgets-1");
        let package = Path::new("/cache/checkout");
        fs::create_dir_all(binary.parent().unwrap()).unwrap();
        fs::write(&binary, "a binary").unwrap();
        let mut links = Links::empty(&binary, 1000);
        links.binaries = vec![binary.with_extension("link-1"), binary.with_extension("link-2")];
        links.plain = Some(binary.with_extension("link-plain"));
        for link in links.binaries.iter().chain(&links.plain) {
            fs::write(link, "it names /cache/checkout/data").unwrap();
        }
        let paths = format!("{}/release:/lib", target.display());
        let environment =
            [("LIBS", Some(&*paths)), ("AT", Some("/cache/checkout/x")), ("GONE", None)];
        let environment: Changes =
            environment.map(|(name, value)| (name.to_owned(), value.map(str::to_owned))).into();
        write(&dir, &key(), (package, &target), &binary, (&links, None), &environment).unwrap();
        let taken = take(&dir, &key(), package, &there).unwrap();
        assert_eq!(taken.binary, there.join("release/deps/saved-budgets-1"));
        assert_eq!(fs::read_to_string(&taken.binary).unwrap(), "a binary");
        assert_eq!((taken.links.binaries.len(), taken.links.first_seed), (2, 1000));
        let paths = format!("{}/release:/lib", there.display());
        assert_eq!(taken.environment["LIBS"].as_ref(), Some(&paths));
        assert_eq!(taken.environment["AT"].as_deref(), Some("/cache/checkout/x"));
        assert_eq!(taken.environment["GONE"], None);
        let some = [taken.links.binaries[1].clone(), taken.links.plain.clone().unwrap()];
        assert!(some.iter().all(|link| link.is_file()));
        drop(taken);
        assert!(!some.iter().any(|link| link.exists()), "links are removed after use");

        let refused = |change: &dyn Fn(&mut Key), want: &str| {
            let mut other = key();
            change(&mut other);
            let reason = take(&dir, &other, package, &there).unwrap_err();
            assert!(reason.contains(want), "{reason}");
        };
        refused(
            &|key| key.commit = "dead".to_owned(),
            "its commit is c0ffee, and the base's is dead",
        );
        refused(&|key| key.toolchain = "cargo 1.90.0".to_owned(), "its toolchain is cargo 1.89.0");
        refused(&|key| key.flags.clear(), "it was built with another `RUSTFLAGS`");
        refused(&|key| key.times = "as built".to_owned(), "its way of comparing times");
        let reason = take(&dir, &key(), Path::new("/elsewhere"), &there).unwrap_err();
        assert!(
            reason.contains("it was built in `/cache/checkout`, which its code names"),
            "{reason}"
        );
        fs::write(dir.join("link-1"), "something else").unwrap();
        let reason = take(&dir, &key(), package, &there).unwrap_err();
        assert!(reason.contains("was changed after it was written"), "{reason}");
        fs::remove_file(dir.join(FILE)).unwrap();
        assert!(take(&dir, &key(), package, &there).unwrap_err().contains("it has no base.json"));
    }
}
