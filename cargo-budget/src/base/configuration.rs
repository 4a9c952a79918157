//! The files that configure cargo and rustup for a directory: those in it and in the directories above it.
//!
//! A file in the repository belongs to its revision, so the two revisions may have different ones. A file above the
//! repository applies to this revision, and exactly the same files must apply to the base.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use toml_edit::{Document, Item, Value};

use super::settings::{self, Setting, flatten};
use super::{named_files, variables};
use crate::failure::Failure;

/// The files that cargo and rustup read in a directory, by kind. Where there are two of one kind, only the first is read.
const KINDS: [&[&str]; 2] =
    [&[".cargo/config", ".cargo/config.toml"], &["rust-toolchain", "rust-toolchain.toml"]];
/// The tables of cargo's configuration that have no effect on what it builds.
const WITHOUT_EFFECT: [&str; 8] = [
    "alias",
    "cargo-new",
    "credential-alias",
    "future-incompat-report",
    "http",
    "net",
    "registry",
    "term",
];
/// The largest number of differences that a note names.
const NAMED: usize = 6;

/// The configuration files that apply to a directory, the nearest first.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// The files in the repository.
    inside: Vec<PathBuf>,
    /// The files above it, without those of cargo's home, which apply everywhere.
    pub(super) above: Vec<PathBuf>,
    /// The directories from that of the package up to the top of the repository.
    directories: Vec<PathBuf>,
}

impl Files {
    /// Finds the files that apply to `package` in the repository at `top`.
    pub(super) fn find(package: &Path, top: &Path) -> Files {
        let home = home();
        let own = package.ancestors().take_while(|directory| directory.starts_with(top));
        let directories = own.map(Path::to_owned).collect();
        let mut files = Files { directories, ..Files::default() };
        for directory in package.ancestors() {
            for kind in KINDS {
                let Some(file) = kind.iter().map(|name| directory.join(name)).find(|f| f.is_file())
                else {
                    continue;
                };
                if directory.starts_with(top) {
                    files.inside.push(file);
                } else if home.is_none() || file.parent().and_then(canonical) != home {
                    files.above.push(file);
                }
            }
        }
        files
    }

    /// Returns all files, the nearest first. A file that includes others comes before these.
    pub(super) fn all(&self) -> Vec<PathBuf> {
        with_included(self.inside.iter().chain(&self.above))
    }

    /// Returns all files, and after them those of cargo's home.
    pub(super) fn with_home(&self) -> Vec<PathBuf> {
        self.all().into_iter().chain(files_of_home()).collect()
    }

    /// Whether these files, or those of cargo's home, set something at a path of keys.
    pub(super) fn set(&self, keys: &[&str]) -> bool {
        let sets = |file: PathBuf| {
            let document = read(&file)?;
            keys.iter().try_fold(document.as_item(), |item, key| item.get(key)).map(drop)
        };
        self.with_home().into_iter().any(|file| sets(file).is_some())
    }

    /// Returns the compiler wrapper that is configured: by a variable, else by the nearest file that names one, and
    /// last by cargo's home.
    pub(super) fn wrapper(&self) -> Option<PathBuf> {
        self.named_wrapper("WRAPPER", "rustc-wrapper")
    }

    /// Returns the compiler wrapper that a variable of this name, or this key in a file, gives; see [`Files::wrapper`].
    pub(super) fn named_wrapper(&self, variable: &str, key: &str) -> Option<PathBuf> {
        let names = ["RUSTC_", "CARGO_BUILD_RUSTC_"].map(|before| format!("{before}{variable}"));
        if let Some(set) = names.into_iter().find_map(std::env::var_os) {
            // An empty variable means that there is no wrapper, whatever a file says.
            return (!set.is_empty()).then(|| set.into());
        }
        let named = |file: PathBuf| {
            let text = read(&file)?.get("build")?.get(key)?.as_str()?.to_owned();
            // A path is relative to the directory that the file applies to. A bare name is looked up in `PATH`.
            Some(if text.contains(['/', '\\']) { holder(&file)?.join(text) } else { text.into() })
        };
        let wrapper = self.with_home().into_iter().find_map(named);
        wrapper.filter(|wrapper| !wrapper.as_os_str().is_empty())
    }

