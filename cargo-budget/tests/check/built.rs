//! Tests that the measured binaries and artifacts are those that ship: they are built when a test runs, once in a run,
//! and in the same way for both revisions.

use std::fs;
use std::path::Path;

use perf_budget_core::outcome::Outcome;
use perf_budget_core::verdict::Verdict;

use crate::Crate;

const TESTS: &str = r"
fn main() -> std::process::ExitCode {
    perf_budget::Harness::new().main()
}
";
const PROFILE: &str =
    "\n[features]\nbig = []\n\n[profile.dist]\ninherits = \"release\"\nopt-level = 1\n";

/// Makes a crate with the binary `NAME-app` and these budgets.
fn project(name: &str, budgets: &str) -> Crate {
    let made = Crate::new(name);
    let manifest = fs::read_to_string(made.0.path("Cargo.toml")).unwrap();
    let bin = format!("\n[[bin]]\nname = \"{name}-app\"\npath = \"src/main.rs\"\n");
    made.0.write("Cargo.toml", &(manifest + PROFILE + &bin));
    made.0.write("tests/budgets.rs", TESTS);
    made.0.write("budgets.toml", &budgets.replace("NAME", name));
    made.0.write(".gitignore", "target\nresults\nmade\n");
    program(&made, 10);
    made.commit("a program");
    made
}

/// Writes a program with this many bytes of data, which prints whether it is a debug build.
fn program(made: &Crate, bytes: usize) {
    let text = format!(
        "static DATA: [u8; {bytes}] = [7; {bytes}];\n\
         fn main() {{\n    println!(\"{{}} {{}}\", cfg!(debug_assertions), cfg!(feature = \"big\"));\n    \
         for byte in std::hint::black_box(&DATA) {{\n        print!(\"{{byte}}\");\n    }}\n}}\n"
    );
    made.0.write("src/main.rs", &text);
}

#[track_caller]
fn notes(outcomes: &[Outcome], test: &str) -> String {
    let found = outcomes.iter().find(|outcome| outcome.test == test);
    let found = found.unwrap_or_else(|| panic!("{test} is not in {outcomes:?}"));
    found.notes.join("; ")
}

const SIZES: &str = r#"
[budget.app]
artifact = "{bin:NAME-app}"
max.size = ["100 MB", "1 x base"]

[budget.dist]
artifact = "{bin:NAME-app}"
features = ["big"]
profile = "dist"
max.size = ["100 MB", "1 x base"]

[budget.start]
command = ["{bin:NAME-app}"]
max.exit = 0
"#;

#[test]
fn a_binary_is_measured_as_it_ships_and_compared_with_one_that_was_built_in_the_same_way() {
    let made = project("ships", SIZES);
    let same = made.check(&["--base", "HEAD"]);
    same.is(0, &["5 limits of 3 budgets: 5 pass"]);
    let plain = "binary `ships-app`, default features, profile release";
    let dist = "binary `ships-app`, feature big alone, profile dist";
    for (test, note) in [("app::size", plain), ("dist::size", dist), ("start::exit", plain)] {
        let said = notes(&same.outcomes, test);
        assert!(said.contains(note), "{said}");
    }
    for (test, note) in [("app::size::x_base", plain), ("dist::size::x_base", dist)] {
        let said = notes(&same.outcomes, test);
        assert!(said.starts_with(&format!("{note}; the same bytes as at the base")), "{said}");
    }
    // The user's own builds were not overwritten.
    let built = |name: &str| crate::made::shared().join("head").join(name).exists();
    assert!(!built("release/ships-app") && built("budgets/built/release/ships-app"));

    // With twenty thousand more bytes of data, `check` and `explain` name the section that grew.
    program(&made, 20_000);
    made.commit("more data");
    let more = made.check(&["--base", "HEAD~1"]);
    more.is(1, &["app::size::x_base", "dist::size::x_base"]);
    // Links of the test binary have nothing to do with it.
    let with_links = made.check(&["--base", "HEAD~1", "--layouts", "2", "--", "app::size"]);
    with_links.is(1, &["app::size::x_base"]).verdict("app::size::x_base", Verdict::Fail);
    let said = notes(&more.outcomes, "app::size::x_base");
    assert!(
        said.contains("`ships-app` differs from the base's in ") && said.contains(".rodata (+"),
        "{said}"
    );
    let explained = made.run(&["explain", "app", "--base", "HEAD~1"]);
    explained.is(0, &["ELF", ".rodata"]);
    let size = more.outcomes.iter().find(|o| o.test == "app::size").unwrap().estimate.unwrap();
    let path = crate::made::shared().join("head/budgets/built/release/ships-app");
    assert_eq!(size.value as u64, fs::metadata(path).unwrap().len());
    made.check(&["--base", "HEAD"]).is(0, &["5 limits of 3 budgets: 5 pass"]);
    made.run(&["explain", "app", "--base", "HEAD"]).is(0, &["same"]);
}

