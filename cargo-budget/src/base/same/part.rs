//! Whether a path that differs from the base has a part in what is measured. What is not known to have none has one.

use std::ffi::OsStr;
use std::path::Path;

use glob::Pattern;

use super::changed::Change;
use super::inputs::Inputs;
use super::mentions::Sources;

/// By what the two revisions are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// By their files alone: whatever is compiled has a part.
    Files,
    /// By their binaries: what is compiled is in them, and only what is read at run time has a part.
    Sections,
}

/// What is known of this revision's files.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What the build has read.
    pub(super) inputs: Inputs,
    /// The text of it.
    pub(super) sources: Sources,
    /// Every package in the repository: its directory, and the names of what it builds.
    pub(super) packages: Vec<(String, Vec<String>)>,
    /// The project's directory, with a `/` at its end; empty at the top.
    pub(super) prefix: String,
    /// What the project says has no part, from its directory.
    pub(super) inert: Vec<Pattern>,
}

impl Known {
    /// Why a change has a part in what the tests run; `None` where it has none.
    pub(super) fn part(&self, change: &Change, step: Step) -> Option<String> {
        let path = change.path.as_str();
        let name = path.rsplit('/').next().unwrap_or(path);
        if step == Step::Files {
            if self.inputs.has(path) {
                return Some(format!("`{path}` has changed, which is compiled"));
            }
            if decides(path, name) {
                return Some(format!("`{path}` has changed, which decides how it is built"));
            }
            if !change.is_in_both && self.has_data_beside(path) {
                return Some(format!(
                    "`{path}` has come or gone, and files beside it are compiled as they are"
                ));
            }
        }
        if self.is_declared(path) {
            return None;
        }
        let unused = self.unused(path);
        let is_code = is_source(name)
            || (step == Step::Sections && matches!(name, "Cargo.toml" | "Cargo.lock"));
        if !(is_text(path, name) || self.is_own(path) || unused.is_some() || is_code) {
            return Some(format!("`{path}` has changed, which may be read at run time"));
        }
        let programs = unused.into_iter().flatten();
        let named = programs.map(String::as_str).find_map(|name| self.sources.naming_last(name));
        let from = self.sources.naming(path).or(named)?;
        Some(format!("`{path}` has changed, which `{from}` names"))
    }

    /// Whether a change can have no part in anything at all that the repository builds, but for what its sources name,
    /// which are in `all`.
    pub(super) fn is_text_alone(&self, change: &Change, all: &Sources) -> bool {
        let path = change.path.as_str();
        let name = path.rsplit('/').next().unwrap_or(path);
        let known = is_text(path, name) || self.is_own(path);
        self.is_declared(path) || (known && all.naming(path).is_none())
    }

    fn is_declared(&self, path: &str) -> bool {
        let below = path.strip_prefix(self.prefix.as_str());
        below.is_some_and(|path| self.inert.iter().any(|glob| glob.matches(path)))
    }

    /// The gate's own files. What a limit says is judged whatever is proven, and both sides are run with this revision's
    /// parameters.
    fn is_own(&self, path: &str) -> bool {
        let below = path.strip_prefix(self.prefix.as_str());
        matches!(below, Some("budgets.toml" | "budgets.lock"))
    }

    /// What a package builds that takes no part, where the nearest package that a path is in is such a one.
    fn unused(&self, path: &str) -> Option<&[String]> {
        let holds = |package: &str| {
            package.is_empty()
                || path.strip_prefix(package).is_some_and(|rest| rest.starts_with('/'))
        };
        let above = self.packages.iter().filter(|(package, _)| holds(package));
        let (package, builds) = above.max_by_key(|(package, _)| package.len())?;
        (!self.inputs.packages.contains(package)).then_some(builds.as_slice())
    }

    /// Whether a file that is no source was compiled from the directory of a path: a macro may list them all.
    fn has_data_beside(&self, path: &str) -> bool {
        let directory =
            |path: &str| path.rsplit_once('/').map_or("", |(above, _)| above).to_owned();
        let own = directory(path);
        self.inputs.paths.iter().any(|read| !is_source(read) && directory(read) == own)
    }
}

/// What is for people by its name: documentation, licences, and what GitHub reads.
fn is_text(path: &str, name: &str) -> bool {
    let is_document =
        Path::new(name).extension().is_some_and(|kind| kind.eq_ignore_ascii_case("md"));
    let is_licence = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT"].iter().any(|word| {
        let rest = name.strip_prefix(word);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.', '_']))
    });
    is_document || is_licence || path.starts_with(".github/")
}

