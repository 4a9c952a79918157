//! The inputs of this revision's build, as cargo and the compiler record them: the files of each crate, the files for
//! which build scripts ask to be run again, and the packages that take part.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use crate::base::reused::is_hash;

/// The libraries of the harness.
const HARNESS: [&str; 2] = ["perf_budget", "perf_budget_core"];

/// The inputs that are in the repository.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// Files and directories, relative to the top of the repository. A directory stands for everything below it.
    pub(super) paths: BTreeSet<String>,
    /// The directories of the packages that take part in the build.
    pub(super) packages: BTreeSet<String>,
    /// The names of all crates that were compiled, those of other repositories too.
    pub(super) crates: Vec<String>,
    /// The files that build scripts alone were compiled from.
    pub(super) scripts: BTreeSet<String>,
    /// The files that were compiled without their modules of tests.
    pub(super) untested: BTreeSet<String>,
    /// The source files of the harness, if this is the repository of the harness.
    pub(super) harness: BTreeSet<String>,
}

/// The directories of the build.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The top of the repository.
    pub(super) top: &'a Path,
    /// The directory in which the compiler is started for the workspace's own packages.
    pub(super) workspace: &'a Path,
    /// The target directory. Nothing in it is an input: it holds only what is made from inputs.
    pub(super) target: &'a Path,
}

impl Inputs {
    /// Finds the inputs of a build by cargo's messages. The error names the part of the build whose inputs are unknown.
    pub(super) fn find(messages: &[Value], place: Place<'_>) -> Result<Inputs, String> {
        let mut inputs = Inputs::default();
        let (mut others, mut tested) = (BTreeSet::new(), BTreeSet::new());
        for message in messages {
            let path = |key: &str| message[key].as_str().map(PathBuf::from);
            match message["reason"].as_str() {
                Some("compiler-artifact") => {
                    let manifest = path("manifest_path").unwrap_or_default();
                    let package = manifest.parent().unwrap_or(Path::new("/")).to_owned();
                    inputs.packages.extend(place.both(&package));
                    let name = message["target"]["name"].as_str().unwrap_or_default();
                    inputs.crates.push(name.replace('-', "_"));
                    let files = inputs.add_crate(message, &package, place)?;
                    let is_untested = message["profile"]["test"] == false;
                    if is_untested { &mut inputs.untested } else { &mut tested }
                        .extend(files.iter().cloned());
                    if HARNESS.contains(&name) && message["target"]["kind"][0] == "lib" {
                        inputs.harness.extend(files.iter().cloned());
                    }
                    let is_script = message["target"]["kind"][0] == "custom-build";
                    if is_script { &mut inputs.scripts } else { &mut others }.extend(files);
                }
                Some("build-script-executed") => {
                    let out = path("out_dir").unwrap_or_default();
                    inputs.add_script(&out, package(message, messages).as_deref(), place)?;
                }
                _ => {}
            }
        }
        if inputs.packages.is_empty() {
            return Err("cargo names no package of this repository".to_owned());
        }
        inputs.scripts.retain(|path| !others.contains(path));
        inputs.untested.retain(|path| !tested.contains(path));
        Ok(inputs)
    }

    /// Adds the files that a crate was compiled from, and returns them.
    fn add_crate(
        &mut self,
        message: &Value,
        package: &Path,
        place: Place<'_>,
    ) -> Result<BTreeSet<String>, String> {
        let mut added = BTreeSet::new();
        let files = message["filenames"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let found: Vec<PathBuf> = files.map(Path::new).flat_map(dep_infos).collect();
        let texts = found.iter().map(fs::read_to_string).collect::<Result<Vec<_>, _>>();
        let texts = texts.ok().filter(|texts| !texts.is_empty());
        let name = message["target"]["name"].as_str().unwrap_or("?");
        let texts =
            texts.ok_or_else(|| format!("the compiler left no list of the sources of `{name}`"))?;
        for file in texts.iter().flat_map(|text| files_in_list(text)) {
            // The compiler is started in the workspace for its members, and in the package's own directory for others.
            // A file that is at neither place is added at both, and is later found to be missing.
            let all = [place.workspace, package].map(|from| from.join(&file));
            let there = all.iter().filter(|path| path.exists());
            let there: Vec<&PathBuf> =
                if there.clone().count() > 0 { there.collect() } else { all.iter().collect() };
            for path in there {
                added.extend(place.both(path));
            }
        }
        self.paths.extend(added.iter().cloned());
        Ok(added)
    }

    /// Adds the files for which a build script asks to be run again: its whole package, where it names none.
    fn add_script(
        &mut self,
        out: &Path,
        package: Option<&Path>,
        place: Place<'_>,
    ) -> Result<(), String> {
        let output = out.with_file_name("output");
        let text = fs::read(&output).map_err(|e| {
            format!("the output of a build script cannot be read from `{}`: {e}", output.display())
        })?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let package = package.ok_or("cargo does not name the package of a build script")?;
        let named = |line: &str| {
            let line = line.strip_prefix("cargo::").or_else(|| line.strip_prefix("cargo:"))?;
            line.strip_prefix("rerun-if-changed=").map(str::to_owned)
        };
        let paths: Vec<String> = text.lines().filter_map(named).collect();
        if paths.is_empty() && !text.contains("rerun-if-env-changed=") {
            self.paths.extend(place.both(package));
        }
        for path in paths {
            self.paths.extend(place.both(&package.join(path.trim())));
        }
        Ok(())
    }

    /// Whether a path is an input, by itself or as part of a directory.
    pub(super) fn has(&self, path: &str) -> bool {
        self.paths.contains("")
            || self.paths.contains(path)
            || path.match_indices('/').any(|(at, _)| self.paths.contains(&path[..at]))
    }
}

impl Place<'_> {
    /// Returns a path relative to the top of the repository; `None` where it is outside, or in the target directory.
    fn inside(&self, path: &Path) -> Option<String> {
        if path.starts_with(self.target) {
            return None;
        }
        let parts = path.strip_prefix(self.top).ok()?.components();
        let parts = parts.map(|part| part.as_os_str().to_str()).collect::<Option<Vec<_>>>()?;
        Some(parts.join("/"))
    }

