//! The bound of the target directories that bases are built in. Cargo never removes anything from a target directory,
//! and each new version of a dependency, each toolchain and each profile adds to it.
//!
//! Files that have not been used for a long time are removed before a base is built, while no other comparison uses the
//! directory. If the rest is still too large, the files with the oldest last use are removed too, except those that were
//! used within the last day. Cargo compiles again what it needs of them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::checkout::AGE;
use super::reused::is_hash;

/// The most bytes that all compilations may take; those that were used within [`RECENT`] stay even beyond this bound.
const ROOM: u64 = 5 << 30;
/// A compilation that was used within this time is never removed. Otherwise a large project would be built anew each time.
const RECENT: Duration = Duration::from_secs(24 * 60 * 60);

/// The files and directories of one compilation.
#[derive(Debug)]
struct Unit {
    paths: Vec<PathBuf>,
    bytes: u64,
    /// When any of its files was last read or written.
    used: SystemTime,
}

/// Removes compilations that have not been used for a long time from the target directory `target` and from those beside
/// it, which are for bases with other variables. It keeps the rest within the bound. A file that cannot be removed stays,
/// which does no harm.
pub(super) fn prune(target: &Path) {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let beside = target.parent().and_then(|parent| fs::read_dir(parent).ok());
    let beside = beside.into_iter().flatten().flatten().map(|entry| entry.path());
    let is_target = |path: &PathBuf| {
        path.file_name().is_some_and(|own| own.to_string_lossy().starts_with(&*name))
    };
    let targets: Vec<PathBuf> = beside.filter(is_target).collect();
    prune_to(&targets, SystemTime::now(), ROOM);
}

fn prune_to(targets: &[PathBuf], now: SystemTime, room: u64) {
    let age = |used: SystemTime| now.duration_since(used).unwrap_or_default();
    let mut left: Vec<Unit> = targets.iter().flat_map(|target| units(target)).collect();
    // The compilation that was used last comes first.
    left.sort_by_key(|unit| std::cmp::Reverse(unit.used));
    let mut total = 0;
    for unit in left {
        let age = age(unit.used);
        total += unit.bytes;
        if age > AGE || (age > RECENT && total > room) {
            remove(&unit);
        }
    }
}

fn remove(unit: &Unit) {
    for path in &unit.paths {
        let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    }
}

/// Returns the compilations in a target directory: those of each profile, for this machine and for each other target.
fn units(target: &Path) -> Vec<Unit> {
    let mut units = Vec::new();
    let below = |directory: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(directory).into_iter().flatten();
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect()
    };
    for directory in below(target) {
        let further = below(&directory);
        for profile in [directory].into_iter().chain(further) {
            if profile.join(".fingerprint").is_dir() {
                units.extend(units_of_profile(&profile).into_values());
            }
        }
    }
    units
}

/// Returns the compilations of one profile by their names: the hash that is in the names of their files, or the directory
/// of an incremental compilation.
fn units_of_profile(profile: &Path) -> BTreeMap<String, Unit> {
    let mut units = BTreeMap::<String, Unit>::new();
    // The fingerprints come first, so that they are removed first: cargo would rely on a file whose fingerprint is there.
    for part in [".fingerprint", "deps", "build", "examples", "incremental"] {
        for entry in fs::read_dir(profile.join(part)).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let hash = name.split('.').next().and_then(|stem| stem.rsplit_once('-'));
            let key = match hash {
                Some((_, hash)) if is_hash(hash) => hash.to_owned(),
                _ if part == "incremental" => format!("incremental {name}"),
                _ => continue,
            };
            let path = entry.path();
            // A file that has been removed in the meantime takes no room.
            let Ok((bytes, used)) = size(&path) else { continue };
            let unit = units.entry(key).or_insert(Unit { paths: Vec::new(), bytes: 0, used });
            unit.paths.push(path);
            unit.bytes += bytes;
            unit.used = unit.used.max(used);
        }
    }
    units
}