/// The path of the sources is another in the base's checkout.
#[test]
fn a_program_that_records_where_it_was_built_differs_in_a_section_that_is_named() {
    let made = project(
        "recorded",
        "[budget.app]\nartifact = \"{bin:NAME-app}\"\nmax.size = \"1.5 x base\"\n",
    );
    let main = "fn main() {\n    println!(\"{}\", env!(\"CARGO_MANIFEST_DIR\"));\n}\n";
    made.0.write("src/main.rs", main);
    made.commit("its place");
    let mut command = made.command(&["check", "--profile", "dev", "--base", "HEAD"]);
    command.env("PERF_BUDGET_MEASURE", "always");
    let run = made.run_command(command);
    run.is(0, &[]);
    let said = notes(&run.outcomes, "app::size::x_base");
    assert!(said.contains("differs from the base's in ") && said.contains(".rodata"), "{said}");
}

const MADE: &str = r#"
[budget.made]
artifact = "made/{kind}"
params = { kind = ["text"] }
build = ["sh", "make.sh", "{kind}"]
max.size = ["1 KB", "1 x base"]
max.gzip = "1 KB"

[budget.again]
artifact = "made/text"
build = ["sh", "make.sh", "text"]
max.size = "1 KB"
"#;

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).unwrap_or_default().lines().count()
}

