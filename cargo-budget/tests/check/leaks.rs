//! Tests of what the settings of both revisions do not show, although it decides how they are built or run: the content of the
//! files that settings name, a program that runs tests, and a toolchain that was chosen for a directory.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use crate::configuration::{MANIFEST, Place, Said};
use crate::settings::another_toolchain;

/// A compiler wrapper that writes what it compiles into a log, and passes an option to the compiler.
fn wrapper(place: &Place, name: &str, option: &str) {
    let log = place.path(&format!("log-{name}"));
    let text = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$*\" >> {:?}\ncompiler=$1\nshift\nexec \"$compiler\" \"$@\" {option}\n",
        log.to_str().unwrap()
    );
    place.write("app/tools/wrap", &text);
    fs::set_permissions(place.path("app/tools/wrap"), fs::Permissions::from_mode(0o755)).unwrap();
    place.commit("app");
}

/// Returns the names of the packages that a wrapper has compiled.
fn compiled(place: &Place, name: &str) -> Vec<String> {
    let log = fs::read_to_string(place.path(&format!("log-{name}"))).unwrap_or_default();
    let crates = log.lines().filter_map(|line| line.split_once("--crate-name "));
    crates.map(|(_, rest)| rest.split(' ').next().unwrap().to_owned()).collect()
}

/// Cargo does not compile a dependency again if only the content of the wrapper changes.
#[test]
fn a_dependency_is_compiled_by_each_revisions_own_wrapper() {
    let place = Place::new("app");
    let manifest = MANIFEST.replace("[profile", "[dependencies]\nitoa = \"1\"\n\n[profile");
    place.write("app/Cargo.toml", &manifest);
    place.write("app/.cargo/config.toml", "[build]\nrustc-wrapper = \"tools/wrap\"\n");
    for name in ["one", "two", "three"] {
        wrapper(&place, name, "");
    }
    let said = place.check("app", "HEAD~1");
    said.has(&["`build.rustc-wrapper: the content of tools/wrap` is "]);
    place.check("app", "HEAD~2");
    for name in ["one", "two", "three"] {
        let compiled = compiled(&place, name);
        assert!(compiled.iter().any(|name| name == "itoa"), "{name}: {compiled:?}");
    }
}

/// Such a path applies to the base too, which has another file there.
#[test]
fn a_variable_that_names_a_file_of_this_revision_is_refused_if_the_base_has_another() {
    let place = Place::new("app");
    wrapper(&place, "one", "");
    wrapper(&place, "two", "--cfg slow");
    let check = |base: &str| {
        let mut command = place.command("app", env!("CARGO_BIN_EXE_cargo-budget"));
        command.args(["budget", "check", "--profile", "dev", "--base", base]);
        let output = command.env("RUSTC_WRAPPER", place.path("app/tools/wrap")).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code(), Said(said))
    };
    let (code, said) = check("HEAD~1");
    assert_eq!(code, Some(3));
    said.has(&["`RUSTC_WRAPPER` names `", "app/tools/wrap`, which has other content in the base"]);
    assert!(!said.0.contains("base: slow"), "{}", said.0);
    check("HEAD").1.has(&["head: slow=true", "base: slow=true"]);
}

/// The harness, which starts the base's processes, is run by this revision's runner.
#[test]
fn a_program_that_runs_the_tests_of_one_revision_alone_is_refused() {
    let place = Place::new("app");
    place.commit("app");
    let runner = "[target.'cfg(unix)']\nrunner = [\"env\", \"ONE=1\"]\n";
    place.write("app/.cargo/config.toml", runner);
    place.commit("app");
    let refused = "`target.cfg(unix).runner` runs the tests of this revision and those of the base";
    place.check("app", "HEAD~1").has(&["nothing was compared with the base: ", refused]);
    place.check("app", "HEAD").has(&["base: slow=false"]);
    // A runner for another platform runs nothing here.
    place.write("app/.cargo/config.toml", &runner.replace("unix", "target_arch = \"avr\""));
    place.commit("app");
    place.check("app", "HEAD~2").has(&["base: slow=false", "runner` is [\"env\", \"ONE=1\"] here"]);
    place.check("app", "HEAD~1").has(&[refused]);
}

/// Rustup knows a directory by its path, and the base is in another one.
#[test]
fn a_toolchain_that_the_user_chose_for_the_directory_builds_the_base_too() {
    let Some((name, compiler)) = another_toolchain() else {
        let _ = writeln!(std::io::stderr(), "skipped: rustup has no second toolchain");
        return;
    };
    let place = Place::new("app");
    let script = "fn main() {\n    let rustc = std::env::var(\"RUSTC\").unwrap();\n    \
        let output = std::process::Command::new(rustc).arg(\"-V\").output().unwrap();\n    \
        println!(\"cargo::rustc-env=COMPILER={}\", String::from_utf8_lossy(&output.stdout).trim());\n}\n";
    place.write("app/build.rs", script);
    let built = "pub fn built() -> String {\n    env!(\"COMPILER\").to_owned()\n}\n";
    place.write("app/src/lib.rs", built);
    place.commit("app");
    // A home of rustup with the installed toolchains and settings of its own.
    let home = Command::new("rustup").args(["show", "home"]).output().unwrap();
    let home = String::from_utf8(home.stdout).unwrap();
    let own = place.path("rustup");
    fs::create_dir(&own).unwrap();
    for entry in fs::read_dir(home.trim()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() == "settings.toml" {
            fs::copy(entry.path(), own.join("settings.toml")).unwrap();
        } else {
            symlink(entry.path(), own.join(entry.file_name())).unwrap();
        }
    }
    let within = |program: &str| {
        let mut command = place.command("app", program);
        let chosen = ["RUSTUP_TOOLCHAIN", "RUSTUP_TOOLCHAIN_SOURCE", "RUST_RECURSION_COUNT"];
        for variable in chosen.into_iter().chain(["CARGO", "RUSTC"]) {
            command.env_remove(variable);
        }
        command.env("RUSTUP_HOME", &own);
        command
    };
    let set = within("rustup").args(["override", "set", &name]).output().unwrap();
    assert!(set.status.success(), "{set:?}");
    let mut check = within(env!("CARGO_BIN_EXE_cargo-budget"));
    let output = check.args(["budget", "check", "--profile", "dev", "--base", "HEAD"]).output();
    let output = output.unwrap();
    let said = Said(String::from_utf8([output.stdout, output.stderr].concat()).unwrap());
    said.has(&[&format!("head: {compiler}"), &format!("base: {compiler}")]);
}
