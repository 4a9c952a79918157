//! The decision whether a path that differs from the base is used by what is measured. A path counts as used unless it
//! is known to be unused.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::path::Path;

use glob::Pattern;

use super::changed::{Change, aliases};
use super::inputs::Inputs;
use super::mentions::{Sources, is_source};
use super::tools::{self, name_of};
use super::walks;

/// The parts of the two revisions that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Their files alone: every file that is compiled counts as used.
    Files,
    /// Their binaries, which contain everything that is compiled: only a file that may be read at run time counts.
    Sections,
}

/// The facts that are known about this revision's files.
#[derive(Debug, Default)]
pub(super) struct RevisionFacts {
    /// The inputs of the build.
    pub(super) inputs: Inputs,
    /// The configuration files of cargo and rustup, relative to the top of the repository.
    pub(super) configuration: BTreeSet<String>,
    /// The sources among these inputs, and the configuration.
    pub(super) sources: Sources,
    /// Every package in the repository: its directory, and the names by which a program can start or load what it builds.
    pub(super) packages: Vec<(String, Vec<String>)>,
    /// The project's directory with a `/` at its end; empty where it is the top of the repository.
    pub(super) prefix: String,
    /// The patterns of files that the project declares unused, relative to the project's directory.
    pub(super) inert: Vec<Pattern>,
    /// The paths in this process's variables: of programs of the build, and of files that are read.
    pub(super) given: Vec<String>,
    /// The symbolic links in the repository, each with the path that it leads to.
    pub(super) links: Vec<(String, String)>,
    /// The source that lists directories from the top, if there is one. It is kept, because all sources are searched for it.
    pub(super) walker: OnceCell<Option<String>>,
}

impl RevisionFacts {
    /// Returns why a change may affect what the tests run; `None` where it cannot. A file counts under each path by which
    /// links lead to it.
    pub(super) fn use_of(&self, change: &Change, step: Step) -> Option<String> {
        let own = self.use_by_path(change, step);
        if own.is_some() || self.is_declared(&change.path) {
            return own;
        }
        let Some(others) = aliases(&self.links, &change.path) else {
            return Some(format!("`{}` has changed, and many links lead to it", change.path));
        };
        others.into_iter().find_map(|path| {
            let why = self.use_by_path(&Change { path, is_in_both: change.is_in_both }, step)?;
            Some(format!("{why} (a link to `{}`)", change.path))
        })
    }

    fn use_by_path(&self, change: &Change, step: Step) -> Option<String> {
        let path = change.path.as_str();
        if step == Step::Files {
            if self.inputs.has(path) {
                // A build script often asks to be run again for a whole directory, or for its package.
                let is_file = self.inputs.paths.contains(path);
                let how =
                    if is_file { "which is compiled" } else { "which a build script may read" };
                return Some(format!("`{path}` has changed, {how}"));
            }
            if decides(path) || self.configuration.contains(path) {
                return Some(format!("`{path}` has changed, which decides how it is built"));
            }
            if !change.is_in_both && self.has_data_beside(path) {
                return Some(format!(
                    "`{path}` was added or removed, and the build reads other files of its directory"
                ));
            }
        }
        if self.is_declared(path) {
            return None;
        }
        let unused = self.built_by_unused_package(path);
        let name = name_of(path);
        let is_code = is_source(name)
            || (step == Step::Sections && matches!(name, "Cargo.toml" | "Cargo.lock"));
        let is_tools = tools::is_for_tools(path);
        if !(is_text(path) || self.is_own(path) || unused.is_some() || is_code || is_tools) {
            return Some(format!("`{path}` has changed, which may be read at run time"));
        }
        // A file that is compiled is compared as a part of the binaries.
        let is_compared = is_code && (self.inputs.has(path) || decides(path));
        if !is_compared && let Some(how) = self.found_without_its_name(path, is_tools) {
            return Some(format!("`{path}` has changed, {how}"));
        }
        if !self.is_own(path) && tools::is_given(path, &self.given) {
            return Some(format!("`{path}` has changed, which a variable names"));
        }
        if name == "Cargo.toml"
            && let Some(from) = self.reading_manifest()
        {
            return Some(format!(
                "`{path}` has changed, and `{from}` reads what it says by a variable"
            ));
        }
        let programs = unused.into_iter().flatten();
        let named = programs.map(String::as_str).find_map(|name| self.sources.naming_last(name));
        // A file that is compiled in is an input, and part of the binaries.
        let from = self.sources.naming_at_run_time(path, &self.roots()).or(named)?;
        Some(format!("`{path}` has changed, which `{from}` names"))
    }