/// Returns the size of a file or of everything in a directory, and when any of it was last read or written.
fn size(path: &Path) -> io::Result<(u64, SystemTime)> {
    let known = path.symlink_metadata()?;
    let modified = known.modified()?;
    if !known.is_dir() {
        return Ok((known.len(), known.accessed().map_or(modified, |read| read.max(modified))));
    }
    // The access time of a directory means nothing, because this function reads it.
    let mut all = (0, modified);
    for entry in fs::read_dir(path)? {
        let (bytes, used) = size(&entry?.path())?;
        all = (all.0 + bytes, all.1.max(used));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use std::fs::FileTimes;

    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// Writes the files of one compilation, and sets their times and those of their directories.
    fn unit(target: &Path, profile: &str, hash: &str, used: SystemTime) {
        for (name, bytes) in [
            (format!(".fingerprint/kit-{hash}/lib-kit"), 0),
            (format!("deps/libkit-{hash}.rlib"), 100),
            (format!("build/kit-{hash}/out/made.rs"), 0),
        ] {
            let path = target.join(profile).join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, vec![0; bytes]).unwrap();
            let times = FileTimes::new().set_accessed(used).set_modified(used);
            fs::File::options().append(true).open(&path).unwrap().set_times(times).unwrap();
        }
        // A directory is as old as what was last added to it.
        for directory in [
            format!(".fingerprint/kit-{hash}"),
            format!("build/kit-{hash}/out"),
            format!("build/kit-{hash}"),
        ] {
            let directory = fs::File::open(target.join(profile).join(directory)).unwrap();
            directory.set_modified(used).unwrap();
        }
    }

    #[test]
    #[cfg_attr(
        windows,
        ignore = "Windows does not set the time of a directory that is opened to be read"
    )]
    fn old_compilations_and_those_beyond_the_bound_are_removed_except_recent_ones() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path();
        let now = SystemTime::now();
        let [lately, days, weeks, old] =
            [DAY / 2, DAY * 2, DAY * 20, AGE + DAY].map(|age| now - age);
        let hash = |letter: &str| letter.repeat(16);
        let all = [
            ("release", "a", lately),
            ("x86_64-unknown-linux-gnu/dev", "b", days),
            ("release", "c", weeks),
            ("release", "d", old),
        ];
        let left = |room: u64| {
            for (profile, letter, used) in all {
                unit(target, profile, &hash(letter), used);
            }
            prune_to(&[target.to_owned()], now, room);
            let is_left = |(profile, letter): (&str, &str)| {
                let found = [".fingerprint/kit-H", "deps/libkit-H.rlib", "build/kit-H/out/made.rs"];
                let found = found.map(|name| {
                    target.join(profile).join(name.replace('H', &hash(letter))).exists()
                });
                assert!(found == [found[0]; 3], "a part of {letter} is left: {found:?}");
                found[0]
            };
            let left = all.iter().filter(|(profile, letter, _)| is_left((profile, letter)));
            left.map(|(_, letter, _)| *letter).collect::<String>()
        };
        assert_eq!(left(1000), "abc");
        assert_eq!(left(250), "ab");
        assert_eq!(left(0), "a");
        // Something that was old is not removed once it was read again.
        unit(target, "release", &hash("d"), old);
        let read = target.join("release/.fingerprint").join(format!("kit-{}/lib-kit", hash("d")));
        let times = FileTimes::new().set_accessed(lately).set_modified(old);
        fs::File::options().append(true).open(&read).unwrap().set_times(times).unwrap();
        prune_to(&[target.to_owned()], now, 1000);
        assert!(read.exists());
        // A file that belongs to no compilation stays.
        let other = target.join("release/deps/notes.txt");
        fs::write(&other, "").unwrap();
        fs::File::options().append(true).open(&other).unwrap().set_modified(old).unwrap();
        prune_to(&[target.to_owned()], now, 0);
        assert!(other.exists());
    }

    #[test]
    #[cfg_attr(
        windows,
        ignore = "Windows does not set the time of a directory that is opened to be read"
    )]
    fn directories_beside_each_other_have_one_bound() {
        let place = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let names = ["target", "target-0123456789abcdef", "links"];
        let made = |name: &str| place.path().join(name);
        for name in names {
            unit(&made(name), "release", &"a".repeat(16), now - (AGE + DAY));
        }
        prune(&made("target"));
        let is_left = |name: &str| {
            made(name)
                .join("release/.fingerprint/kit-")
                .with_file_name(format!("kit-{}", "a".repeat(16)))
                .exists()
        };
        assert_eq!(names.map(is_left), [false, false, true]);
    }
}
