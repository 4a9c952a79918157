//! Tests that the base is built with its own configuration, and with nothing of this revision's.
//!
//! The crate has no dependencies, so that it builds in a moment. Its test `budgets` is not a harness: it prints what it
//! was built with, and then runs the base's test binary, which prints the same of the base.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::made;

pub(crate) const MANIFEST: &str = "[package]\nname = \"plain\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
    [[test]]\nname = \"budgets\"\nharness = false\n\n[profile.dev]\ndebug = false\n\n[workspace]\n";
const BUDGETS: &str =
    "[budget.text]\nartifact = \"Cargo.toml\"\nmax = { size = [\"1 KB\", \"9 x base\"] }\n";
const TESTS: &str = r#"
fn main() {
    let is_base = std::env::var_os("SAYS_BASE").is_some();
    println!("{}: {}", if is_base { "base" } else { "head" }, plain::built());
    if is_base {
        return;
    }
    println!("DETAILS: {}", std::env::var("PERF_BUDGET_BASE_DETAILS").unwrap_or_default());
    if let Some(base) = std::env::var_os("PERF_BUDGET_BASE") {
        std::process::Command::new(base).env("SAYS_BASE", "1").status().unwrap();
    }
}
"#;
const BUILT: &str = "pub fn built() -> String {\n    \
    format!(\"slow={} one={:?}\", cfg!(slow), option_env!(\"ONE\"))\n}\n";

