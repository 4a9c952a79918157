//! The files that only a repository's tools read: git, a formatter, a linter, and the service that runs the tests.
//!
//! A program may read a data file without its name, but not one of these files. So such a file counts as unused where nothing
//! in the repository contains its name, and nothing starts a program at its path. A text that only looks like its name
//! counts as its name.

use std::path::Path;

use super::mentions::Sources;

/// The names of such files, in any directory.
///
/// `.gitattributes` is not among them, because it decides with which line ends git writes other files.
const FILES: [&str; 20] = [
    IGNORED,
    ".git-blame-ignore-revs",
    ".mailmap",
    ".editorconfig",
    "clippy.toml",
    ".clippy.toml",
    "rustfmt.toml",
    ".rustfmt.toml",
    "deny.toml",
    "typos.toml",
    "_typos.toml",
    ".typos.toml",
    "codecov.yml",
    ".codecov.yml",
    ".pre-commit-config.yaml",
    ".travis.yml",
    ".gitlab-ci.yml",
    ".cirrus.yml",
    "appveyor.yml",
    ".appveyor.yml",
];
/// The directories at the top of a repository that hold the scripts of the service that runs the tests.
const DIRECTORIES: [&str; 3] = ["ci/", ".ci/", ".circleci/"];

/// The file that tells git, and the libraries that walk directories as git does, which files to leave out.
const IGNORED: &str = ".gitignore";
/// The libraries that read this file in each directory that they walk, and in the directories above.
const READ_IGNORED: [&str; 5] = ["ignore", "globwalk", "git2", "gix", "gix_ignore"];
/// The words by which a source is known to ask git, or to use such a library.
const ASKS_GIT: [&str; 7] =
    ["\"git\"", "ls-files", "check-ignore", "gitignore", "WalkBuilder", "ignore::", "gix"];

/// Whether a file is one that only tools read, by its path.
pub(super) fn is_for_tools(path: &str) -> bool {
    is_file(path) || DIRECTORIES.iter().any(|directory| path.starts_with(directory))
}

/// Whether a file is one that only tools read, by its name.
pub(super) fn is_file(path: &str) -> bool {
    FILES.contains(&name_of(path))
}

/// Returns the last part of a path.
pub(super) fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Returns what may use such a file besides these tools; `None` where nothing does. `libraries` are the crates of the build,
/// and `given` are the values of variables by which programs are chosen.
pub(super) fn user(
    path: &str,
    sources: &Sources,
    libraries: &[String],
    given: &[String],
) -> Option<String> {
    let name = name_of(path);
    if let Some(from) = sources.with_word(name) {
        return Some(format!("which `{from}` names"));
    }
    if is_given(path, given) {
        return Some("which a variable names".to_owned());
    }
    if name != IGNORED {
        return None;
    }
    if let Some(library) = libraries.iter().find(|name| READ_IGNORED.contains(&name.as_str())) {
        return Some(format!("which the library `{library}` may read"));
    }
    let from = ASKS_GIT.iter().find_map(|word| sources.containing(word))?;
    Some(format!("which `{from}` may read by way of git"))
}

/// Whether the value of a variable leads to a path.
pub(super) fn is_given(path: &str, given: &[String]) -> bool {
    given.iter().any(|value| leads_to(value, path))
}

/// Whether a variable describes what the shell, cargo or a service does, so that its value is no choice of a file.
pub(super) fn describes(name: &str) -> bool {
    let starts = ["CARGO_PKG_", "CARGO_MANIFEST_", "GITHUB_", "NEXTEST"];
    matches!(name, "PWD" | "OLDPWD" | "INIT_CWD")
        || starts.iter().any(|start| name.starts_with(start))
}

