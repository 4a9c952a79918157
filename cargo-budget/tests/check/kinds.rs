//! Tests that a commit is equal to itself in every kind of project: its measurements are 1 x base exactly, and nothing
//! has to be measured.
//!
//! The base is built in another directory than this revision, so a path, an order or a setting that reaches a binary of
//! one side alone would show here.

use std::fs;
use std::path::Path;

use perf_budget_core::outcome::ComparisonMethod;
use perf_budget_core::verdict::Verdict;

use crate::made::Made;
use crate::{Crate, Run};

const TESTS: &str = r#"
#[global_allocator]
static HEAP: perf_budget::Heap = perf_budget::Heap::system();

fn main() -> std::process::ExitCode {
    perf_budget::Harness::new().workload("work", |run| run.iter(|| NAME::work(3))).main()
}
"#;

const BUDGETS: &str = r#"
[budget.work]
workload = "work"
max = { allocs = "1 x base", alloc_bytes = "1 x base" }

[budget.program]
artifact = "{bin:NAME-app}"
profile = "dev"
max.size = "1 x base"
"#;

const MAIN: &str =
    "fn main() {\n    println!(\"{}\", NAME::work(std::env::args().count()).len());\n}\n";
/// A library, which other libraries of a project are like.
const WORK: &str = "/// Makes text.\npub fn work(n: usize) -> String {\n    let all = [\"one\", \"two\", \"three\", \"four\"];\n    \
    format!(\"{}{n}\", all[n % 4])\n}\n";

/// A project of one kind.
struct Kind(Crate);

/// The directory of a package in a workspace whose root is no package.
const BELOW: &str = "crates/app";

impl Kind {
    /// Makes a project with a library and a program.
    fn new(name: &str) -> Kind {
        let own = |text: &str| text.replace("NAME", name);
        let made = Crate(Made::new(name, &own(TESTS), &own(BUDGETS)));
        made.0.write(".gitignore", "target\nresults\n");
        made.git(&["init", "-q"]);
        let kind = Kind(made);
        kind.add(&format!("\n[[bin]]\nname = \"{name}-app\"\npath = \"src/main.rs\"\n"));
        kind.write("src/lib.rs", WORK);
        kind.write("src/main.rs", &own(MAIN));
        kind
    }

    fn write(&self, name: &str, text: &str) {
        self.0.0.write(name, text);
    }

    /// Adds lines to the manifest.
    fn add(&self, lines: &str) {
        let manifest = fs::read_to_string(self.0.0.path("Cargo.toml")).unwrap();
        self.write("Cargo.toml", &(manifest + lines));
    }

    /// Replaces a part of the manifest.
    fn replace(&self, part: &str, by: &str) {
        let manifest = fs::read_to_string(self.0.0.path("Cargo.toml")).unwrap();
        assert!(manifest.contains(part), "{manifest}");
        self.write("Cargo.toml", &manifest.replace(part, by));
    }

    /// Depends on a library in the directory `path`, which the work is handed on to.
    fn depend(&self, name: &str, path: &str) {
        self.add(&format!("\n[dependencies]\n{name} = {{ path = {path:?} }}\n"));
        let name = name.replace('-', "_");
        self.write(
            "src/lib.rs",
            &format!(
                "/// Makes text.\npub fn work(n: usize) -> String {{\n    {name}::work(n)\n}}\n"
            ),
        );
    }

    /// Moves the package below the root of a workspace that is no package itself.
    fn move_below(&self) {
        for name in ["Cargo.toml", "budgets.toml", "src", "tests"] {
            let to = self.0.0.path(BELOW).join(name);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::rename(self.0.0.path(name), to).unwrap();
        }
        let manifest = fs::read_to_string(self.0.0.path(BELOW).join("Cargo.toml")).unwrap();
        let (package, profile) = manifest.split_once("[workspace]\n").unwrap();
        let (profile, bin) = profile.split_once("\n[[bin]]").unwrap();
        self.write(&format!("{BELOW}/Cargo.toml"), &format!("{package}\n[[bin]]{bin}"));
        let root = "[workspace]\nmembers = [\"crates/*\"]\nresolver = \"3\"\n";
        self.write("Cargo.toml", &format!("{root}{profile}"));
    }

    /// Runs the command in the directory of the package.
    fn run(&self, arguments: &[&str], measure: Option<&str>) -> Run {
        let mut command = self.0.command(&[&["check", "--profile", "dev"], arguments].concat());
        let below = self.0.0.path(BELOW);
        if below.is_dir() {
            command.current_dir(below);
        }
        command.envs(measure.map(|measure| ("PERF_BUDGET_MEASURE", measure)));
        self.0.run_command(command)
    }