    /// Returns a path relative to the top of the repository in both forms: as it is written, and with links resolved.
    pub(super) fn both(&self, path: &Path) -> BTreeSet<String> {
        let written = plain(path);
        // The `.git` of a work tree may be anywhere, and its content is different for each commit.
        if written.components().any(|part| part.as_os_str() == ".git") {
            return [".git".to_owned()].into();
        }
        let real = path.canonicalize().ok();
        [Some(written), real].into_iter().flatten().filter_map(|path| self.inside(&path)).collect()
    }
}

/// Returns the directory of the package that a build script's message is about.
fn package(message: &Value, messages: &[Value]) -> Option<PathBuf> {
    let own = |other: &&Value| {
        other["package_id"] == message["package_id"] && other["manifest_path"].is_string()
    };
    let manifest = messages.iter().find(own)?["manifest_path"].as_str()?;
    Some(Path::new(manifest).parent()?.to_owned())
}

/// Returns a path without `.` and `..`; links are not resolved.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other parts of a path are treated alike")]
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            _ => plain.push(part),
        }
        plain
    })
}

/// Finds the compiler's lists of the sources of a file that it made. For `deps/libkit-1a2b.rmeta` the list is
/// `deps/kit-1a2b.d`. For a build script, the list is in the same directory under another name. For a program, cargo names
/// only the copy outside of `deps`, so there may be several lists: one for each build of a program of this name.
fn dep_infos(made: &Path) -> Vec<PathBuf> {
    let Some(stem) = made.file_stem().and_then(|stem| stem.to_str()) else { return Vec::new() };
    let names = [stem, stem.strip_prefix("lib").unwrap_or(stem)];
    let mut near = names.iter().map(|name| made.with_file_name(format!("{name}.d")));
    if let Some(beside) = near.find(|path| path.is_file()) {
        return vec![beside];
    }
    let Some(directory) = made.parent() else { return Vec::new() };
    if stem.starts_with("build-script-") {
        return lists(directory, &|_| true).into_iter().take(1).collect();
    }
    let original = stem.replace('-', "_");
    // A library that is loaded at run time has no hash in its name, and its list has the name of the crate.
    let of_crate = original.strip_prefix("lib").unwrap_or(&original);
    let is_own = |name: &str| {
        let parts = name.rsplit_once('-');
        name == of_crate || parts.is_some_and(|(name, hash)| name == original && is_hash(hash))
    };
    let all = lists(&directory.join("deps"), &is_own);
    // The copy has the size and the time of its original.
    let state =
        |path: &Path| path.metadata().and_then(|data| Ok((data.len(), data.modified()?))).ok();
    let ending = made.extension().unwrap_or_default();
    let is_original = |list: &&PathBuf| {
        let state_of_original = state(&list.with_extension(ending));
        state_of_original.is_some() && state_of_original == state(made)
    };
    let originals: Vec<PathBuf> = all.iter().filter(is_original).cloned().collect();
    if originals.is_empty() { all } else { originals }
}

/// Returns the lists in a directory whose names, without the ending, are wanted.
fn lists(directory: &Path, is_wanted: &dyn Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let lists = entries.map(|entry| entry.path()).filter(|path| {
        path.extension() == Some("d".as_ref())
            && path.file_stem().is_some_and(|stem| is_wanted(&stem.to_string_lossy()))
    });
    lists.collect()
}