    /// Returns how a program may come to read a file that is not data, although no source contains its path.
    fn found_without_its_name(&self, path: &str, is_tools: bool) -> Option<String> {
        let crates = &self.inputs.crates;
        let walker = || walks::walker(&self.sources, crates).map(str::to_owned);
        if let Some(from) = self.walker.get_or_init(walker) {
            return Some(format!("and `{from}` may find it where directories are listed"));
        }
        let user = || tools::user(path, &self.sources, crates, &self.given);
        is_tools.then(user).flatten()
    }

    /// Returns the source that reads, when it runs, a variable by which cargo describes a package.
    fn reading_manifest(&self) -> Option<&str> {
        let is_script = |path: &str| self.inputs.scripts.contains(path);
        let reading = |start| self.sources.reading_variable(start, &is_script);
        ["CARGO_PKG_", "CARGO_MANIFEST_PATH"].into_iter().find_map(reading)
    }

    /// Whether a change affects nothing at all that the repository builds: it is in a text that none of the repository's
    /// sources, which are in `all`, names. If a source lists directories from the top, as `is_walked` says, it may read every
    /// text.
    pub(super) fn is_text_alone(&self, change: &Change, all: &Sources, is_walked: bool) -> bool {
        let path = change.path.as_str();
        let known = self.is_own(path) || is_text(path) && !is_walked;
        let is_unnamed = |path: &str| all.naming(path, &self.roots()).is_none();
        let is_read = || {
            tools::is_given(path, &self.given)
                || aliases(&self.links, path).is_none_or(|others| {
                    others.iter().any(|alias| !is_text(alias) || !is_unnamed(alias))
                })
        };
        self.is_declared(path) || (known && is_unnamed(path) && (self.is_own(path) || !is_read()))
    }

    /// Returns the directories that a program may start from when it makes a path: the top of the repository, the project's
    /// directory, and those of the packages that take part in the build.
    fn roots(&self) -> BTreeSet<String> {
        roots(&self.inputs, &self.prefix)
    }

    fn is_declared(&self, path: &str) -> bool {
        let below = path.strip_prefix(self.prefix.as_str());
        below.is_some_and(|path| self.inert.iter().any(|glob| glob.matches(path)))
    }

    /// Whether a path is one of this tool's own files. A changed limit is judged in any case, and both revisions are
    /// run with this revision's parameters.
    fn is_own(&self, path: &str) -> bool {
        let below = path.strip_prefix(self.prefix.as_str());
        matches!(below, Some("budgets.toml" | "budgets.lock"))
    }

    /// Returns the names of what is built by the nearest package that a path is in, where that package takes no part in
    /// the build.
    fn built_by_unused_package(&self, path: &str) -> Option<&[String]> {
        let holds = |package: &str| {
            package.is_empty()
                || path.strip_prefix(package).is_some_and(|rest| rest.starts_with('/'))
        };
        let above = self.packages.iter().filter(|(package, _)| holds(package));
        let (package, builds) = above.max_by_key(|(package, _)| package.len())?;
        (!self.inputs.packages.contains(package)).then_some(builds.as_slice())
    }

    /// Whether the build read a file other than a source from the directory of a path: a macro may then read every
    /// file of that directory.
    fn has_data_beside(&self, path: &str) -> bool {
        let directory =
            |path: &str| path.rsplit_once('/').map_or("", |(above, _)| above).to_owned();
        let own = directory(path);
        self.inputs.paths.iter().any(|read| !is_source(read) && directory(read) == own)
    }
}

/// Returns the directories that a program may start from, given the project's directory.
pub(super) fn roots(inputs: &Inputs, prefix: &str) -> BTreeSet<String> {
    let own = prefix.trim_end_matches('/').to_owned();
    inputs.packages.iter().cloned().chain([String::new(), own]).collect()
}

/// Whether a file is for people, by its name: documentation, a licence, or something that only GitHub reads.
pub(super) fn is_text(path: &str) -> bool {
    let name = name_of(path);
    let is_document =
        Path::new(name).extension().is_some_and(|kind| kind.eq_ignore_ascii_case("md"));
    let is_licence = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT"].iter().any(|word| {
        let rest = name.strip_prefix(word);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.', '_']))
    });
    is_document || is_licence || path.starts_with(".github/")
}