    /// Returns all settings that affect a build by cargo, by key: those of the files in and above the repository, those of
    /// cargo's home, and those of the user's environment.
    pub(super) fn flags(&self) -> BTreeMap<String, String> {
        let mut flags = self.settings();
        for (nth, file) in with_included(&self.above).iter().enumerate() {
            flags.insert(format!("configuration above the repository ({nth})"), text(file));
        }
        let home = settings(files_of_home()).into_iter();
        flags.extend(home.map(|(key, value)| (format!("{key} of cargo's home"), value)));
        flags.extend(variables::flags());
        flags
    }

    /// Returns the settings of the files in the repository, by their full key, such as `build.rustflags`. For each file of
    /// the repository that these settings or the user's variables name, there is the digest of its content as well.
    pub(super) fn settings(&self) -> BTreeMap<String, String> {
        let mut all = settings(with_included(&self.inside));
        let naming = all.iter().map(|(key, value)| (key.clone(), value.clone()));
        let naming: Vec<_> = naming.chain(variables::flags()).collect();
        all.extend(named_files::contents(&naming, &self.directories));
        all
    }

    /// Checks that no setting from outside of the repository, and none of the base, leads to a file of this revision that is
    /// another one in the base, since the base would be built with this revision's.
    pub(super) fn lead_into_no_revision(&self, base: &Files) -> Result<(), Failure> {
        let above = with_included(&self.above).into_iter();
        let outside = settings(above.chain(files_of_home()).collect());
        let mut outside = outside.into_iter().chain(variables::flags()).chain(base.settings());
        let tops = self.directories.last().zip(base.directories.last());
        let found = tops.and_then(|(head, base)| {
            outside.find_map(|(key, value)| {
                Some((key, named_files::of_head_alone(&value, [head, base])?))
            })
        });
        found.map_or(Ok(()), |(key, file)| {
            Err(Failure::unmeasured(format!(
                "`{key}` names `{}`, which has other content in the base, so the base would be built with this \
                 revision's file; name it by a path relative to the repository, or keep it outside of the repository",
                file.display()
            )))
        })
    }
}

/// Returns the settings of these files by their full key. A file takes precedence over the files after it. Cargo joins the
/// arrays of several files: the array of a file comes after those of the files that it takes precedence over.
fn settings(files: Vec<PathBuf>) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for file in files {
        let mut found = BTreeMap::new();
        if is_toolchain(&file) {
            let toolchain = text(&file).split_whitespace().collect::<Vec<_>>().join(" ");
            found.insert("rust-toolchain".to_owned(), Setting::One(toolchain));
        } else {
            match read(&file) {
                Some(document) => flatten("", document.as_item(), &mut found),
                None => {
                    found.insert("what cargo cannot read".to_owned(), Setting::One(text(&file)));
                }
            }
            found.retain(|key, _| {
                !WITHOUT_EFFECT.iter().any(|table| key.split('.').next() == Some(table))
            });
        }
        settings::add_lower(&mut all, found);
    }
    all.into_iter().map(|(key, setting)| (key, setting.text())).collect()
}

/// Returns these files, each followed by the configuration files that it includes. It takes precedence over those.
fn with_included<'f>(files: impl IntoIterator<Item = &'f PathBuf>) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for file in files {
        add_with_included(file, &mut all);
    }
    all
}