/// Returns the files that such a list names. A line has the form `made: one two\ three`.
fn files_in_list(text: &str) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((_, named)) = line.split_once(": ") else { continue };
        let named = named.replace("\\ ", "\0");
        files.extend(named.split_whitespace().map(|file| file.replace('\0', " ")));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_files_are_read() {
        let text = "/t/kit.d: src/lib.rs src/a\\ b.rs README.md\n\nsrc/lib.rs:\nREADME.md:\n\n# env-dep:A=b: c\n";
        assert!(files_in_list(text).iter().eq(["README.md", "src/a b.rs", "src/lib.rs"]));
    }

    /// Cargo names `release/my-app`, which is a copy of `release/deps/my_app-HASH`. The list is beside the original.
    #[test]
    fn the_list_of_a_program_is_that_of_its_original() {
        let place = tempfile::tempdir().unwrap();
        let deps = place.path().join("deps");
        fs::create_dir(&deps).unwrap();
        let write = |name: &str, text: &str| fs::write(place.path().join(name), text).unwrap();
        let (one, two) = ("deps/my_app-0123456789abcdef", "deps/my_app-fedcba9876543210");
        for (name, text) in
            [(one, "first"), (two, "second one"), ("deps/my_app_more-0123456789abcdef", "")]
        {
            write(name, text);
            write(&format!("{name}.d"), "");
        }
        let made = place.path().join("my-app");
        fs::hard_link(place.path().join(two), &made).unwrap();
        assert_eq!(dep_infos(&made), [place.path().join(format!("{two}.d"))]);
        // Where the original cannot be identified, all lists count.
        fs::remove_file(&made).unwrap();
        fs::write(&made, "another").unwrap();
        let mut all = dep_infos(&made);
        all.sort();
        assert_eq!(all, [one, two].map(|name| place.path().join(format!("{name}.d"))));
        assert!(dep_infos(&place.path().join("other")).is_empty());
        // The list of a library that is loaded at run time has no hash in its name, nor `lib`.
        write("libmy_kit.so", "a library");
        write("deps/my_kit.d", "");
        assert_eq!(dep_infos(&place.path().join("libmy_kit.so")), [deps.join("my_kit.d")]);
    }

    #[test]
    fn a_directory_stands_for_everything_below_it() {
        let paths = ["proto", "src/lib.rs"].map(str::to_owned).into();
        let inputs = Inputs { paths, ..Inputs::default() };
        let check = |path: &str, want: bool| assert_eq!(inputs.has(path), want, "{path}");
        check("proto/deep/x.proto", true);
        check("proto", true);
        check("protocol/x", false);
        check("src/lib.rs", true);
        check("src/other.rs", false);
        let all = Inputs { paths: [String::new()].into(), ..Inputs::default() };
        assert!(all.has("anything"));
    }

    #[test]
    fn only_paths_in_the_repository_are_inputs() {
        let place = Place {
            top: Path::new("/r"),
            workspace: Path::new("/r"),
            target: Path::new("/r/target"),
        };
        let check = |path: &str, want: &[&str]| {
            assert!(place.both(Path::new(path)).iter().eq(want), "{path}");
        };
        check("/r/a/../b/./c.rs", &["b/c.rs"]);
        check("/r", &[""]);
        check("/r/.git/HEAD", &[".git"]);
        check("/other/.git/worktrees/r/HEAD", &[".git"]);
        check("/r/target/build/x", &[]);
        check("/elsewhere/a", &[]);
    }

    /// The sources of a member are named from the workspace, and those of another package from its own directory.
    #[test]
    fn the_sources_of_a_member_are_those_that_exist() {
        let place = tempfile::tempdir().unwrap();
        let top = place.path().canonicalize().unwrap();
        let made = top.join("target/libkit-1.rmeta");
        for (name, text) in [
            ("member/src/lib.rs", ""),
            ("apart/src/lib.rs", ""),
            ("target/kit-1.d", "kit: member/src/lib.rs src/lib.rs src/gone.rs\n"),
        ] {
            let path = top.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let place = Place { top: &top, workspace: &top, target: &top.join("target") };
        let mut inputs = Inputs::default();
        let message = serde_json::json!({ "filenames": [made] });
        inputs.add_crate(&message, &top.join("apart"), place).unwrap();
        let want = ["apart/src/gone.rs", "apart/src/lib.rs", "member/src/lib.rs", "src/gone.rs"];
        assert!(inputs.paths.iter().eq(want), "{inputs:?}");
    }

    /// A script that names nothing is run again for any change in its package.
    #[test]
    fn the_inputs_of_a_build_script_are_what_it_names() {
        let place = tempfile::tempdir().unwrap();
        let top = place.path();
        let out = top.join("target/build/kit-1/out");
        fs::create_dir_all(&out).unwrap();
        let place = Place { top, workspace: top, target: &top.join("target") };
        let check = |output: &str, want: &[&str]| {
            fs::write(out.with_file_name("output"), output).unwrap();
            let mut inputs = Inputs::default();
            inputs.add_script(&out, Some(&top.join("kit")), place).unwrap();
            assert!(inputs.paths.iter().eq(want), "{output}: {inputs:?}");
        };
        check("cargo:rustc-cfg=x\n", &["kit"]);
        check("cargo:rerun-if-env-changed=X\n", &[]);
        check(
            "cargo::rerun-if-changed=proto\ncargo:rerun-if-changed=../.git/HEAD\n",
            &[".git", "kit/proto"],
        );
        fs::remove_file(out.with_file_name("output")).unwrap();
        assert!(
            Inputs::default()
                .add_script(&out, Some(top), place)
                .unwrap_err()
                .contains("build script")
        );
    }
}
