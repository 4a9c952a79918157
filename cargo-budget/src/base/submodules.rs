//! The submodules of a commit, checked out at the commits that it names.
//!
//! Each is cloned from the user's own clone of it where there is one, so that a comparison needs no network. Git's own
//! `submodule init` is not used, because it would write to the user's configuration, which all work trees share.

use std::path::{Path, PathBuf};

use super::own_git::UNHOOKED;
use crate::failure::Failure;
use crate::git::{git, reason, text};

/// The depth to which nested submodules are checked out. Without a limit, a submodule that contains itself would never end.
const DEEPEST: usize = 8;

/// Checks out the submodules of the checkout in `directory`, and those nested in them. `known` is the directory where
/// the user's repository keeps its own clones of them.
pub(super) fn update(directory: &Path, known: &Path, commit: &str) -> Result<(), Failure> {
    update_below(directory, known, commit, DEEPEST)
}

fn update_below(
    directory: &Path,
    known: &Path,
    commit: &str,
    deeper: usize,
) -> Result<(), Failure> {
    for Submodule { name, path, url } in list(directory)? {
        let own = known.join(&name);
        let is_known = own.join("HEAD").is_file();
        let from = if is_known { own.to_string_lossy().into_owned() } else { url };
        if !is_known && from.starts_with('.') {
            return Err(Failure::unmeasured(format!(
                "{commit} has the submodule `{name}`, which this clone does not have; run `git submodule update \
                 --init --recursive`, or fetch `{from}` in its place"
            )));
        }
        let mut arguments: Vec<String> = UNHOOKED.iter().map(ToString::to_string).collect();
        let mut set = |key: &str, value: &str| {
            arguments.extend(["-c".to_owned(), format!("submodule.{name}.{key}={value}")]);
        };
        set("url", &from);
        set("active", "true");
        // `.gitmodules` could otherwise ask for a command, a merge or nothing at all.
        set("update", "checkout");
        if is_known {
            arguments.extend(["-c", "protocol.file.allow=always"].map(str::to_owned));
        }
        arguments.extend(["submodule", "update", "--", &path].map(str::to_owned));
        let updated = git(directory, arguments)?;
        if !updated.status.success() {
            return Err(Failure::unmeasured(format!(
                "failed to check out the submodule `{name}` of {commit} from `{from}`: {}",
                reason(&updated)
            )));
        }
        let inner = directory.join(&path);
        if deeper > 0 && inner.join(".gitmodules").is_file() {
            update_below(&inner, &own.join("modules"), commit, deeper - 1)?;
        }
    }
    Ok(())
}

struct Submodule {
    name: String,
    path: String,
    url: String,
}

/// Returns the submodules that `.gitmodules` names and that the commit contains.
fn list(directory: &Path) -> Result<Vec<Submodule>, Failure> {
    let query = ["config", "-z", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$"];
    let paths = String::from_utf8_lossy(&git(directory, query)?.stdout).into_owned();
    let mut found = Vec::new();
    for entry in paths.split('\0').filter(|entry| !entry.is_empty()) {
        let Some((key, path)) = entry.split_once('\n') else { continue };
        let name = key.trim_start_matches("submodule.").trim_end_matches(".path").to_owned();
        // A path where the commit has no submodule is a leftover entry.
        let entry = git(directory, ["ls-files", "--stage", "--", path])?;
        // Git also refuses a name that leads to another directory.
        let is_plain = !PathBuf::from(&name).components().any(|part| part.as_os_str() == "..");
        if is_plain && entry.stdout.starts_with(b"160000 ") {
            let key = format!("submodule.{name}.url");
            let url = text(&git(directory, ["config", "--file", ".gitmodules", "--get", &key])?);
            found.push(Submodule { name, path: path.to_owned(), url });
        }
    }
    Ok(found)
}
