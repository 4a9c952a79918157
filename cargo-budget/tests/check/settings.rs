//! Tests that a setting applies only to the revision that has it, in whatever form and file it is written, and that what
//! has been compiled for this revision is not compiled once more for the base.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::configuration::{MANIFEST, Place, Said};

/// What a revision was built with, as its test prints it.
const BUILT: &str = "pub fn built() -> String {\n    \
    format!(\"{} {} {} opt={} {}\", cfg!(one), cfg!(two), cfg!(three), env!(\"OPT\"), env!(\"COMPILER\"))\n}\n";
const SCRIPT: &str = r#"fn main() {
    let of = |name: &str| std::env::var(name).unwrap();
    let compiler = std::process::Command::new(of("RUSTC")).arg("-V").output().unwrap();
    println!("cargo::rustc-env=OPT={}", of("OPT_LEVEL"));
    println!("cargo::rustc-env=COMPILER={}", String::from_utf8_lossy(&compiler.stdout).trim());
    println!("cargo::rustc-check-cfg=cfg(one, two, three)");
}
"#;

/// A package in a workspace whose root is no package. Its test is in `app/member`.
fn member() -> Place {
    let place = Place::new("app/member");
    // The repository is that of the workspace.
    fs::remove_dir_all(place.path("app/member/.git")).unwrap();
    let manifest =
        MANIFEST.replace("[workspace]\n", "").replace("[profile.dev]\ndebug = false\n", "");
    place.write("app/member/Cargo.toml", &manifest);
    place.write("app/Cargo.toml", "[workspace]\nmembers = [\"member\"]\nresolver = \"3\"\n");
    place.write("app/.gitignore", "target\n");
    place.git("app", &["init", "-q"]);
    place.write("app/member/src/lib.rs", BUILT);
    place.write("app/member/build.rs", SCRIPT);
    place
}

/// Checks what was printed of this revision and of the base: the beginning of what they were built with.
#[track_caller]
fn built(said: &Said, head: &str, base: &str) {
    said.has(&[&format!("head: {head}"), &format!("base: {base}")]);
}

#[test]
fn a_setting_applies_to_its_own_revision_in_whatever_form_it_is_written() {
    let place = member();
    place.commit("app");
    built(&place.check("app/member", "HEAD"), "false false false opt=0", "false false false opt=0");
    // The older name of the file, flags for a platform, a profile, a wrapper with a relative path, a file that is
    // included, and a file of the package alone.
    place.write(
        "app/.cargo/config",
        "include = [\"more.toml\"]\n[target.'cfg(all())']\nrustflags = [\"--cfg\", \"one\"]\n[profile.dev]\nopt-level = 2\n",
    );
    place.write("app/.cargo/more.toml", "[build]\nrustc-wrapper = \"tools/wrap\"\n");
    place.write(
        "app/tools/wrap",
        "#!/bin/sh\ncompiler=$1\nshift\nexec \"$compiler\" \"$@\" --cfg two\n",
    );
    fs::set_permissions(place.path("app/tools/wrap"), fs::Permissions::from_mode(0o755)).unwrap();
    place.write(
        "app/member/.cargo/config.toml",
        "[target.'cfg(unix)']\nrustflags = [\"--cfg\", \"three\"]\n",
    );
    place.commit("app");
    let added = place.check("app/member", "HEAD~1");
    built(&added, "true true true opt=2", "false false false opt=0");
    added.has(&[
        "`build.rustc-wrapper` is \"tools/wrap\" here, not set there",
        "`profile.dev.opt-level` is 2 here",
        "`target.cfg(all()).rustflags` is",
        "`target.cfg(unix).rustflags` is",
    ]);
    let same = place.check("app/member", "HEAD");
    built(&same, "true true true opt=2", "true true true opt=2");
    same.has(&["\"notes\":[]"]);
    for directory in ["app/.cargo", "app/member/.cargo", "app/tools"] {
        fs::remove_dir_all(place.path(directory)).unwrap();
    }
    place.commit("app");
    let removed = place.check("app/member", "HEAD~1");
    built(&removed, "false false false opt=0", "true true true opt=2");
    removed.has(&["`profile.dev.opt-level` is not set here, 2 there"]);
}