fn add_with_included(file: &Path, all: &mut Vec<PathBuf>) {
    // A file that includes itself is an error for cargo, too.
    if all.iter().any(|known| known == file) {
        return;
    }
    all.push(file.to_owned());
    if is_toolchain(file) {
        return;
    }
    let Some(document) = read(file) else { return };
    let one = |value: &Value| {
        let path = value.as_str().or_else(|| value.as_inline_table()?.get("path")?.as_str());
        path.map(str::to_owned)
    };
    let mut included: Vec<String> = match document.get("include") {
        Some(Item::Value(Value::Array(values))) => values.iter().filter_map(one).collect(),
        Some(Item::Value(value)) => one(value).into_iter().collect(),
        Some(Item::ArrayOfTables(tables)) => tables
            .iter()
            .filter_map(|table| table.get("path")?.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    };
    // The last included file takes precedence over those before it.
    included.reverse();
    let directory = file.parent().unwrap_or(file);
    for path in included.iter().map(|path| directory.join(path)).filter(|path| path.is_file()) {
        add_with_included(&path, all);
    }
}

/// Whether a file chooses a toolchain; otherwise it configures cargo.
fn is_toolchain(file: &Path) -> bool {
    KINDS[1].iter().any(|name| file.file_name() == Some(name.as_ref()))
}

/// Returns a note on how the configuration in this revision's repository differs from the base's; `None` where they
/// are equal.
pub(super) fn difference(head: &Files, base: &Files) -> Option<String> {
    let (head, base) = (head.settings(), base.settings());
    let keys = head.keys().chain(base.keys().filter(|key| !head.contains_key(*key)));
    let differ: Vec<&String> = keys.filter(|key| head.get(*key) != base.get(*key)).collect();
    if differ.is_empty() {
        return None;
    }
    let mut note =
        "this revision and the base are built with different configurations: ".to_owned();
    for (nth, key) in differ.iter().take(NAMED).enumerate() {
        let is_shown = !key.starts_with("env.") && !key.contains("token");
        let value = |settings: &BTreeMap<String, String>| match settings.get(*key) {
            None => "not set".to_owned(),
            Some(value) if is_shown => value.chars().take(120).collect(),
            Some(_) => "another value".to_owned(),
        };
        let separator = if nth == 0 { "" } else { "; " };
        let _ = write!(note, "{separator}`{key}` is {} here, {} there", value(&head), value(&base));
    }
    if differ.len() > NAMED {
        let _ = write!(note, "; and {} more", differ.len() - NAMED);
    }
    Some(note)
}

/// Checks that no configuration file above the base's checkout applies to the base alone. Symbolic links in `place`
/// lead to files above this revision's repository, so they are allowed.
pub(super) fn only_what_applies_to_both(
    head: &Files,
    base: &Files,
    place: &Path,
) -> Result<(), Failure> {
    let known: Vec<_> = head.above.iter().filter_map(|file| canonical(file)).collect();
    let mut foreign = base.above.iter().filter(|file| !file.starts_with(place));
    let foreign = foreign.find(|file| !canonical(file).is_some_and(|file| known.contains(&file)));
    foreign.map_or(Ok(()), |file| {
        Err(Failure::unmeasured(format!(
            "`{}` would apply to the base's build, but it is neither in the base nor above this project; remove it, \
             or set PERF_BUDGET_CACHE to a directory that it does not apply to",
            file.display()
        )))
    })
}

/// Returns the configuration files of cargo's home.
fn files_of_home() -> Vec<PathBuf> {
    let Some(home) = home() else { return Vec::new() };
    let files = KINDS[0].iter().filter_map(|name| Some(home.join(Path::new(name).file_name()?)));
    with_included(&files.filter(|file| file.is_file()).collect::<Vec<_>>())
}

/// Returns cargo's home directory, where it exists.
fn home() -> Option<PathBuf> {
    let set = std::env::var_os("CARGO_HOME").filter(|set| !set.is_empty()).map(PathBuf::from);
    let user = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    let usual = || Some(PathBuf::from(std::env::var_os(user)?).join(".cargo"));
    canonical(&set.or_else(usual)?)
}

/// Returns the directory that a file `.cargo/config.toml` applies to.
pub(super) fn holder(file: &Path) -> Option<&Path> {
    file.parent()?.parent()
}

pub(super) fn canonical(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Parses a TOML file of cargo's. Returns `None` where it cannot be read: cargo itself reports why.
pub(super) fn read(path: &Path) -> Option<Document<String>> {
    Document::parse(std::fs::read_to_string(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct TemporaryProject(tempfile::TempDir);

    impl TemporaryProject {
        fn new() -> TemporaryProject {
            TemporaryProject(tempfile::tempdir().unwrap())
        }

        fn write(&self, name: &str, text: &str) {
            let path = self.0.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }

        /// Returns the files that apply to the package `member` in the repository of this name.
        fn files(&self, name: &str) -> Files {
            let top = self.0.path().join(name);
            Files::find(&top.join("member"), &top)
        }
    }

    #[test]
    fn a_difference_shows_the_setting_of_both_sides() {
        let made = TemporaryProject::new();
        let check = |want: Option<&str>| {
            let got = difference(&made.files("head"), &made.files("base"));
            let got = got.map(|text| text.split_once(": ").unwrap().1.to_owned());
            assert_eq!(got.as_deref(), want);
        };
        check(None);
        made.write(
            "head/.cargo/config.toml",
            "[build]\nrustflags = [\"-O\"]\n[alias]\nx = \"y\"\n",
        );
        check(Some("`build.rustflags` is [\"-O\"] here, not set there"));
        made.write("base/.cargo/config", "build.rustflags = [ \"-O\" ]\n");
        check(None);
        // The member's own file takes precedence over the repository's, and their arrays are joined.
        made.write(
            "base/member/.cargo/config.toml",
            "[build]\nrustflags = [ # these\n  '-g',\n]\n[env]\nKEY = \"s3cret\"\n",
        );
        check(Some(
            "`build.rustflags` is [\"-O\"] here, [\"-O\", \"-g\"] there; `env.KEY` is not set here, another value there",
        ));
        made.write("base/member/.cargo/config.toml", "[build]\nrustflags = []\n");
        check(None);
        for (directory, text) in [("base", "a"), ("base/member", "b"), ("head", "b")] {
            let runner =
                format!("[build]\nrustflags = [\"-O\"]\n[target.x]\nrunner = [\"{text}\"]\n");
            let runner =
                if directory == "base/member" { runner.replace("\"-O\"", "") } else { runner };
            made.write(&format!("{directory}/.cargo/config.toml"), &runner);
        }
        std::fs::remove_file(made.0.path().join("base/.cargo/config")).unwrap();
        check(None);
        std::fs::remove_file(made.0.path().join("base/.cargo/config.toml")).unwrap();
        made.write("base/.cargo/config", "build.rustflags = [ \"-O\" ]\n");
        made.write("head/.cargo/config.toml", "[build]\nrustflags = [\"-O\"]\n");
        std::fs::remove_dir_all(made.0.path().join("base/member")).unwrap();
        made.write("head/rust-toolchain.toml", "[toolchain]\nchannel = \"1.90\"\n");
        check(Some("`rust-toolchain` is [toolchain] channel = \"1.90\" here, not set there"));
        made.write("base/member/.cargo/config.toml", "build.rustc-wrapper = \"tools/wrap\"\n");
        if std::env::var_os("RUSTC_WRAPPER").is_none() {
            let place = made.0.path().join("base/member/tools/wrap");
            assert_eq!(made.files("base").wrapper(), Some(place));
        }
        // An included file counts like the file that includes it, which takes precedence.
        made.write("base/.cargo/config", "include = [\"one.toml\", { path = \"../two.toml\", optional = true }]\n[env]\nONE = \"1\"\n");
        made.write(
            "base/.cargo/one.toml",
            "include = \"one.toml\"\n[env]\nONE = \"2\"\nTHREE = \"2\"\n",
        );
        made.write("base/two.toml", "[env]\nTHREE = \"3\"\n");
        let settings = made.files("base").settings();
        let value = |key: &str| settings.get(key).map(String::as_str);
        assert_eq!((value("env.ONE"), value("env.THREE")), (Some("\"1\""), Some("\"3\"")));
    }

    #[test]
    fn a_file_above_the_base_alone_is_refused() {
        let made = TemporaryProject::new();
        made.write("code/.cargo/config.toml", "");
        made.write("cache/rust-toolchain", "1.90");
        for directory in ["code/head/member", "code/base/member", "cache/base/member"] {
            std::fs::create_dir_all(made.0.path().join(directory)).unwrap();
        }
        let head = made.files("code/head");
        let place = made.0.path().join("place");
        only_what_applies_to_both(&head, &made.files("code/base"), &place).unwrap();
        let base = made.files("cache/base");
        let refused = only_what_applies_to_both(&head, &base, &place).unwrap_err();
        assert!(refused.text.contains("rust-toolchain` would apply to the base's"), "{refused}");
    }
}