/// Whether a file determines how everything is built.
pub(super) fn decides(path: &str) -> bool {
    let is_named =
        ["Cargo.toml", "Cargo.lock", "build.rs", "rust-toolchain", "rust-toolchain.toml"];
    is_named.contains(&name_of(path)) || path.split('/').any(|part| part == ".cargo")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> RevisionFacts {
        let mut sources = Sources::default();
        sources.add("kit/src/lib.rs", "read(\"../data/named.md\"); start(\"helper\")");
        let read = ["kit/src/lib.rs", "kit/src/included.md", "kit/proto"];
        let package = |name: &str, builds: &str| (name.to_owned(), vec![builds.to_owned()]);
        RevisionFacts {
            inputs: Inputs {
                paths: read.map(str::to_owned).into(),
                packages: ["kit".to_owned()].into(),
                ..Inputs::default()
            },
            configuration: ["help/flags.toml".to_owned()].into(),
            sources,
            packages: vec![
                package("kit", "kit"),
                package("kit/other", "other"),
                package("help", "helper"),
            ],
            prefix: "kit/".to_owned(),
            inert: vec![Pattern::new("art/**").unwrap()],
            given: Vec::new(),
            links: Vec::new(),
            walker: OnceCell::new(),
        }
    }

    #[test]
    fn a_path_counts_as_used_unless_it_is_known_to_be_unused() {
        let check = |path: &str, files: Option<&str>, sections: Option<&str>| {
            let change = Change { path: path.to_owned(), is_in_both: true };
            for (step, want) in [(Step::Files, files), (Step::Sections, sections)] {
                let got = known().use_of(&change, step);
                let says = got.as_deref().zip(want).is_some_and(|(got, want)| got.ends_with(want));
                assert!(says || got.as_deref() == want, "{path}, {step:?}: {got:?}");
            }
        };
        let (compiled, decides) = ("which is compiled", "which decides how it is built");
        let (data, script) = ("which may be read at run time", "which a build script may read");
        check("README.md", None, None);
        check("kit/docs/guide.MD", None, None);
        check("LICENSE-MIT", None, None);
        check("LICENSES.rs.txt", Some(data), Some(data));
        check(".github/workflows/ci.yml", None, None);
        check("kit/.github/x", Some(data), Some(data));
        check("kit/clippy.toml", None, None);
        check("ci/run.sh", None, None);
        check("kit/.gitattributes", Some(data), Some(data));
        check("kit/src/lib.rs", Some(compiled), None);
        check("kit/src/included.md", Some(compiled), None);
        check("kit/proto/a.proto", Some(script), Some(data));
        check("kit/tests/unit.rs", None, None);
        check("kit/build.rs", Some(decides), None);
        check("Cargo.lock", Some(decides), None);
        check("kit/Cargo.toml", Some(decides), None);
        check("kit/.cargo/config.toml", Some(decides), Some(data));
        check("rust-toolchain", Some(decides), Some(data));
        check("help/flags.toml", Some(decides), Some("`kit/src/lib.rs` names"));
        check("kit/data.json", Some(data), Some(data));
        check("top.json", Some(data), Some(data));
        check("kit/art/logo.svg", None, None);
        check("art/logo.svg", Some(data), Some(data));
        check("kit/budgets.toml", None, None);
        check("budgets.toml", Some(data), Some(data));
        // A package that takes no part in the build counts as unused, unless a source names one of its programs.
        check("kit/other/x.json", None, None);
        check("kit/other/Cargo.toml", Some(decides), None);
        check("help/x.json", Some("which `kit/src/lib.rs` names"), Some("`kit/src/lib.rs` names"));
        // Documentation that a source names counts as data.
        check("data/named.md", Some("`kit/src/lib.rs` names"), Some("`kit/src/lib.rs` names"));
    }

    #[test]
    fn a_tools_file_is_used_where_anything_could_lead_to_it() {
        let check = |known: &RevisionFacts, path: &str, want: Option<&str>| {
            let change = Change { path: path.to_owned(), is_in_both: true };
            for step in [Step::Files, Step::Sections] {
                let got = known.use_of(&change, step);
                let says = got.as_deref().zip(want).is_some_and(|(got, want)| got.ends_with(want));
                assert!(says || got.as_deref() == want, "{path}, {step:?}: {got:?}");
            }
        };
        check(&known(), "ci/link.sh", None);
        let given = vec!["ci/link.sh".to_owned()];
        check(&RevisionFacts { given, ..known() }, "ci/link.sh", Some("which a variable names"));
        let mut named = known();
        named.sources.add("kit/build.rs", "sh(\"ci/link.sh --fast\"); read(\"clippy.toml\")");
        check(&named, "ci/link.sh", Some("which `kit/build.rs` names"));
        check(&named, "clippy.toml", Some("which `kit/build.rs` names"));
        check(&named, "rustfmt.toml", None);
        // The directories of the package are listed from the top, so every text may be found.
        let mut walked = known();
        walked.sources.add("kit/src/lib.rs", "read_dir(\".\")");
        let found = "`kit/src/lib.rs` may find it where directories are listed";
        check(&walked, ".gitignore", Some(found));
        check(&walked, "README.md", Some(found));
        // The same holds for a source that no part of the build is made from.
        check(&walked, "kit/tests/unit.rs", Some(found));
    }

    #[test]
    fn a_document_that_a_variable_or_a_link_leads_to_counts_as_used() {
        let use_of = |known: &RevisionFacts, path: &str| {
            known.use_of(&Change { path: path.to_owned(), is_in_both: true }, Step::Files)
        };
        let given = vec!["docs/a.md".to_owned()];
        let known_value = RevisionFacts { given, ..known() };
        assert!(use_of(&known_value, "docs/a.md").unwrap().ends_with("which a variable names"));
        assert_eq!(use_of(&known_value, "docs/b.md"), None);
        let link = |link: &str, target: &str| {
            let links = vec![(link.to_owned(), target.to_owned())];
            let mut known = RevisionFacts { links, ..known() };
            known.sources.add("kit/src/lib.rs", "format!(\"data/{n}.md\")");
            known
        };
        let named = use_of(&link("data", "docs"), "docs/a.md").unwrap();
        assert!(named.ends_with("`kit/src/lib.rs` names (a link to `docs/a.md`)"), "{named}");
        assert_eq!(use_of(&link("data", "doc"), "docs/a.md"), None);
        let read = use_of(&link("kit/input.json", "docs/a.md"), "docs/a.md").unwrap();
        assert!(read.contains("`kit/input.json` has changed, which may be read"), "{read}");
        assert_eq!(use_of(&link("top", ""), "docs/a.md"), None);
        assert!(use_of(&link("data", ""), "a.md").is_some());
    }

    #[test]
    fn a_manifest_counts_where_a_source_reads_what_it_says() {
        let mut known = known();
        let change = Change { path: "kit/Cargo.toml".to_owned(), is_in_both: true };
        assert_eq!(known.use_of(&change, Step::Sections), None);
        known.sources.add("kit/src/lib.rs", "env!(\"CARGO_PKG_NAME\")");
        assert_eq!(known.use_of(&change, Step::Sections), None);
        known.sources.add("kit/src/lib.rs", "env::var(\"CARGO_PKG_DESCRIPTION\")");
        assert!(known.use_of(&change, Step::Sections).unwrap().contains("by a variable"));
    }

    #[test]
    fn a_file_that_is_added_beside_compiled_data_counts_as_used() {
        let use_of = |path: &str, is_in_both| {
            known().use_of(&Change { path: path.to_owned(), is_in_both }, Step::Files)
        };
        assert_eq!(use_of("kit/src/more.md", true), None);
        assert!(use_of("kit/src/more.md", false).unwrap().contains("was added or removed"));
        assert_eq!(use_of("docs/more.md", false), None);
    }

    #[test]
    fn only_text_that_no_source_names_affects_no_program_at_all() {
        let mut all = Sources::default();
        all.add("bin/main.rs", "include_str!(\"../USAGE.md\")");
        let check = |path: &str, want: bool| {
            let change = Change { path: path.to_owned(), is_in_both: true };
            assert_eq!(known().is_text_alone(&change, &all, false), want, "{path}");
        };
        check("README.md", true);
        check("USAGE.md", false);
        check("kit/art/x", true);
        check("kit/budgets.toml", true);
        check("kit/other/x.json", false);
        check("kit/tests/unit.rs", false);
        all.add("bin/walk.rs", "WalkDir::new(\"..\")");
        let is_walked = walks::walker(&all, &[]).is_some();
        let change = |path: &str| Change { path: path.to_owned(), is_in_both: true };
        assert!(!known().is_text_alone(&change("README.md"), &all, is_walked));
        assert!(known().is_text_alone(&change("kit/budgets.toml"), &all, is_walked));
    }
}