/// Returns the paths in the values of all variables that may be in the repository at `top`, such as a compiler's wrapper, a
/// linker or a directory of programs. An absolute path is in the repository if it begins with `top`. A relative path may
/// always be. A name alone counts as a path if `is_there` holds for it: such a file exists in a directory that a program may
/// start from.
pub(super) fn paths_in_variables(
    variables: impl Iterator<Item = String>,
    top: &Path,
    is_there: &dyn Fn(&str) -> bool,
) -> Vec<String> {
    let real = std::fs::canonicalize(top).unwrap_or_else(|_| top.to_owned());
    // A drive and its colon stand before a path on Windows, and the colon separates paths elsewhere.
    let plain = |path: &Path| {
        let text = path.to_string_lossy().replace('\\', "/");
        text.rsplit(':').next().unwrap_or_default().trim_end_matches('/').to_owned() + "/"
    };
    let tops = [plain(top), plain(&real)];
    let inside = |part: &str| {
        let part = part.replace('\\', "/");
        if part.starts_with('/') {
            return tops.iter().find_map(|top| part.strip_prefix(top.as_str())).map(str::to_owned);
        }
        let is_place = || DIRECTORIES.iter().any(|own| own.strip_suffix('/') == Some(&part));
        let is_path = part.contains('/') || is_place() || !part.is_empty() && is_there(&part);
        is_path.then_some(part)
    };
    let parts = variables.flat_map(|value| {
        let parts =
            value.split(|c: char| c.is_whitespace() || c == '\x1f' || ":;=,'\"".contains(c));
        parts.filter_map(inside).collect::<Vec<_>>()
    });
    parts.collect()
}

/// Whether a value ends with this path, or with the path of a directory that it is in. A value may also be relative to any
/// directory, so it is enough if the path ends with the value.
fn leads_to(value: &str, path: &str) -> bool {
    let (value, path) = (value.to_lowercase(), path.to_lowercase());
    let value = value.trim_end_matches('/').trim_start_matches("./");
    let mut above = Some(Path::new(&path));
    while let Some(at) = above.filter(|at| !at.as_os_str().is_empty()) {
        if Path::new(value).ends_with(at) || (!value.is_empty() && at.ends_with(value)) {
            return true;
        }
        above = at.parent();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tools_file_is_known_by_its_name_or_its_directory() {
        let check = |path: &str, want: bool| {
            assert_eq!(is_for_tools(path), want, "{path}");
        };
        check(".gitignore", true);
        check("kit/.gitignore", true);
        check("clippy.toml", true);
        check("ci/run.sh", true);
        check(".gitattributes", false);
        check("kit/ci/run.sh", false);
        check("cicd/run.sh", false);
        check("my-clippy.toml", false);
    }

    #[test]
    fn a_tools_file_is_used_by_a_source_that_contains_its_name() {
        let check = |code: &str, path: &str, want: Option<&str>| {
            let mut sources = Sources::default();
            sources.add("build.rs", code);
            let user = user(path, &sources, &[], &[]);
            assert_eq!(user.as_deref(), want, "{code}: {path}");
        };
        let used = Some("which `build.rs` names");
        let asks = Some("which `build.rs` may read by way of git");
        check("fn main() {}", "clippy.toml", None);
        check("read(\"clippy.toml\")", "clippy.toml", used);
        check("include_str!(\"../.gitignore\")", ".gitignore", used);
        check("sh(\"-c\", \"./ci/gen.sh --fast | tail\")", "ci/gen.sh", used);
        check("read(\"my-clippy.toml\"); read(\"clippy.tomlx\")", "clippy.toml", None);
        check("// read(\"clippy.toml\")", "clippy.toml", None);
        // A program that asks git for files depends on what `.gitignore` leaves out.
        check("output(\"git\", [\"status\"])", ".gitignore", asks);
        check("output(\"git\", [\"status\"])", ".editorconfig", None);
        check("ignore::Walk::new(\"data\")", "data/.gitignore", asks);
    }

    #[test]
    fn a_tools_file_is_used_by_libraries_and_variables() {
        let sources = Sources::default();
        let library = |name: &str| user(".gitignore", &sources, &[name.to_owned()], &[]);
        assert_eq!(library("ignore").unwrap(), "which the library `ignore` may read");
        assert_eq!(library("serde"), None);
        let check = |variable: &str, want: bool| {
            let given = paths_in_variables(
                [variable.to_owned()].into_iter(),
                Path::new("/srv/kit"),
                &|part| part == "link.sh",
            );
            assert_eq!(user("ci/link.sh", &sources, &[], &given).is_some(), want, "{variable}");
        };
        check("ci/link.sh", true);
        check("/srv/kit/ci/link.sh", true);
        check("-Clinker=ci/link.sh -Copt-level=3", true);
        check("-C\x1flinker=./ci/link.sh", true);
        check("/usr/bin:/srv/kit/ci", true);
        check("/srv/kit/ci/", true);
        check("ci", true);
        check("./link.sh", true);
        check("CI/Link.sh", true);
        // The value is relative to a package that the file is in.
        check("link.sh", true);
        check("run.sh", false);
        check("kit", false);
        check("kit/ci/other.sh", false);
        check("/srv/kit", false);
        check("/srv/other/ci/link.sh", false);
        check("/srv/ci", false);
    }
}