#[test]
fn an_artifact_is_made_once_in_a_run_and_in_the_bases_checkout_too() {
    let made = project("makes", MADE);
    let script = |bytes: u32| {
        let text = format!(
            "echo once >> \"$COUNT\"\nmkdir -p made\nhead -c {bytes} /dev/zero > made/$1\necho $PWD >&2\n"
        );
        made.0.write("make.sh", &text);
    };
    script(500);
    made.commit("a script");
    script(600);
    made.commit("a longer file");
    let count = made.0.path("results/count");
    let check = |arguments: &[&str]| {
        let _ = fs::remove_file(&count);
        let mut command = made.command(&[&["check", "--profile", "dev"], arguments].concat());
        let output = command.env("COUNT", &count).output().unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        )
    };
    let (code, text) = check(&["--base", "HEAD~1"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("size is 1.2 x base, over"), "{text}");
    assert_eq!(lines(&count), 2, "once for each revision: {text}");
    let note = notes(&made.outcomes(), "made::kind=text::size");
    assert!(note.contains("made by `sh make.sh text`"), "{note}");
    assert_eq!(check(&["--base", "HEAD"]).0, Some(0));

    // The processes of one run share the artifact.
    let _ = fs::remove_file(&count);
    for test in ["made::kind=text::size", "again::size"] {
        let mut run = made.0.command(env!("CARGO"));
        run.args(["test", "-q", "--test", "budgets", "--", "--exact", test]);
        run.env("COUNT", &count).env("PERF_BUDGET_RUN", "one");
        let output = run.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    assert_eq!(lines(&count), 1);

    // The output of the command is in the message; a failure of the base says that it is the base's.
    made.0.write("make.sh", "echo no such tool; exit 7\n");
    made.commit("break it");
    let (code, text) = check(&["--base", "HEAD~1"]);
    assert_eq!(code, Some(3), "{text}");
    for words in
        ["failed to build by `sh make.sh text`: `sh` ended with exit code 7", "no such tool"]
    {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
    script(600);
    made.commit("fix it");
    let (code, text) = check(&["--base", "HEAD~1"]);
    assert_eq!(code, Some(3), "{text}");
    assert!(
        text.contains("the base was not measured: failed to build by `sh make.sh text`"),
        "{text}"
    );
}

const ITSELF: &str = r#"
[budget.file]
artifact = "PATH"
max.size = "1 x base"
"#;

#[test]
fn a_file_is_not_compared_with_itself() {
    let made = project("itself", "");
    let path = made.0.path("results/one");
    fs::create_dir_all(made.0.path("results")).unwrap();
    fs::write(&path, "one").unwrap();
    made.0.write("budgets.toml", &ITSELF.replace("PATH", path.to_str().unwrap()));
    made.commit("a file elsewhere");
    let run = made.check(&["--base", "HEAD"]);
    run.is(3, &["is one file for both revisions, so that it would be compared with itself"]);
    run.verdict("file::size::x_base", Verdict::Unmeasured);
}

const MODULES: &str = r#"
[budget.plain]
artifact = "{wasm:NAME}"
max.size = ["10 MB", "1 x base"]

[budget.optimized]
artifact = "{wasm:NAME}"
wasm-opt = ["-Oz", "--all-features"]
max.size = ["10 MB", "1 x base"]
"#;

/// The same commit gives the same module, before wasm-opt and after it. Where the compiler's target or wasm-opt is not
/// installed, the message has the command that installs it.
#[test]
fn a_module_is_built_for_both_revisions_or_the_missing_tool_is_named() {
    let made = project("webby", MODULES);
    let run = made.check(&["--base", "HEAD"]);
    let mut rustc = made.0.command("rustc");
    let target =
        rustc.args(["--print", "target-libdir", "--target", "wasm32-unknown-unknown"]).output();
    let library = String::from_utf8(target.unwrap().stdout).unwrap();
    if !Path::new(library.trim()).is_dir() {
        let lacks = "the target `wasm32-unknown-unknown` is not installed; run `rustup target add";
        run.is(3, &[lacks]);
        return;
    }
    if made.0.command("wasm-opt").arg("--version").output().is_err() {
        run.verdict("plain::size::x_base", Verdict::Pass);
        run.is(3, &["`wasm-opt` is not installed; run `apt install binaryen`"]);
        return;
    }
    run.is(0, &["4 limits of 2 budgets: 4 pass"]);
    let module = "module `webby`, default features, profile release, for wasm32-unknown-unknown";
    for (test, tail) in [("plain", ""), ("optimized", ", wasm-opt -Oz --all-features")] {
        let said = notes(&run.outcomes, &format!("{test}::size::x_base"));
        let same = format!("{module}{tail}; the same bytes as at the base");
        assert!(said.starts_with(&same), "{said}");
    }
    let value = |test: &str| {
        let found = run.outcomes.iter().find(|outcome| outcome.test == test).unwrap();
        found.estimate.unwrap().value
    };
    assert!(value("optimized::size") < value("plain::size"), "{}", run.text);
    for test in ["plain::size::x_base", "optimized::size::x_base"] {
        assert!((value(test) - 1.0).abs() < f64::EPSILON, "{test}: {}", value(test));
    }
}

const DEPENDENCIES: &str = "\n[dependencies]\nitoa = \"1\"\nalike-inner = { path = \"inner\" }\nalike-member = \
    { path = \"member\" }\nalike-beside = { path = \"../SIBLING\" }\nalike-far = { path = \"../SIBLING/far\" }\n";

/// Nothing in these sources records a path, a time or a revision, so nothing in what is built of them does.
#[test]
fn the_same_sources_give_the_same_binary_wherever_their_dependencies_are() {
    let made =
        project("alike", "[budget.app]\nartifact = \"{bin:NAME-app}\"\nmax.size = \"1 x base\"\n");
    let beside = tempfile::Builder::new().prefix("budget-beside-").tempdir().unwrap();
    let write = |path: &Path, name: &str, dependency: &str| {
        fs::create_dir_all(path.join("src")).unwrap();
        let manifest = format!(
            "[package]\nname = \"alike-{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependency}"
        );
        fs::write(path.join("Cargo.toml"), manifest).unwrap();
        // The index may panic, and the message contains the path of this source.
        let text =
            "#[inline(never)]\npub fn nth(of: &[usize], n: usize) -> usize {\n    of[n]\n}\n";
        fs::write(path.join("src/lib.rs"), text).unwrap();
    };
    write(beside.path(), "beside", "alike-far = { path = \"far\" }\n");
    write(&beside.path().join("far"), "far", "");
    for name in ["inner", "member"] {
        write(&made.0.path(name), name, "");
    }
    let sibling = beside.path().file_name().unwrap().to_str().unwrap();
    let manifest = fs::read_to_string(made.0.path("Cargo.toml")).unwrap();
    let workspace = "[workspace]\nmembers = [\"member\"]\nexclude = [\"inner\"]\n";
    let manifest = manifest.replace("[workspace]\n", workspace);
    made.0.write("Cargo.toml", &(manifest + &DEPENDENCIES.replace("SIBLING", sibling)));
    let main = "fn main() {\n    let n = std::env::args().count();\n    let of = [1, 2, 3];\n    \
        let all = [alike_inner::nth(&of, n), alike_member::nth(&of, n), alike_beside::nth(&of, n), alike_far::nth(&of, n)];\n    \
        println!(\"{} {}\", itoa::Buffer::new().format(n), all.iter().sum::<usize>());\n}\n";
    made.0.write("src/main.rs", main);
    made.commit("dependencies");
    let run = made.check(&["--base", "HEAD"]);
    run.is(0, &[]);
    let said = notes(&run.outcomes, "app::size::x_base");
    assert!(said.contains("the same bytes as at the base"), "{said}");
}