/// A project's own program, such as `cargo xtask`, may start the command. Cargo has then set this revision's variables.
#[test]
fn a_variable_that_cargo_run_has_set_is_not_taken_for_the_users() {
    let place = Place::new("app");
    place.commit("app");
    place.write("app/.cargo/config.toml", "[env]\nONE = \"1\"\n");
    place.commit("app");
    let check = |value: &str, is_of_cargo: bool| {
        let mut command = place.command("app", env!("CARGO_BIN_EXE_cargo-budget"));
        command.args(["budget", "check", "--profile", "dev", "--base", "HEAD~1"]).env("ONE", value);
        command.env_remove("CARGO_MANIFEST_DIR");
        if is_of_cargo {
            command.env("CARGO_MANIFEST_DIR", place.path("app/xtask"));
        }
        let output = command.output().unwrap();
        Said(String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    check("1", true).has(&["head: slow=false one=Some(\"1\")", "base: slow=false one=None"]);
    check("2", true).has(&["head: slow=false one=Some(\"2\")", "base: slow=false one=Some(\"2\")"]);
    check("1", false).has(&["base: slow=false one=Some(\"1\")"]);
}

/// Returns the name of a toolchain that is installed, for the edition of these packages, and is another than the active one.
pub(crate) fn another_toolchain() -> Option<(String, String)> {
    let version = |command: &mut Command| {
        let output = command.output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
    };
    let own = version(Command::new("rustc").arg("-V"))?;
    let listed = version(Command::new("rustup").args(["toolchain", "list", "--quiet"]))
        .or_else(|| version(Command::new("rustup").args(["toolchain", "list"])))?;
    let mut names = listed.lines().filter_map(|line| line.split_whitespace().next());
    names.find_map(|name| {
        let compiler = version(Command::new("rustc").arg(format!("+{name}")).arg("-V"))?;
        let minor = compiler.split('.').nth(1)?.parse::<u32>().ok()?;
        (minor >= 85 && compiler != own).then(|| (name.to_owned(), compiler))
    })
}

#[test]
fn a_toolchain_that_a_file_names_builds_only_the_revision_that_has_the_file() {
    let Some((name, compiler)) = another_toolchain() else {
        let _ = writeln!(std::io::stderr(), "skipped: rustup has no second toolchain");
        return;
    };
    let place = member();
    place.commit("app");
    place.write("app/rust-toolchain.toml", &format!("[toolchain]\nchannel = {name:?}\n"));
    place.commit("app");
    let own = Command::new("rustc").arg("-V").output().unwrap();
    let own = String::from_utf8(own.stdout).unwrap().trim().to_owned();
    let line = |compiler: &str| format!("false false false opt=0 {compiler}");
    // Rustup chooses by the file, unless the variable is set, as it is in this test's own process.
    let check = |base: &str| {
        let mut command = place.command("app/member", env!("CARGO_BIN_EXE_cargo-budget"));
        command.args(["budget", "check", "--profile", "dev", "--base", base]);
        for variable in [
            "RUSTUP_TOOLCHAIN",
            "RUSTUP_TOOLCHAIN_SOURCE",
            "CARGO",
            "RUSTC",
            "RUST_RECURSION_COUNT",
        ] {
            command.env_remove(variable);
        }
        let output = command.output().unwrap();
        Said(String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    built(&check("HEAD~1"), &line(&compiler), &line(&own));
    built(&check("HEAD"), &line(&compiler), &line(&compiler));
    fs::remove_file(place.path("app/rust-toolchain.toml")).unwrap();
    place.commit("app");
    let removed = check("HEAD~1");
    built(&removed, &line(&own), &line(&compiler));
    removed.has(&["`rust-toolchain` is not set here, [toolchain] channel = "]);
}

#[test]
fn what_this_revision_has_compiled_is_not_compiled_again_for_the_base() {
    let place = Place::new("app");
    let manifest = MANIFEST.replace("[profile", "[dependencies]\nitoa = \"1\"\n\n[profile");
    place.write("app/Cargo.toml", &manifest);
    place.commit("app");
    let said = place.check("app", "HEAD");
    let compiled = |package: &str| said.0.matches(&format!("Compiling {package} v")).count();
    assert_eq!((compiled("itoa"), compiled("plain")), (1, 2), "{}", said.0);
    assert!(Path::new(&place.path("app/target")).is_dir());
}
