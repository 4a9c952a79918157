//! The test binaries of a base that were built elsewhere: by the run that tested the main branch, say.
//!
//! What they were built of and by is written beside them, and they are taken only where all of that is what this base
//! would be built of and by. A base that is not taken is built.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::compared::Links;
use crate::failure::Failure;

/// What the directory says of itself.
const FILE: &str = "base.json";
/// The form of that file.
const VERSION: u32 = 1;

/// What a base is built of and by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) commit: String,
    pub(super) test: String,
    pub(super) profile: String,
    pub(super) options: Vec<String>,
    /// What cargo says of its version, its host and the system.
    pub(super) toolchain: String,
    /// What configures cargo, by key; of each value only a digest, since some are secret.
    pub(super) flags: BTreeMap<String, String>,
    /// How what times are compared with is built.
    pub(super) times: String,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    version: u32,
    key: Key,
    /// Where its package was.
    package: PathBuf,
    /// Where the binary was below the target directory.
    place: PathBuf,
    /// Why there is one link; `None` where there are several.
    reason: Option<String>,
    /// Each file with its digest: the binary, and what times are compared with.
    files: Vec<(String, String)>,
}

/// A base that was taken.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) binary: PathBuf,
    pub(super) links: Links,
    pub(super) reason: Option<String>,
}

/// The file's name of the binary; those of links begin with it.
const BINARY: &str = "binary";

/// Writes a base that was built in `target_dir`, whose package is in `package`.
pub(super) fn write(
    to: &Path,
    key: &Key,
    (package, target_dir): (&Path, &Path),
    binary: &Path,
    (links, reason): (&[PathBuf], Option<&str>),
) -> Result<(), Failure> {
    fs::create_dir_all(to).map_err(|e| Failure::io("create", to, &e))?;
    // What describes them goes first and comes last, so that half of a directory is none.
    let file = to.join(FILE);
    remove(&file)?;
    let mut files = Vec::new();
    let names = std::iter::once((BINARY.to_owned(), binary));
    let links = links.iter().enumerate();
    for (name, from) in
        names.chain(links.map(|(nth, link)| (format!("link-{nth}"), link.as_path())))
    {
        let content = fs::read(from).map_err(|e| Failure::io("read", from, &e))?;
        let place = to.join(&name);
        fs::write(&place, &content).map_err(|e| Failure::io("write", &place, &e))?;
        files.push((name, digest(&content)));
    }
    let place = binary.strip_prefix(target_dir).unwrap_or(binary).to_owned();
    let reason = reason.map(str::to_owned);
    let package = package.to_owned();
    let saved = Saved { version: VERSION, key: key.clone(), package, place, reason, files };
    let text = serde_json::to_vec_pretty(&saved)
        .map_err(|e| Failure::unmeasured(format!("failed to describe the base: {e}")))?;
    fs::write(&file, text).map_err(|e| Failure::io("write", &file, &e))
}

/// Takes what is in `from` into `target_dir`, where nothing of cargo's has such a name.
///
/// # Errors
/// Why it is not this base.
pub(super) fn take(
    from: &Path,
    key: &Key,
    package: &Path,
    target_dir: &Path,
) -> Result<Taken, String> {
    let file = from.join(FILE);
    let text = fs::read(&file).map_err(|e| format!("it has no {FILE}: {e}"))?;
    let saved: Saved =
        serde_json::from_slice(&text).map_err(|e| format!("its {FILE} cannot be read: {e}"))?;
    if saved.version != VERSION {
        return Err(format!("it was written by another release, in form {}", saved.version));
    }
    difference(&saved.key, key)?;
    let name = saved.place.file_name().unwrap_or_default().to_string_lossy();
    let beside = target_dir.join(saved.place.parent().unwrap_or(Path::new("")));
    let binary = beside.join(format!("saved-{name}"));
    if !binary.starts_with(target_dir) || saved.place.iter().any(|part| part == "..") {
        return Err("it names a place outside of the target directory".to_owned());
    }
    fs::create_dir_all(&beside)
        .map_err(|e| format!("`{}` cannot be made: {e}", beside.display()))?;
    let mut links = Links::of(&binary);
    for (name, known) in &saved.files {
        let to = match name.strip_prefix("link-") {
            None if name == BINARY => binary.clone(),
            Some(nth) if nth.parse::<u32>().is_ok() => {
                let to = beside
                    .join(format!("{}.{name}", binary.file_name().unwrap_or_default().display()));
                links.binaries.push(to.clone());
                to
            }
            _ => return Err(format!("it names `{name}`, which is no file of a base")),
        };
        copy(&from.join(name), &to, known, (&saved.package, package))?;
    }
    if !binary.is_file() {
        return Err("it has no binary".to_owned());
    }
    Ok(Taken { binary, links, reason: saved.reason })
}

/// Copies a file that is what it was when it was written.
fn copy(
    from: &Path,
    to: &Path,
    known: &str,
    (package, here): (&Path, &Path),
) -> Result<(), String> {
    let content =
        fs::read(from).map_err(|e| format!("`{}` cannot be read: {e}", from.display()))?;
    if digest(&content) != known {
        return Err(format!("`{}` is not what was written", from.display()));
    }
    // A workload that names its files by `env!("CARGO_MANIFEST_DIR")` would find none, or another revision's.
    let path = package.to_string_lossy();
    if package != here && memmem(&content, path.as_bytes()) {
        return Err(format!(
            "it was built in `{path}`, which its code names, and the base is in `{}`",
            here.display()
        ));
    }
    let written = fs::write(to, &content).and_then(|()| {
        let time = from.metadata()?.modified()?;
        let file = fs::File::options().append(true).open(to)?;
        // What came through an archive may not be run any more.
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        file.set_modified(time)
    });
    written.map_err(|e| format!("`{}` cannot be written: {e}", to.display()))
}

/// What of a key is another than it should be.
fn difference(saved: &Key, wanted: &Key) -> Result<(), String> {
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

fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Failure::io("remove", path, &e)),
        _ => Ok(()),
    }
}

/// Whether some bytes are among others.
fn memmem(content: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && content.windows(part.len()).any(|window| window == part)
}

/// A digest by which content is known.
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
    fn what_was_saved_is_taken_where_it_is_this_base_and_refused_with_the_reason_elsewhere() {
        let place = tempfile::tempdir().unwrap();
        let (target, dir, there) =
            (place.path().join("target"), place.path().join("saved"), place.path().join("other"));
        let binary = target.join("release/deps/budgets-1");
        let package = Path::new("/cache/checkout");
        fs::create_dir_all(binary.parent().unwrap()).unwrap();
        fs::write(&binary, "a binary").unwrap();
        let links = [binary.with_extension("link-1"), binary.with_extension("link-2")];
        for link in &links {
            fs::write(link, "it names /cache/checkout/data").unwrap();
        }
        write(&dir, &key(), (package, &target), &binary, (&links, None)).unwrap();
        let taken = take(&dir, &key(), package, &there).unwrap();
        assert_eq!(taken.binary, there.join("release/deps/saved-budgets-1"));
        assert_eq!(fs::read_to_string(&taken.binary).unwrap(), "a binary");
        assert_eq!(taken.links.binaries.len(), 2);
        let link = taken.links.binaries[1].clone();
        assert!(link.is_file());
        drop(taken);
        assert!(!link.exists(), "links are removed after use");

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
        assert!(reason.contains("is not what was written"), "{reason}");
        fs::remove_file(dir.join(FILE)).unwrap();
        assert!(take(&dir, &key(), package, &there).unwrap_err().contains("it has no base.json"));
    }
}