/// A source that is not listed as compiled is of another target, or of none.
pub(super) fn is_source(path: &str) -> bool {
    Path::new(path).extension() == Some(OsStr::new("rs"))
}

/// What decides how everything is built.
fn decides(path: &str, name: &str) -> bool {
    let is_named =
        ["Cargo.toml", "Cargo.lock", "build.rs", "rust-toolchain", "rust-toolchain.toml"];
    is_named.contains(&name) || path.split('/').any(|part| part == ".cargo")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let mut sources = Sources::default();
        sources.add("kit/src/lib.rs", "read(\"../data/named.md\"); start(\"helper\")");
        let read = ["kit/src/lib.rs", "kit/src/included.md", "kit/proto"];
        let package = |name: &str, builds: &str| (name.to_owned(), vec![builds.to_owned()]);
        Known {
            inputs: Inputs {
                paths: read.map(str::to_owned).into(),
                packages: ["kit".to_owned()].into(),
            },
            sources,
            packages: vec![
                package("kit", "kit"),
                package("kit/other", "other"),
                package("help", "helper"),
            ],
            prefix: "kit/".to_owned(),
            inert: vec![Pattern::new("art/**").unwrap()],
        }
    }

    #[test]
    fn what_is_not_known_to_have_no_part_has_one() {
        let check = |path: &str, files: Option<&str>, sections: Option<&str>| {
            let change = Change { path: path.to_owned(), is_in_both: true };
            for (step, want) in [(Step::Files, files), (Step::Sections, sections)] {
                let got = known().part(&change, step);
                let says = got.as_deref().zip(want).is_some_and(|(got, want)| got.ends_with(want));
                assert!(says || got.as_deref() == want, "{path}, {step:?}: {got:?}");
            }
        };
        let (compiled, decides) = ("which is compiled", "which decides how it is built");
        let data = "which may be read at run time";
        check("README.md", None, None);
        check("kit/docs/guide.MD", None, None);
        check("LICENSE-MIT", None, None);
        check("LICENSES.rs.txt", Some(data), Some(data));
        check(".github/workflows/ci.yml", None, None);
        check("kit/.github/x", Some(data), Some(data));
        check("kit/src/lib.rs", Some(compiled), None);
        check("kit/src/included.md", Some(compiled), None);
        check("kit/proto/a.proto", Some(compiled), Some(data));
        check("kit/tests/unit.rs", None, None);
        check("kit/build.rs", Some(decides), None);
        check("Cargo.lock", Some(decides), None);
        check("kit/Cargo.toml", Some(decides), None);
        check("kit/.cargo/config.toml", Some(decides), Some(data));
        check("rust-toolchain", Some(decides), Some(data));
        check("kit/data.json", Some(data), Some(data));
        check("top.json", Some(data), Some(data));
        check("kit/art/logo.svg", None, None);
        check("art/logo.svg", Some(data), Some(data));
        check("kit/budgets.toml", None, None);
        check("budgets.toml", Some(data), Some(data));
        // A package that takes no part, unless a source starts what it builds.
        check("kit/other/x.json", None, None);
        check("kit/other/Cargo.toml", Some(decides), None);
        check("help/x.json", Some("which `kit/src/lib.rs` names"), Some("`kit/src/lib.rs` names"));
        // Documentation that a source names is data.
        check("data/named.md", Some("`kit/src/lib.rs` names"), Some("`kit/src/lib.rs` names"));
    }

    #[test]
    fn a_file_that_comes_or_goes_beside_what_is_compiled_as_it_is_has_a_part() {
        let part = |path: &str, is_in_both| {
            known().part(&Change { path: path.to_owned(), is_in_both }, Step::Files)
        };
        assert_eq!(part("kit/src/more.md", true), None);
        assert!(part("kit/src/more.md", false).unwrap().contains("come or gone"));
        assert_eq!(part("docs/more.md", false), None);
    }

    #[test]
    fn of_other_subjects_only_text_is_known() {
        let mut all = Sources::default();
        all.add("bin/main.rs", "include_str!(\"../USAGE.md\")");
        let check = |path: &str, want: bool| {
            let change = Change { path: path.to_owned(), is_in_both: true };
            assert_eq!(known().is_text_alone(&change, &all), want, "{path}");
        };
        check("README.md", true);
        check("USAGE.md", false);
        check("kit/art/x", true);
        check("kit/budgets.toml", true);
        check("kit/other/x.json", false);
        check("kit/tests/unit.rs", false);
    }
}
