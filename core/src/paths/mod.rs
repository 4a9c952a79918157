//! The paths of the project's budgets, and of the directory of results.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::fnv;

pub mod asked;
mod pointer;
mod user_cache;

use self::pointer::workspace;
pub use self::pointer::{Place, default, leave, places};
pub use self::user_cache::{USER_CACHE, user_cache};

/// The variable that overrides the directory of results.
pub const DIRECTORY: &str = "PERF_BUDGET_DIR";

/// Returns the file with the budgets: `named`, or `budgets.toml`, beside the package's manifest.
pub fn budgets(named: Option<&Path>) -> PathBuf {
    let named = named.unwrap_or(Path::new("budgets.toml"));
    match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(package) => Path::new(&package).join(named),
        None => named.to_owned(),
    }
}

/// Returns the directory of results: `target/budgets` of the target directory that the test binary is in. Where nextest
/// has unpacked the binary from an archive, which it deletes afterwards, it is the one of the workspace. The directory
/// is created if necessary.
///
/// # Errors
/// If it cannot be created, or the path of the test binary is unknown.
pub fn results() -> Result<PathBuf, Error> {
    let directory = match from_environment() {
        Some(set) => set,
        None => match package().filter(|_| is_unpacked()) {
            Some(package) => default(&workspace(&package)),
            None => target()?.join("budgets"),
        },
    };
    std::fs::create_dir_all(&directory).map_err(|e| {
        Error::other(format!(
            "failed to create `{}`, which results are kept in: {e}; set {DIRECTORY} to a directory \
             that can be written",
            directory.display()
        ))
    })?;
    directory.canonicalize().map_err(|e| Error::io("resolve", &directory, e))
}

/// Returns the directory of results that the environment names. An empty variable names none: a workflow sets it like that
/// if an input was left out.
pub fn from_environment() -> Option<PathBuf> {
    std::env::var_os(DIRECTORY).filter(|set| !set.is_empty()).map(PathBuf::from)
}

/// Returns the directory of the package whose tests run, if cargo or nextest names it.
pub fn package() -> Option<PathBuf> {
    std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from)
}

/// Returns a name for the place that a project is in: the directory of its package, or of its file with budgets where
/// that is in another directory. Several checkouts may share a record, and this tells them apart. A directory that is
/// reached by another path has the same name.
pub fn checkout(package: &Path, budgets: &Path) -> String {
    let resolve = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (package, budgets) = (resolve(package), resolve(budgets));
    let directory = budgets.parent().filter(|_| !budgets.starts_with(&package));
    let directory = directory.unwrap_or(&package);
    fnv::name(directory.as_os_str().as_encoded_bytes())
}

/// Whether nextest has unpacked this binary from an archive: then it describes the binaries in a file above them.
fn is_unpacked() -> bool {
    let binary = std::env::current_exe().unwrap_or_default();
    // The path may be as long as `target/TRIPLE/release/deps/budgets-1`.
    binary.ancestors().take(6).any(|dir| dir.join("nextest/binaries-metadata.json").is_file())
}

/// Returns the file that outcomes are appended to.
pub fn record(results: &Path) -> PathBuf {
    results.join("outcomes.jsonl")
}

/// Returns the directory of Criterion's records. Criterion looks at the same variables, from the package's directory,
/// and otherwise uses cargo's target directory.
///
/// # Errors
/// If no variable is set and the path of the test binary is unknown.
pub fn criterion() -> Result<PathBuf, Error> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let named = ["CRITERION_HOME", "CARGO_TARGET_DIR"].map(std::env::var_os);
    criterion_from(&package, named.map(|path| path.map(PathBuf::from)), target)
}

fn criterion_from(
    package: &Path,
    [home, target]: [Option<PathBuf>; 2],
    default_target: impl FnOnce() -> Result<PathBuf, Error>,
) -> Result<PathBuf, Error> {
    match (home, target) {
        (Some(home), _) => Ok(package.join(home)),
        (None, Some(target)) => Ok(package.join(target).join("criterion")),
        (None, None) => Ok(default_target()?.join("criterion")),
    }
}

/// Returns cargo's target directory. Cargo marks it with `CACHEDIR.TAG`; without that file, it is two levels above
/// `deps/`. A binary that was copied elsewhere is in no `deps/`, and the directory above it is not a place for
/// results.
fn target() -> Result<PathBuf, Error> {
    let unknown = |e| Error::io("find the place of", Path::new("the test binary"), e);
    let binary = std::env::current_exe().map_err(unknown)?;
    let marked = binary.ancestors().skip(1).find(|dir| dir.join("CACHEDIR.TAG").is_file());
    Ok(marked.or_else(|| above_deps(&binary)).unwrap_or(Path::new("target")).to_owned())
}

