//! Tests of the builds that times are compared with: separate builds that are linked several times, or that are taken from
//! a saved base.
//!
//! The links are deleted when a run is over, so the test target of the crate copies every binary that the harness would be
//! told of. It does not time anything and does not need the library, so the library is not built.

use std::fs;
use std::path::PathBuf;

use object::SymbolKind;
use object::read::{Object as _, ObjectSymbol as _};
use serde_json::Value;

use crate::{Crate, Run, schemas};

/// The crate's test target: it copies every binary that it is told of, and has links 4 to 6 made, as the harness would.
const TESTS: &str = r#"
fn main() -> std::process::ExitCode {
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    for name in ["PERF_BUDGET_BASE", "PERF_BUDGET_BASE_LINKS", "PERF_BUDGET_HEAD"] {
        let place = std::path::Path::new("seen").join(name);
        let _ = std::fs::remove_dir_all(&place);
        std::fs::create_dir_all(&place).unwrap();
        let paths = variable(name).unwrap_or_default();
        std::fs::write(place.join("paths"), &paths).unwrap();
        for (nth, path) in std::env::split_paths(&paths).filter(|p| p.is_file()).enumerate() {
            std::fs::copy(path, place.join(nth.to_string())).unwrap();
        }
    }
    let details = variable("PERF_BUDGET_BASE_DETAILS").unwrap_or_default();
    let _ = std::fs::remove_dir_all("seen/MORE");
    if let Some((_, more)) = details.split_once("\"more_links\":{\"program\":\"") {
        let (program, more) = more.split_once("\",\"arguments\":[\"").unwrap();
        let argument = more.split_once("\"],").unwrap().0.replace("\\\"", "\"");
        let mut command = std::process::Command::new(program);
        let output = command.args([&argument, "4", "6"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        std::fs::create_dir_all("seen/MORE").unwrap();
        std::fs::write("seen/MORE/said", format!("{text}{}", String::from_utf8_lossy(&output.stderr))).unwrap();
        let paths = text.split('"').filter(|path| path.contains(".link-"));
        for (nth, path) in paths.enumerate() {
            std::fs::copy(path, format!("seen/MORE/{nth}")).unwrap();
        }
    }
    std::fs::write("seen/details", details).unwrap();
    println!("{}", counted::work(std::hint::black_box(3)) + counted::more::rest(2));
    std::process::ExitCode::SUCCESS
}
"#;

/// The exit code of a check of this crate, whose test target judges no budget.
const JUDGES_NOTHING: i32 = 3;

const BUDGETS: &str = r#"
[settings]
layouts = 3

[budget.steps]
workload = "steps"
max = { steps = "1.1 x base", mean = "1.5 x base" }
"#;

const LIBRARY: &str = r"//! Counts.

/// So many.
pub const STEPS: f64 = 100.0;

/// Something to be called.
#[inline(never)]
pub fn work(by: u64) -> u64 {
    (1..=by).product()
}

/// Something else, in a module of its own.
pub mod more {
    /// Called by nobody but by what is below.
    #[inline(never)]
    pub fn rest(by: u64) -> u64 {
        crate::work(by).rotate_left(7)
    }
}
";

fn made(name: &str) -> Crate {
    let made = Crate::new(name);
    made.0.write("tests/budgets.rs", &TESTS.replace("counted", name));
    made.0.write("src/lib.rs", LIBRARY);
    let manifest = fs::read_to_string(made.0.path("Cargo.toml")).unwrap();
    let without = manifest.lines().filter(|line| !line.starts_with("perf-budget"));
    made.0.write("Cargo.toml", &without.collect::<Vec<_>>().join("\n"));
    fs::remove_file(made.0.path("Cargo.lock")).unwrap();
    made.0.write("budgets.toml", BUDGETS);
    made.0.write(".gitignore", "target\nresults\nseen\nsaved\n");
    made.commit("two");
    made
}

/// Runs a comparison in which everything is measured, even if it is proven to be the same.
fn check(made: &Crate, arguments: &[&str]) -> Run {
    let mut command = made.command(&[&["check", "--profile", "dev"], arguments].concat());
    let output = command.env("PERF_BUDGET_MEASURE", "always").output().unwrap();
    Run {
        out: String::new(),
        code: output.status.code().unwrap(),
        text: String::from_utf8([output.stdout, output.stderr].concat()).unwrap(),
        outcomes: Vec::new(),
    }
}

/// Returns the copies of the binaries that a variable named.
fn seen(made: &Crate, variable: &str) -> Vec<Vec<u8>> {
    let place = made.0.path("seen").join(variable);
    (0..).map_while(|nth: u32| fs::read(place.join(nth.to_string())).ok()).collect()
}

/// Returns the paths of the binaries that a variable named.
fn paths(made: &Crate, variable: &str) -> Vec<PathBuf> {
    let text = fs::read_to_string(made.0.path("seen").join(variable).join("paths")).unwrap();
    std::env::split_paths(&text).filter(|path| !path.as_os_str().is_empty()).collect()
}

/// Returns the notes on the builds that the harness would show with each comparison of times.
fn notes(made: &Crate) -> String {
    let details: Value =
        serde_json::from_slice(&fs::read(made.0.path("seen/details")).unwrap()).unwrap();
    let notes: Vec<String> = serde_json::from_value(details["link_notes"].clone()).unwrap();
    notes.join("\n")
}

/// Returns the addresses of the crate's own functions in a binary, of which there are two.
fn functions(binary: &[u8], name: &str) -> Vec<u64> {
    let file = object::read::File::parse(binary).unwrap();
    let own = |symbol: &object::read::Symbol<'_, '_>| {
        let text = symbol.name().unwrap_or_default();
        text.contains(name) && symbol.kind() == SymbolKind::Text && symbol.size() > 0
    };
    file.symbols().filter(own).map(|symbol| symbol.address()).collect()
}

#[test]
fn times_are_compared_with_links_that_differ_only_in_the_order_of_functions() {
    let made = made("linked");
    let run = check(&made, &["--base", "HEAD"]);
    run.is(JUDGES_NOTHING, &["building once more to compare times"]);
    assert_eq!(
        notes(&made),
        "built to compare times: on both sides, each package of the workspace in one codegen unit\n\
         each link of either side has its functions in another order and at other places within cache lines"
    );
    let (base, head) = (seen(&made, "PERF_BUDGET_BASE_LINKS"), seen(&made, "PERF_BUDGET_HEAD"));
    assert_eq!((base.len(), head.len()), (3, 3), "{}", run.text);
    let within_line = |links: &[Vec<u8>]| -> Vec<Vec<u64>> {
        let places = links.iter().map(|link| functions(link, "linked"));
        places.map(|at| at.iter().map(|at| at % 64).collect()).collect()
    };
    let (places, of_head) = (within_line(&base), within_line(&head));
    assert!(
        places.iter().all(|at| !at.is_empty() && at.iter().all(|at| at % 16 == 0)),
        "{places:?}"
    );
    assert_eq!(places, of_head, "functions that are the same have the same places");
    for links in [&base, &head] {
        assert!(links[0] != links[1] && links[1] != links[2] && links[0] != links[2]);
    }
    // The harness has further links made while the command runs, each with yet another order.
    let more = seen(&made, "MORE");
    let said = || fs::read_to_string(made.0.path("seen/MORE/said")).unwrap();
    assert_eq!(more.len(), 6, "{}", said());
    for (heads, first) in [(&more[..3], &head), (&more[3..], &base)] {
        let all: Vec<&Vec<u8>> = heads.iter().chain(first).collect();
        assert!((1..all.len()).all(|at| !all[at..].contains(&all[at - 1])), "{}", said());
    }
    assert_eq!(within_line(&more[..3]), within_line(&more[3..]));
    let places = [places, within_line(&more[..3])].concat();
    let first = &places[0];
    assert!(places.iter().any(|at| at != first), "six links have other places: {places:?}");
    for name in ["PERF_BUDGET_BASE_LINKS", "PERF_BUDGET_HEAD"] {
        let path = paths(&made, name).remove(0);
        let own = path.file_name().unwrap().to_string_lossy().replace(".link-1", ".link-");
        let beside = fs::read_dir(path.parent().unwrap()).unwrap().flatten();
        let left = beside.filter(|entry| entry.file_name().to_string_lossy().starts_with(&own));
        assert_eq!(left.count(), 0, "links of {own}* are still there");
    }
    // Cargo's own build is a different one. Everything except times is compared with it.
    let own = seen(&made, "PERF_BUDGET_BASE");
    assert_eq!(own.len(), 1);
    assert!(!base.contains(&own[0]));
    for name in ["PERF_BUDGET_BASE_LINKS", "PERF_BUDGET_HEAD"] {
        let gone = paths(&made, name);
        assert!(gone.iter().all(|path| !path.exists()), "{gone:?} are still there");
        let beside = paths(&made, "PERF_BUDGET_BASE")[0].parent().unwrap().to_owned();
        assert_eq!(gone[0].parent() == Some(&beside), name != "PERF_BUDGET_HEAD");
    }

    // In a second run nothing of this revision is compiled, and other seeds make other links.
    let again = check(&made, &["--base", "HEAD"]);
    again.is(JUDGES_NOTHING, &[]);
    // The base may be compiled again: its target directory is shared with the other tests here, whose builds replace each
    // other.
    let compiled = format!("Compiling linked v0.1.0 ({})", made.0.root().display());
    assert!(!again.text.contains(&compiled), "{}", again.text);
    let other = [seen(&made, "PERF_BUDGET_BASE_LINKS"), seen(&made, "PERF_BUDGET_HEAD")];
    assert!(!base.contains(&other[0][0]) && !head.contains(&other[1][0]));
    // Both sides have the same seeds, and here the same code too.
    let at = |links: &[Vec<u8>]| functions(&links[0], "linked");
    assert_eq!(at(&other[0]), at(&other[1]));

    // Where the record of a link was deleted, cargo links once more.
    fs::remove_dir_all(made.0.path("results/base/links")).unwrap();
    check(&made, &["--base", "HEAD"]).is(JUDGES_NOTHING, &[]);
    assert_eq!(seen(&made, "PERF_BUDGET_BASE_LINKS").len(), 3, "{}", notes(&made));

    // With these settings the only binary of each side is cargo's own.
    let with = |text: &str| made.0.write("budgets.toml", &BUDGETS.replace("layouts = 3", text));
    with("layouts = 1\ncodegen_units = \"as built\"");
    check(&made, &["--base", "HEAD"]).is(JUDGES_NOTHING, &[]);
    assert_eq!(seen(&made, "PERF_BUDGET_BASE_LINKS"), own);
    let said = notes(&made);
    assert!(said.starts_with("compared as cargo builds it"), "{said}");
    assert!(said.contains("one link of each side, as `layouts` asks for only one"), "{said}");

    // With these settings each side is compiled as cargo does it, and linked several times.
    with("layouts = 2\ncodegen_units = \"as built\"");
    check(&made, &["--base", "HEAD"]).is(JUDGES_NOTHING, &[]);
    assert_eq!(seen(&made, "PERF_BUDGET_HEAD").len(), 2, "{}", notes(&made));

    // Where nothing compares times there is nothing to build.
    made.0.write("budgets.toml", &BUDGETS.replace(", mean = \"1.5 x base\"", ""));
    let none = check(&made, &["--base", "HEAD"]);
    none.is(JUDGES_NOTHING, &[]);
    assert!(!none.text.contains("building once more"), "{}", none.text);
    assert_eq!(seen(&made, "PERF_BUDGET_HEAD").len(), 0);
}

/// A linker that cannot put functions in another order is named in a note.
#[test]
fn the_linker_that_the_project_names_is_used() {
    let made = made("linkers");
    let linker = |text: &str| {
        made.0.write("tools/mylink", text);
        let path = made.0.path("tools/mylink");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(path, mode).unwrap();
    };
    let log = made.0.path("results/linker.log");
    linker(&format!("#!/bin/sh\necho linked >> {}\nexec cc \"$@\"\n", log.display()));
    made.0.write(
        ".cargo/config.toml",
        "[target.x86_64-unknown-linux-gnu]\nlinker = \"tools/mylink\"\n",
    );
    made.commit("a linker");
    check(&made, &["--base", "HEAD"]).is(JUDGES_NOTHING, &[]);
    assert_eq!(seen(&made, "PERF_BUDGET_HEAD").len(), 3, "{}", notes(&made));
    let calls = fs::read_to_string(&log).unwrap().lines().count();
    assert!(calls >= 10, "two builds and three links of each side are 10 calls, not {calls}");

    linker(
        "#!/bin/sh\nfor a in \"$@\"; do case \"$a\" in *--shuffle-sections*) echo 'mylink: error: \
         no such thing' >&2; exit 1;; esac; done\nexec cc \"$@\"\n",
    );
    made.commit("another linker");
    check(&made, &["--base", "HEAD"]).is(JUDGES_NOTHING, &[]);
    let said = notes(&made);
    assert!(
        said.contains(
            "cannot put functions in another order; it said: mylink: error: no such thing"
        ),
        "{said}"
    );
    assert_eq!(seen(&made, "PERF_BUDGET_HEAD").len(), 1);
    assert_eq!(seen(&made, "PERF_BUDGET_BASE_LINKS").len(), 1);
}

#[test]
fn a_saved_base_is_used_instead_of_building_it() {
    let made = made("savedbase");
    made.run(&["save-base", "saved", "--profile", "dev"]).is(0, &["saved "]);
    made.0.write("src/lib.rs", &LIBRARY.replace("100.0", "105.0"));
    made.commit("more");
    // No part of the base is built.
    let base = check(&made, &["--base", "HEAD~1", "--base-from", "saved"]);
    base.is(JUDGES_NOTHING, &["taking ", "from saved"]);
    assert!(!base.text.contains(" in /"), "{}", base.text);
    // As many links are saved as a red takes, and this revision gets as many.
    assert_eq!(seen(&made, "PERF_BUDGET_BASE_LINKS").len(), 32, "{}", notes(&made));
    assert_eq!(seen(&made, "PERF_BUDGET_HEAD").len(), 32, "{}", notes(&made));
    assert_eq!(seen(&made, "MORE").len(), 0, "a saved base cannot be linked again");
    assert!(paths(&made, "PERF_BUDGET_BASE_LINKS").iter().all(|path| !path.exists()));

    // With another commit or another toolchain the message names the difference, and the base is built.
    let refused = |run: Run, why: &str| {
        run.is(JUDGES_NOTHING, &["cannot be used: ", why, "building "]);
    };
    refused(check(&made, &["--base", "HEAD", "--base-from", "saved"]), "its commit is ");
    refused(check(&made, &["--base", "HEAD~1", "--base-from", "gone"]), "it has no base.json");
    let file = made.0.path("saved/base.json");
    let mut saved: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    saved["key"]["toolchain"] = "cargo 1.0.0".into();
    fs::write(&file, saved.to_string()).unwrap();
    let other = check(&made, &["--base", "HEAD~1", "--base-from", "saved"]);
    refused(other, "its toolchain is cargo 1.0.0, and the base's is cargo 1.");
}

/// Returns a library of six modules, the last of which has this many further functions, which nobody calls.
fn modules(unused: usize) -> String {
    let mut text = LIBRARY.replace(
        "(1..=by).product()",
        "a::of(by) + b::of(by) + c::of(by) + d::of(by) + e::of(by) + f::of(by)",
    );
    let function = |name: &str, by: u32| {
        format!(
            "    /// Turns.\n    #[inline(never)]\n    pub fn {name}(by: u64) -> u64 {{\n        by.rotate_left({by}) ^ 7\n    }}\n"
        )
    };
    for (nth, name) in (3..).zip(["a", "b", "c", "d", "e", "f"]) {
        let further = if name == "f" { unused } else { 0 };
        let further = (0..further).map(|nth| function(&format!("unused_{nth}"), 5));
        let further: String = further.collect();
        text += &["/// A module.\npub mod ", name, " {\n", &function("of", nth), &further, "}\n"]
            .concat();
    }
    text
}

#[test]
fn times_are_not_measured_where_only_cargos_own_builds_differ() {
    let made = made("moved");
    let manifest = fs::read_to_string(made.0.path("Cargo.toml")).unwrap();
    made.0.write(
        "Cargo.toml",
        &manifest.replace("[profile.dev]\n", "[profile.dev]\ncodegen-units = 3\n"),
    );
    made.0.write("src/lib.rs", &modules(0));
    // This run makes the lock file.
    made.check(&[]).is(JUDGES_NOTHING, &[]);
    made.commit("modules");
    made.0.write("src/lib.rs", &modules(9));
    let details = || -> Value {
        serde_json::from_slice(&fs::read(made.0.path("seen/details")).unwrap()).unwrap()
    };
    let compared = made.check(&["--base", "HEAD"]);
    compared.is(
        JUDGES_NOTHING,
        &[
            "the test binaries differ",
            "built to compare times, the test binary is the same machine code",
        ],
    );
    let (all, times) = (&details()["unchanged"], &details()["unchanged_times"]);
    assert!(all.is_null() && times["proven"]["by"] == "sections", "{}", compared.text);
    // There are no links, since nothing is left to measure with them; the note is shown with the outcome.
    assert_eq!(seen(&made, "PERF_BUDGET_HEAD").len(), 0);
    assert!(notes(&made).starts_with("built to compare times: on both sides"), "{}", notes(&made));

    // A limit that the same code does not hold has to be measured, so there are links.
    let budgets = BUDGETS.replace("1.5 x base", "0.5 x base");
    made.0.write("budgets.toml", &budgets);
    made.check(&["--base", "HEAD"])
        .is(JUDGES_NOTHING, &["built to compare times, the test binary is the same"]);
    assert_eq!(seen(&made, "PERF_BUDGET_HEAD").len(), 3);
    made.0.write("budgets.toml", BUDGETS);

    // Where these builds differ too, or everything is to be measured, nothing is proven.
    check(&made, &["--base", "HEAD"]).is(JUDGES_NOTHING, &[]);
    assert!(details()["unchanged_times"].is_null());
    made.0.write("src/lib.rs", &modules(9).replace("rotate_left(3)", "rotate_left(4)"));
    made.check(&["--base", "HEAD"]).is(JUDGES_NOTHING, &["the test binaries differ"]);
    assert!(details()["unchanged_times"].is_null());
    assert_eq!(seen(&made, "PERF_BUDGET_HEAD").len(), 3);

    // A file that a workload may read is no part of the builds.
    made.0.write("src/lib.rs", &modules(9));
    made.0.write("data.json", "{}");
    made.check(&["--base", "HEAD"])
        .is(JUDGES_NOTHING, &["`data.json` has changed, which may be read"]);
    assert!(details()["unchanged_times"].is_null());

    // A base that was built elsewhere has links alone.
    fs::remove_file(made.0.path("data.json")).unwrap();
    made.git(&["stash", "-q"]);
    let saved = made.run(&["save-base", "saved", "--profile", "dev", "--format", "json"]);
    saved.is(0, &["saved "]);
    schemas::holds("save-base", &saved.json());
    made.git(&["stash", "pop", "-q"]);
    let taken = made.check(&["--base", "HEAD", "--base-from", "saved"]);
    taken.is(
        JUDGES_NOTHING,
        &["taking ", "built to compare times, the test binary is the same machine code"],
    );
    assert_eq!(details()["unchanged_times"]["proven"]["by"], "sections");
}