    /// Commits the project, and compares the commit with itself: measured, and then proven.
    #[track_caller]
    fn is_equal_to_itself(&self) {
        // This run completes the lock file.
        self.run(&["--", "no such test"], None).is(3, &["the arguments left out all"]);
        self.0.commit("a project");
        let Run { outcomes, text, .. } = self.run(&["--base", "HEAD"], Some("always"));
        assert_eq!(outcomes.len(), 3, "{text}");
        for outcome in &outcomes {
            assert_eq!(outcome.verdict, Verdict::Pass, "{}: {text}", outcome.test);
            let value = outcome.estimate.map(|estimate| estimate.value);
            assert_eq!(value, Some(1.0), "{}: {text}", outcome.test);
            let is_program = outcome.budget == "program";
            let is_same =
                outcome.notes.iter().any(|note| note.contains("the same bytes as at the base"));
            assert_eq!(is_same, is_program, "{}: {:?}", outcome.test, outcome.notes);
        }
        let proven = self.run(&["--base", "HEAD"], None);
        proven.is(0, &["so it is not built"]);
        let is_proven = |proven: Option<ComparisonMethod>| proven == Some(ComparisonMethod::Files);
        assert!(
            proven.outcomes.iter().all(|outcome| is_proven(outcome.proven.as_ref().map(|p| p.by))),
            "{}",
            proven.text
        );
    }
}

/// Writes a package with the library.
fn package(directory: &Path, name: &str, lines: &str) {
    fs::create_dir_all(directory.join("src")).unwrap();
    let manifest =
        format!("[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\n{lines}");
    fs::write(directory.join("Cargo.toml"), manifest).unwrap();
    fs::write(directory.join("src/lib.rs"), WORK).unwrap();
}

#[test]
fn a_program_with_a_library() {
    Kind::new("kindplain").is_equal_to_itself();
}

#[test]
fn a_member_of_a_workspace_and_a_package_beside_the_workspace() {
    let member = Kind::new("kindmember");
    package(&member.0.0.path("member"), "kindmember-dep", "");
    member.replace("[workspace]\n", "[workspace]\nmembers = [\"member\"]\n");
    member.depend("kindmember-dep", "member");
    member.is_equal_to_itself();
    let outside = tempfile::Builder::new().prefix("budget-kind-").tempdir().unwrap();
    package(outside.path(), "kindbeside-dep", "");
    let beside = Kind::new("kindbeside");
    let name = outside.path().file_name().unwrap().to_str().unwrap();
    beside.depend("kindbeside-dep", &format!("../{name}"));
    beside.is_equal_to_itself();
}

#[test]
fn a_macro_crate_and_a_build_script() {
    let with = Kind::new("kindmade");
    package(&with.0.0.path("macros"), "kindmade-macros", "\n[lib]\nproc-macro = true\n");
    with.write(
        "macros/src/lib.rs",
        "use proc_macro::TokenStream;\n\n/// Makes a number.\n#[proc_macro]\npub fn seven(_: TokenStream) -> TokenStream {\n    \
         \"7_usize\".parse().unwrap()\n}\n",
    );
    with.add("\n[dependencies]\nkindmade-macros = { path = \"macros\" }\n");
    with.write(
        "build.rs",
        "fn main() {\n    println!(\"cargo::rerun-if-changed=made.txt\");\n    \
         let text = std::fs::read_to_string(\"made.txt\").unwrap();\n    \
         let out = std::env::var(\"OUT_DIR\").unwrap();\n    \
         std::fs::write(format!(\"{out}/made.rs\"), format!(\"const MADE: &str = {text:?};\")).unwrap();\n}\n",
    );
    with.write("made.txt", "so many");
    with.write(
        "src/lib.rs",
        "include!(concat!(env!(\"OUT_DIR\"), \"/made.rs\"));\n\n/// Makes text.\npub fn work(n: usize) -> String {\n    \
         format!(\"{MADE}{}\", n + kindmade_macros::seven!())\n}\n",
    );
    with.is_equal_to_itself();
}

#[test]
fn a_patched_dependency_features_and_overridden_profiles() {
    let with = Kind::new("kindpatched");
    // A package of the registry that is in the lock file, and that the library does not use.
    let lock = fs::read_to_string(with.0.0.path("Cargo.lock")).unwrap();
    let version = lock.split_once("name = \"fastrand\"\n").unwrap().1.lines().next().unwrap();
    let patched = with.0.0.path("patched");
    package(&patched, "fastrand", "\n[features]\ndefault = [\"slow\"]\nslow = []\n");
    let manifest = fs::read_to_string(patched.join("Cargo.toml")).unwrap();
    with.write("patched/Cargo.toml", &manifest.replace("version = \"0.1.0\"", version));
    with.add(
        "\n[dependencies]\nfastrand = { version = \"2\", default-features = false }\n\n\
         [patch.crates-io]\nfastrand = { path = \"patched\" }\n\n\
         [features]\ndefault = []\nmore = []\n\n[profile.dev.package.fastrand]\nopt-level = 3\n",
    );
    with.write(
        "src/lib.rs",
        "/// Makes text.\npub fn work(n: usize) -> String {\n    fastrand::work(n)\n}\n",
    );
    with.is_equal_to_itself();
}