/// Repositories of small crates, and a cache outside of them.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    /// Makes a place with one repository of this name.
    pub(crate) fn new(name: &str) -> Place {
        let place =
            Place(tempfile::Builder::new().prefix("budget-configuration-").tempdir().unwrap());
        place.add(name);
        place
    }

    pub(crate) fn add(&self, name: &str) {
        for (file, text) in [
            ("Cargo.toml", MANIFEST),
            ("budgets.toml", BUDGETS),
            ("tests/budgets.rs", TESTS),
            ("src/lib.rs", BUILT),
            (".gitignore", "target\n"),
        ] {
            self.write(&format!("{name}/{file}"), text);
        }
        self.git(name, &["init", "-q"]);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn git(&self, name: &str, arguments: &[&str]) -> String {
        crate::git(&self.path(name), arguments)
    }

    /// Commits everything, with the lock file that cargo makes.
    pub(crate) fn commit(&self, name: &str) {
        let mut lock = self.command(name, env!("CARGO"));
        let output = lock.args(["generate-lockfile", "--offline"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        self.git(name, &["add", "-A"]);
        self.git(name, &["commit", "-q", "--allow-empty", "-m", "more"]);
    }

    pub(crate) fn command(&self, name: &str, program: &str) -> Command {
        let mut command = Command::new(program);
        made::isolate(&mut command, &self.path("results"));
        command.current_dir(self.path(name));
        command.env("PERF_BUDGET_CACHE", self.path("cache"));
        // Otherwise the base would not be built where nothing has changed.
        command.env("PERF_BUDGET_MEASURE", "always");
        // The target directory is in the project, as usual, unless the test made a shared one.
        command.env_remove("CARGO_TARGET_DIR").env_remove("PERF_BUDGET_DIR");
        if self.path("target").is_dir() {
            command.env("CARGO_TARGET_DIR", self.path("target"));
        }
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "ONE"] {
            command.env_remove(name);
        }
        command
    }

    /// Compares with a revision, and returns everything that is printed.
    pub(crate) fn check(&self, name: &str, base: &str) -> Said {
        let mut command = self.command(name, env!("CARGO_BIN_EXE_cargo-budget"));
        let output =
            command.args(["budget", "check", "--profile", "dev", "--base", base]).output().unwrap();
        Said(String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    }
}

pub(crate) struct Said(pub(crate) String);

impl Said {
    #[track_caller]
    pub(crate) fn has(&self, parts: &[&str]) -> &Said {
        for part in parts {
            assert!(self.0.contains(part), "{part:?} is not in\n{}", self.0);
        }
        self
    }
}

#[test]
fn each_revision_is_built_with_its_own_flags_and_variables() {
    let place = Place::new("app");
    place.commit("app");
    let plain = "slow=false one=None";
    place.check("app", "HEAD").has(&[
        &format!("head: {plain}"),
        &format!("base: {plain}"),
        "\"notes\":[]",
    ]);

    // Flags that the user sets apply to both revisions.
    let mut set = place.command("app", env!("CARGO_BIN_EXE_cargo-budget"));
    set.args(["budget", "check", "--profile", "dev", "--base", "HEAD"]);
    let output = set.env("RUSTFLAGS", "--cfg slow").output().unwrap();
    let set = Said(String::from_utf8(output.stdout).unwrap());
    set.has(&["head: slow=true", "base: slow=true"]);

    // The configuration is added in this revision, so this revision alone is slow.
    let flags = "[build]\nrustflags = [\"--cfg\", \"slow\"]\n[env]\nONE = { value = \"1\", force = true }\n";
    place.write("app/.cargo/config.toml", flags);
    place.commit("app");
    let added = place.check("app", "HEAD~1");
    added.has(&["head: slow=true one=Some(\"1\")", "base: slow=false one=None"]);
    added.has(&[
        "\"notes\":[\"this revision and the base are built with different configurations: ",
    ]);
    added.has(&["`build.rustflags` is [\"--cfg\", \"slow\"] here, not set there"]);
    // The harness is told which variables to remove when it builds a program of the base.
    added.has(&["\"environment\":{", "\"ONE\":null"]);
    place.check("app", "HEAD").has(&["base: slow=true one=Some(\"1\")", "\"notes\":[]"]);

    // The configuration is removed again, so the base alone is slow.
    fs::remove_dir_all(place.path("app/.cargo")).unwrap();
    place.commit("app");
    let removed = place.check("app", "HEAD~1");
    removed.has(&["head: slow=false one=None", "base: slow=true one=Some(\"1\")"]);
    removed.has(&["`build.rustflags` is not set here, [\"--cfg\", \"slow\"] there"]);

    // A configuration file above the repository belongs to no revision, and applies to both.
    place.write(".cargo/config.toml", flags);
    place.commit("app");
    let mut above = place.command("app", env!("CARGO_BIN_EXE_cargo-budget"));
    let cache = tempfile::tempdir().unwrap();
    above.args(["budget", "check", "--profile", "dev", "--base", "HEAD~2"]);
    let output = above.env("PERF_BUDGET_CACHE", cache.path()).output().unwrap();
    let above = Said(String::from_utf8([output.stdout, output.stderr].concat()).unwrap());
    above.has(&["head: slow=true one=Some(\"1\")", "base: slow=true one=Some(\"1\")"]);
    // One that is above the cache alone would apply only to the base, so nothing is compared.
    fs::rename(place.path(".cargo"), cache.path().join(".cargo")).unwrap();
    let mut alone = place.command("app", env!("CARGO_BIN_EXE_cargo-budget"));
    alone.args(["budget", "check", "--profile", "dev", "--base", "HEAD"]);
    let output = alone.env("PERF_BUDGET_CACHE", cache.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let alone = Said(String::from_utf8(output.stderr).unwrap());
    alone.has(&["would apply to the base's build, but it is neither in the base nor above this"]);
}

/// Cargo tells packages apart by their names and versions, so both revisions would have the same files there.
#[test]
fn a_build_directory_that_the_user_names_is_not_shared_by_both_revisions() {
    let place = Place::new("app");
    let built = |text: &str| {
        let text = format!("pub fn built() -> String {{\n    \"{text}\".to_owned()\n}}\n");
        place.write("app/src/lib.rs", &text);
        place.commit("app");
    };
    built("before");
    built("after");
    let mut named = place.command("app", env!("CARGO_BIN_EXE_cargo-budget"));
    named.args(["budget", "check", "--profile", "dev", "--base", "HEAD~1"]);
    let output = named.env("CARGO_BUILD_BUILD_DIR", place.path("build")).output().unwrap();
    let named = Said(String::from_utf8([output.stdout, output.stderr].concat()).unwrap());
    named.has(&["head: after", "base: before"]);
    let directory = place.path("build");
    let text = format!("[build]\nbuild-dir = {:?}\n", directory.to_str().unwrap());
    place.write(".cargo/config.toml", &text);
    place.check("app", "HEAD~1").has(&["head: after", "base: before"]);
}

#[test]
fn a_patch_of_a_dependency_applies_only_to_the_revision_that_has_it() {
    let place = Place::new("app");
    let manifest = MANIFEST.replace("[profile", "[dependencies]\nitoa = \"1\"\n\n[profile");
    place.write("app/Cargo.toml", &manifest);
    let built = "pub fn built() -> String {\n    itoa::Buffer::new().format(7_u8).to_owned()\n}\n";
    place.write("app/src/lib.rs", built);
    place.commit("app");
    // The patch has the locked version, so that the base would use it too if the patch applied there.
    let lock = fs::read_to_string(place.path("app/Cargo.lock")).unwrap();
    let version = lock.split_once("name = \"itoa\"\n").unwrap().1.lines().next().unwrap();
    let manifest = format!("[package]\nname = \"itoa\"\n{version}\nedition = \"2024\"\n");
    place.write("app/patched/Cargo.toml", &manifest);
    place.write(
        "app/patched/src/lib.rs",
        "pub struct Buffer;\nimpl Buffer {\n    pub fn new() -> Buffer {\n        Buffer\n    }\n    \
         pub fn format(&mut self, _: u8) -> &str {\n        \"patched\"\n    }\n}\n",
    );
    place.write("app/.cargo/config.toml", "[patch.crates-io]\nitoa = { path = \"patched\" }\n");
    place.commit("app");
    let patched = place.check("app", "HEAD~1");
    patched.has(&["head: patched", "base: 7", "`patch.crates-io.itoa.path` is \"patched\" here"]);
    // The patch is removed again, so the base alone has it.
    fs::remove_dir_all(place.path("app/.cargo")).unwrap();
    place.commit("app");
    let removed = place.check("app", "HEAD~1");
    removed.has(&["head: 7", "base: patched", "`patch.crates-io.itoa.path` is not set here"]);
}

/// Cargo takes packages of a registry for the same where their versions are, wherever they come from.
#[test]
fn a_registry_that_is_replaced_by_a_directory_is_each_revisions_own() {
    let place = Place::new("app");
    let manifest = MANIFEST.replace("[profile", "[dependencies]\nvendored-kit = \"1\"\n\n[profile");
    place.write("app/Cargo.toml", &manifest);
    let built = "pub fn built() -> String {\n    vendored_kit::KIT.to_owned()\n}\n";
    place.write("app/src/lib.rs", built);
    let source =
        "[source.crates-io]\nreplace-with = \"own\"\n[source.own]\ndirectory = \"vendor\"\n";
    place.write("app/.cargo/config.toml", source);
    let kit = "[package]\nname = \"vendored-kit\"\nversion = \"1.0.0\"\nedition = \"2024\"\n";
    place.write("app/vendor/kit/Cargo.toml", kit);
    place.write("app/vendor/kit/.cargo-checksum.json", "{\"files\":{}}");
    for text in ["one", "two", "three"] {
        let text = format!("pub const KIT: &str = {text:?};\n");
        place.write("app/vendor/kit/src/lib.rs", &text);
        place.commit("app");
    }
    place.check("app", "HEAD~1").has(&["head: three", "base: two"]);
    place.check("app", "HEAD~2").has(&["head: three", "base: one"]);
}

#[test]
fn each_project_has_its_own_sibling_in_one_target_directory() {
    let place = Place::new("one/app");
    place.add("two/app");
    fs::create_dir(place.path("target")).unwrap();
    for (number, project) in ["one", "two"].into_iter().enumerate() {
        place.write(
            &format!("{project}/kit/Cargo.toml"),
            "[package]\nname = \"kit\"\nedition = \"2024\"\n",
        );
        place.write(
            &format!("{project}/kit/src/lib.rs"),
            &format!("pub const KIT: u32 = {number};\n"),
        );
        let app = format!("{project}/app");
        let dependency = "[dependencies]\nkit = { path = \"../kit\" }\n\n[profile";
        place.write(&format!("{app}/Cargo.toml"), &MANIFEST.replace("[profile", dependency));
        let built = "pub fn built() -> String {\n    format!(\"kit={}\", kit::KIT)\n}\n";
        place.write(&format!("{app}/src/lib.rs"), built);
        place.commit(&app);
    }
    for (project, kit) in [("one", 0), ("two", 1), ("one", 0)] {
        let said = place.check(&format!("{project}/app"), "HEAD");
        said.has(&[&format!("head: kit={kit}\n"), &format!("base: kit={kit}\n")]);
    }
}

#[test]
fn a_base_whose_lock_file_git_ignores_is_built_with_this_revisions() {
    let place = Place::new("app");
    let manifest = MANIFEST.replace("[profile", "[dependencies]\nitoa = \"1\"\n\n[profile");
    place.write("app/Cargo.toml", &manifest);
    place.write("app/.gitignore", "target\nCargo.lock\n");
    place.commit("app");
    let lock = fs::read_to_string(place.path("app/Cargo.lock")).unwrap();
    place.check("app", "HEAD").has(&["base: ", "\"notes\":[]"]);
    let checkouts = fs::read_dir(place.path("cache")).unwrap().next().unwrap().unwrap().path();
    let checkouts = checkouts.join("checkouts/target/package");
    let commit = &place.git("app", &["rev-parse", "HEAD"])[..12];
    let served = fs::read_to_string(checkouts.join(commit).join("Cargo.lock")).unwrap();
    assert_eq!(served, lock);
    // This revision no longer has the dependency, so cargo has to add it to the lock file for the base.
    place.write("app/Cargo.toml", MANIFEST);
    place.commit("app");
    let differs = place.check("app", "HEAD~1");
    differs.has(&[
        "\"notes\":[\"Cargo.lock is not in git: the base was built with this revision's",
        "itoa 1.",
    ]);
}

#[test]
fn every_limit_is_new_where_the_base_has_no_budgets() {
    let place = Place::new("app");
    place.commit("app");
    for (file, lacks) in
        [("budgets.toml", "has no budgets.toml"), ("tests/budgets.rs", "has no test `budgets`")]
    {
        let text = fs::read_to_string(place.path(&format!("app/{file}"))).unwrap();
        let manifest = fs::read_to_string(place.path("app/Cargo.toml")).unwrap();
        fs::remove_file(place.path(&format!("app/{file}"))).unwrap();
        if file.starts_with("tests") {
            let (before, after) =
                (manifest.find("[[test]]").unwrap(), manifest.find("[profile").unwrap());
            place
                .write("app/Cargo.toml", &format!("{}{}", &manifest[..before], &manifest[after..]));
        }
        place.commit("app");
        place.write(&format!("app/{file}"), &text);
        place.write("app/Cargo.toml", &manifest);
        place.commit("app");
        let adopted = place.check("app", "HEAD~1");
        adopted.has(&["so every limit against the base is new", &format!("\"lacks\":\"{lacks}\"")]);
        assert!(!adopted.0.contains("nothing was compared"), "{}", adopted.0);
    }
    // A base that has both and does not build is an error instead.
    place.write("app/src/lib.rs", "pub fn built() -> String {\n    oops\n}\n");
    place.commit("app");
    place.write("app/src/lib.rs", BUILT);
    place.commit("app");
    place.check("app", "HEAD~1").has(&["nothing was compared with the base: failed to build"]);
}