fn above_deps(binary: &Path) -> Option<&Path> {
    let deps = binary.parent().filter(|dir| dir.ends_with("deps"))?;
    deps.ancestors().nth(2)
}

/// The variables in which GitHub Actions and GitLab name the repository's root.
const REPOSITORY: [&str; 2] = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"];

/// Returns `path` as people know it: relative to the repository's root under GitHub Actions and GitLab, which show the
/// lines of files by that; otherwise relative to the current directory, if it is below that.
pub fn display_path(path: &Path) -> String {
    let repository = REPOSITORY.into_iter().filter_map(std::env::var_os).map(PathBuf::from);
    shown_from(path, repository.chain(std::env::current_dir().ok()))
}

fn shown_from(path: &Path, places: impl IntoIterator<Item = PathBuf>) -> String {
    // One of the two paths may lead through a symbolic link.
    let resolved = path.canonicalize().ok();
    let below = |place: PathBuf| {
        let as_named = path.strip_prefix(&place).ok().map(Path::to_owned);
        as_named.or_else(|| {
            let place = place.canonicalize().ok()?;
            resolved.as_deref()?.strip_prefix(place).ok().map(Path::to_owned)
        })
    };
    let relative = places.into_iter().find_map(below);
    relative.map_or_else(|| path.display().to_string(), |relative| slashed(&relative))
}

/// Returns a relative path with slashes on every system: GitHub and GitLab know a file by no other name.
fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, places: &[&str], want: &str) {
        assert_eq!(shown_from(Path::new(path), places.iter().map(PathBuf::from)), want);
    }

    #[test]
    fn criterion_is_found_where_it_looks_itself() {
        let check = |home: Option<&str>, target: Option<&str>, want: &str| {
            let named = [home, target].map(|path| path.map(PathBuf::from));
            let default_target = || Ok(PathBuf::from("/w/target"));
            let got = criterion_from(Path::new("/w/app"), named, default_target).unwrap();
            assert_eq!(got, Path::new(want));
        };
        check(None, None, "/w/target/criterion");
        check(None, Some("/t"), "/t/criterion");
        check(None, Some("t"), "/w/app/t/criterion");
        check(Some("/c"), Some("/t"), "/c");
        check(Some("c"), None, "/w/app/c");
    }

    #[test]
    fn a_project_is_known_by_the_directory_of_its_budgets() {
        let of = |package: &str, budgets: &str| checkout(Path::new(package), Path::new(budgets));
        let here = of("/none/a", "/none/a/budgets.toml");
        assert_eq!(of("/none/a", "/none/a/perf/stress.toml"), here);
        assert_ne!(of("/none/b", "/none/b/budgets.toml"), here);
        // The packages of a workspace may share a file at its root.
        let root = of("/none/a", "/none/budgets.toml");
        assert_eq!(root, of("/none", "/none/budgets.toml"));
        assert_ne!(root, here);
    }

    #[test]
    fn results_are_only_kept_in_a_target_directory() {
        let check = |binary: &str, want: Option<&str>| {
            assert_eq!(above_deps(Path::new(binary)), want.map(Path::new));
        };
        check("/w/target/release/deps/budgets-1", Some("/w/target"));
        check("/tmp/copied/budgets", None);
        check("/budgets", None);
    }

    #[cfg(unix)]
    #[test]
    fn a_place_may_be_reached_by_a_symbolic_link() {
        let dir = std::env::temp_dir().join(format!("perf-budget-linked-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("real/app")).unwrap();
        std::fs::write(dir.join("real/app/budgets.toml"), "").unwrap();
        std::os::unix::fs::symlink(dir.join("real"), dir.join("link")).unwrap();
        let (real, link) = (dir.join("real/app/budgets.toml"), dir.join("link/app/budgets.toml"));
        for path in [&real, &link] {
            for place in ["real", "link"] {
                // Cargo names the current directory by its resolved path.
                let places = [dir.join(place), dir.join("real/app")];
                assert_eq!(shown_from(path, places), "app/budgets.toml", "{}", path.display());
            }
        }
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_file_is_named_from_the_first_place_it_is_below() {
        check("/repo/app/budgets.toml", &["/repo", "/repo/app"], "app/budgets.toml");
        check("/repo/app/budgets.toml", &["/elsewhere", "/repo/app"], "budgets.toml");
        check("/repo/app/budgets.toml", &[], "/repo/app/budgets.toml");
    }
}