#[test]
fn a_submodule_that_is_a_package() {
    let source = tempfile::Builder::new().prefix("budget-kind-").tempdir().unwrap();
    package(source.path(), "kindmodule-dep", "");
    crate::git(source.path(), &["init", "-q"]);
    crate::git(source.path(), &["add", "-A"]);
    crate::git(source.path(), &["commit", "-q", "-m", "a package"]);
    let with = Kind::new("kindmodule");
    let from = source.path().to_str().unwrap();
    with.0.git(&["-c", "protocol.file.allow=always", "submodule", "add", "-q", from, "module"]);
    with.replace("[workspace]\n", "[workspace]\nmembers = [\"module\"]\n");
    with.depend("kindmodule-dep", "module");
    with.is_equal_to_itself();
}

#[test]
#[cfg(unix)]
fn a_nested_workspace_an_older_edition_and_sources_that_are_links() {
    let with = Kind::new("kindlinked");
    // A package of another workspace, of the first edition, and without the standard library.
    package(&with.0.0.path("nested"), "kindlinked-nested", "\n[workspace]\n");
    let manifest = fs::read_to_string(with.0.0.path("nested/Cargo.toml")).unwrap();
    with.write("nested/Cargo.toml", &manifest.replace("2024", "2015"));
    with.write(
        "nested/src/lib.rs",
        "#![no_std]\nextern crate alloc;\n\n/// Makes text.\npub fn work(n: usize) -> alloc::string::String {\n    \
         alloc::format!(\"{}\", n)\n}\n",
    );
    with.replace("[workspace]\n", "[workspace]\nexclude = [\"nested\"]\n");
    with.add("\n[dependencies]\nkindlinked-nested = { path = \"nested\" }\n");
    with.write(
        "shared/linked.rs",
        "/// Bytes of a file.\npub const BYTES: &[u8] = include_bytes!(\"../data.bin\");\n",
    );
    with.write("data.bin", "some bytes");
    std::os::unix::fs::symlink("../shared/linked.rs", with.0.0.path("src/linked.rs")).unwrap();
    with.write(
        "src/lib.rs",
        "mod linked;\n\n/// Makes text.\npub fn work(n: usize) -> String {\n    \
         kindlinked_nested::work(n + linked::BYTES.len())\n}\n",
    );
    with.is_equal_to_itself();
}

#[test]
fn a_package_below_the_root_of_a_workspace_that_is_no_package() {
    let with = Kind::new("kindbelow");
    package(&with.0.0.path("crates/dep"), "kindbelow-dep", "");
    with.depend("kindbelow-dep", "../dep");
    with.move_below();
    with.is_equal_to_itself();
}

#[test]
fn code_in_c_and_a_lock_file_that_git_ignores() {
    let with = Kind::new("kindc");
    with.write(".gitignore", "target\nresults\nCargo.lock\n");
    with.add("\n[build-dependencies]\ncc = \"1\"\n");
    with.write(
        "build.rs",
        "fn main() {\n    println!(\"cargo::rerun-if-changed=native\");\n    \
         cc::Build::new().file(\"native/add.c\").include(\"native\").compile(\"kindc\");\n}\n",
    );
    with.write("native/add.h", "#define MORE 7\nint add(int n);\n");
    with.write(
        "native/add.c",
        "#include <assert.h>\n#include \"add.h\"\n\nint add(int n) {\n    assert(n >= 0);\n    return n + MORE;\n}\n",
    );
    with.write(
        "src/lib.rs",
        "unsafe extern \"C\" {\n    fn add(n: i32) -> i32;\n}\n\n/// Makes text.\npub fn work(n: usize) -> String {\n    \
         format!(\"{}\", unsafe { add(n as i32) })\n}\n",
    );
    with.is_equal_to_itself();
}

/// The library is loaded when a program starts, by a path that is another for each revision.
#[test]
fn a_library_that_is_loaded_at_run_time() {
    let with = Kind::new("kindloaded");
    package(&with.0.0.path("loaded"), "kindloaded-dep", "\n[lib]\ncrate-type = [\"dylib\"]\n");
    with.replace("[workspace]\n", "[workspace]\nmembers = [\"loaded\"]\n");
    with.depend("kindloaded-dep", "loaded");
    with.is_equal_to_itself();
}
