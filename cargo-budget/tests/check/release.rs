//! Tests of the scripts of `release.yml`, and of how `action.yml` takes what they made. A folder stands in for the
//! releases on GitHub, a short script for the program, and another script for cargo where the program would be built.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGETS: [&str; 8] = [
    "aarch64-apple-darwin",
    "aarch64-pc-windows-msvc",
    "aarch64-unknown-linux-gnu",
    "aarch64-unknown-linux-musl",
    "x86_64-apple-darwin",
    "x86_64-pc-windows-msvc",
    "x86_64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
];

/// A folder in which a release is made and installed.
struct Place(tempfile::TempDir);

struct Done {
    is_success: bool,
    text: String,
}

impl Done {
    #[track_caller]
    fn is(&self, success: bool, parts: &[&str]) {
        assert_eq!(self.is_success, success, "{}", self.text);
        for part in parts {
            assert!(self.text.contains(part), "{part:?} is not in\n{}", self.text);
        }
    }
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Runs a script of the repository in this directory.
fn script(name: &str, directory: &Path, variables: &[(&str, &str)]) -> Done {
    let mut command = Command::new("bash");
    command.arg(repository().join(".github").join(name)).current_dir(directory);
    command.envs(variables.iter().copied());
    let output = command.output().unwrap();
    Done {
        is_success: output.status.success(),
        text: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
    }
}

impl Place {
    fn new() -> Place {
        Place(tempfile::Builder::new().prefix("budget-release-").tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Writes a script that can be started.
    fn program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Returns the folder with the files of the release of this version.
    fn files(&self) -> PathBuf {
        self.path("releases").join(format!("v{}", env!("CARGO_PKG_VERSION")))
    }

    /// Packs a program for each target, and collects the files.
    fn release(&self, does: &str) -> Done {
        for target in TARGETS {
            let is_windows = target.ends_with("msvc");
            let name = if is_windows { "made/cargo-budget.exe" } else { "made/cargo-budget" };
            let program = self.program(name, does).display().to_string();
            let output = self.files().display().to_string();
            let variables = [("TARGET", target), ("PROGRAM", &program), ("OUTPUT", &output)];
            script("release/pack.sh", repository(), &variables).is(true, &[]);
        }
        self.collect()
    }

    fn collect(&self) -> Done {
        let files = self.files().display().to_string();
        script("release/collect.sh", repository(), &[("FILES", &files)])
    }

    /// Installs as a runner of this kind does. Cargo is a script that says with what it was called.
    fn install(&self, system: &str, processor: &str) -> Done {
        self.program("path/cargo", "echo \"cargo $*\"");
        let path = format!("{}:{}", self.text("path"), std::env::var("PATH").unwrap());
        let action = repository().display().to_string();
        let sources = script("action/sources.sh", repository(), &[("ACTION", &action)]).text;
        let releases = format!("file://{}", self.text("releases"));
        let (binaries, added) = (self.text("binaries"), self.text("GITHUB_PATH"));
        let done = script(
            "action/install.sh",
            self.0.path(),
            &[
                ("ACTION", &action),
                ("BINARIES", &binaries),
                ("SOURCES", sources.trim()),
                ("RELEASES", &releases),
                ("SYSTEM", system),
                ("PROCESSOR", processor),
                ("GITHUB_PATH", &added),
                ("PATH", &path),
            ],
        );
        let added = fs::read_to_string(self.path("GITHUB_PATH")).unwrap_or_default();
        assert!(added.ends_with("binaries/bin\n"), "{added}\n{}", done.text);
        done
    }

    /// Installs on Linux, and checks that the program is built, for this reason.
    #[track_caller]
    fn builds(&self, reason: &str) {
        let built = format!("cargo install --locked --path {}", repository().display());
        self.install("Linux", "X64").is(true, &[reason, &built]);
        assert!(!self.path("binaries/bin/cargo-budget").exists());
    }
}

#[test]
fn the_program_of_a_release_is_installed() {
    let place = Place::new();
    place.release("echo it runs").is(true, &["cargo-budget-x86_64-unknown-linux-gnu.tar.gz\n"]);
    place.install("Linux", "X64").is(true, &["it runs\n", "is that of the release\n"]);
    let installed = fs::read_to_string(place.path("binaries/bin/cargo-budget")).unwrap();
    assert!(installed.contains("echo it runs"), "{installed}");
    // A program that is in the cache is not asked for again.
    fs::remove_dir_all(place.path("releases")).unwrap();
    place.install("Linux", "X64").is(true, &["it runs\n", "is in the cache\n"]);
}

#[test]
fn a_program_in_the_cache_that_does_not_run_is_replaced() {
    let place = Place::new();
    place.program("binaries/bin/cargo-budget", "exit 127");
    fs::write(place.path("binaries/.crates.toml"), "what cargo takes to be installed").unwrap();
    place.builds("the program in the cache does not run on this machine");
    assert!(!place.path("binaries/.crates.toml").exists());
    place.program("binaries/bin/cargo-budget", "exit 127");
    place.release("echo it runs").is(true, &[]);
    let replaced = ["does not run on this machine", "it runs\n", "is that of the release\n"];
    place.install("Linux", "X64").is(true, &replaced);
}

#[test]
fn each_system_gets_its_own_program() {
    for (system, processor, program) in [
        ("Linux", "ARM64", "cargo-budget"),
        ("macOS", "X64", "cargo-budget"),
        ("macOS", "ARM64", "cargo-budget"),
        ("Windows", "X64", "cargo-budget.exe"),
        ("Windows", "ARM64", "cargo-budget.exe"),
    ] {
        let place = Place::new();
        place.release("echo it runs").is(true, &[]);
        place.install(system, processor).is(true, &["is that of the release\n"]);
        assert!(place.path("binaries/bin").join(program).exists(), "{system} {processor}");
    }
}

/// What `cargo binstall` reads in the manifest leads to the archive that `pack.sh` makes of each system, and to the program in it.
#[test]
fn binstall_finds_the_program_of_each_system() {
    let manifest = fs::read_to_string(repository().join("cargo-budget/Cargo.toml")).unwrap();
    let manifest: toml_edit::DocumentMut = manifest.parse().unwrap();
    let said = &manifest["package"]["metadata"]["binstall"];
    let value = |key: &str| said[key].as_str().unwrap().to_owned();
    // Its word for what `tar -czf` writes.
    assert_eq!(value("pkg-fmt"), "tgz");
    let place = Place::new();
    place.release("echo it runs").is(true, &[]);
    for target in TARGETS {
        let ending = if target.ends_with("msvc") { ".exe" } else { "" };
        let filled = |text: String| {
            let values = [
                ("{ repo }", "REPOSITORY"),
                ("{ version }", env!("CARGO_PKG_VERSION")),
                ("{ name }", "cargo-budget"),
                ("{ bin }", "cargo-budget"),
                ("{ target }", target),
                ("{ binary-ext }", ending),
            ];
            let fill = |text: String, (name, value): (&str, &str)| text.replace(name, value);
            let text = values.into_iter().fold(text, fill);
            assert!(!text.contains('{'), "{text} has a name that this test does not know");
            text
        };
        let address = filled(value("pkg-url"));
        // GitHub has the files of a release below its tag.
        let file = address.strip_prefix("REPOSITORY/releases/download/").unwrap();
        let archive = place.path("releases").join(file);
        let program = filled(value("bin-dir"));
        let mut unpack = Command::new("tar");
        unpack.arg("-xzOf").arg(&archive).arg(&program);
        let unpacked = unpack.output().unwrap();
        assert!(unpacked.status.success(), "{target}: {unpacked:?}");
        assert!(unpacked.stdout.ends_with(b"echo it runs\n"), "{target}: {unpacked:?}");
    }
}

#[test]
fn where_there_is_no_program_it_is_built() {
    let place = Place::new();
    place.builds("there is no release v");

    place.release("exit 1").is(true, &[]);
    place.builds("does not run on this machine");

    let sources = place.files().join("sources.txt");
    let digest = fs::read_to_string(&sources).unwrap();
    fs::write(&sources, "0123\n").unwrap();
    place.builds("was made from other sources");
    fs::write(&sources, digest).unwrap();

    let done = place.install("Linux", "RISCV64");
    done.is(true, &["have no program for Linux on RISCV64", "cargo install"]);

    let archive = place.files().join("cargo-budget-x86_64-unknown-linux-musl.tar.gz");
    fs::write(&archive, "something else").unwrap();
    place.builds("::warning::cargo-budget-x86_64-unknown-linux-musl.tar.gz of the release v");
    fs::remove_file(&archive).unwrap();
    place.builds("so cargo budget");
}

#[test]
fn no_release_is_half_of_one() {
    let place = Place::new();
    place.release("true").is(true, &[]);
    // Collecting again finds its own files, which nobody expects.
    place.collect().is(false, &["> SHA256SUMS", "> sources.txt"]);
    for name in ["SHA256SUMS", "sources.txt", "cargo-budget-x86_64-apple-darwin.tar.gz"] {
        fs::remove_file(place.files().join(name)).unwrap();
    }
    place.collect().is(false, &["< cargo-budget-x86_64-apple-darwin.tar.gz"]);
}

#[test]
fn a_release_is_checked_before_it_is_built() {
    let place = Place::new();
    let address = "https://github.com/example/perf-budget";
    let check = |tag: &str| {
        script("release/check.sh", place.0.path(), &[("TAG", tag), ("REPOSITORY", address)])
    };
    let write = |name: &str, text: &str| {
        let path = place.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("Cargo.toml", "[workspace.package]\nversion = \"1.2.3\"\n");
    let package = |name: &str, keys: &str| {
        write(&format!("{name}/Cargo.toml"), &format!("[package]\nname = \"{name}\"\n{keys}"));
    };
    let member = "edition.workspace = true\n";
    for name in ["core", "cargo-budget", "adapter/member"] {
        package(name, member);
    }
    // A package that is not a member of the workspace has an address of its own, and some are not published.
    package("adapter/outside", "edition = \"2024\"\n");
    package("examples/one", "publish = false\n");
    package("target/package/copy", member);
    write("CHANGELOG.md", "## [1.2.3] - Unreleased\n");
    check("").is(true, &["nothing is released: cargo budget 1.2.3 is built and packed"]);
    check("v1.2.4").is(
        false,
        &[
            "tag v1.2.3",
            "write `## [1.2.3] - YYYY-MM-DD`",
            "`repository = \"https://github.com/example/perf-budget\"`",
            "[package] of core/Cargo.toml does not have `repository.workspace = true`",
            "[package] of adapter/member/Cargo.toml does not have `repository.workspace = true`",
            "[package] of adapter/outside/Cargo.toml does not have `repository = \"https://github.com/example/perf-budget\"`",
        ],
    );
    let said = check("v1.2.4").text;
    assert!(!said.contains("examples/one") && !said.contains("target/"), "{said}");
    write(
        "Cargo.toml",
        &format!(
            "[workspace.package]\nversion = \"1.2.3\"\nrepository = \"{address}\"\n\
             [package]\nrepository.workspace = true\n"
        ),
    );
    for name in ["core", "cargo-budget", "adapter/member"] {
        package(name, &format!("{member}repository.workspace = true\n"));
    }
    package("adapter/outside", &format!("repository = \"{address}\"\n"));
    write("CHANGELOG.md", "## [1.2.3] - 2027-01-02\n");
    check("v1.2.3").is(true, &[]);
}

/// Cargo knows which members of the workspace are published. The adapters of older Criterions are not members.
#[test]
fn each_package_that_is_published_is_asked_for_the_address() {
    let metadata = cargo_metadata::MetadataCommand::new().no_deps().exec().unwrap();
    let published = metadata.packages.iter().filter(|package| package.publish.is_none());
    let below = |path: &Path| path.strip_prefix(repository()).unwrap().to_owned();
    let mut want: Vec<PathBuf> =
        published.map(|package| below(package.manifest_path.as_std_path())).collect();
    assert!(want.contains(&"adapters/divan-macros/Cargo.toml".into()), "{want:?}");
    let older = ["0.5", "0.6", "0.7"];
    want.extend(older.map(|version| format!("adapters/criterion-{version}/Cargo.toml").into()));
    let address = "https://github.com/example/elsewhere";
    let said = script("release/check.sh", repository(), &[("TAG", ""), ("REPOSITORY", address)]);
    for manifest in &want {
        let text = fs::read_to_string(repository().join(manifest)).unwrap();
        let has = text.contains("\nrepository.workspace = true\n");
        let is_asked = said.text.contains(&format!("[package] of {} does", manifest.display()));
        assert!(has != is_asked, "{}: {}", manifest.display(), said.text);
    }
    let asked = said.text.lines().filter(|line| line.contains("[package] of ")).count();
    assert!(asked <= want.len(), "{}", said.text);
}
