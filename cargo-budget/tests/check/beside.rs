//! Tests that what is loaded and started beside a test binary is a part of what is compared: a shared library, a program,
//! and what a build script wrote.

#![cfg(target_os = "linux")]

use std::fs;

use perf_budget_core::outcome::ComparisonMethod;
use perf_budget_core::verdict::Verdict;

use crate::made::Made;
use crate::{Crate, Run};

const TESTS: &str = r#"
fn main() -> std::process::ExitCode {
    perf_budget::Harness::new()
        .workload("library", |run| {
            let steps = beside::library();
            run.iter(|| steps(std::hint::black_box(7)))
        })
        .workload("counted", |run| run.record("steps", beside::library()(7) as f64))
        .workload("program", |run| run.record("bytes", beside::program() as f64))
        .main()
}
"#;

/// The limits cannot be broken: what is tested is whether they are measured, and that with few links, since nothing here is about
/// layout.
const BUDGETS: &str = r#"
[settings]
layouts = 2

[budget.library]
workload = "library"
max = { mean = "1000 x base" }

[budget.counted]
workload = "counted"
max = { steps = "1000 x base" }

[budget.program]
workload = "program"
max = { bytes = "1000 x base" }
"#;

const LIBRARY: &str = r#"//! Loads a library and starts a program.

use std::ffi::{CString, c_char, c_int, c_void};

unsafe extern "C" {
    fn dlopen(name: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// A function of the library that is beside this program.
pub fn library() -> extern "C" fn(u64) -> u64 {
    let place = std::env::current_exe().unwrap().with_file_name("libbesideplug.so");
    let place = CString::new(place.to_str().unwrap()).unwrap();
    unsafe {
        let library = dlopen(place.as_ptr(), 2);
        assert!(!library.is_null());
        std::mem::transmute(dlsym(library, c"steps".as_ptr()))
    }
}

/// The bytes that the program prints.
pub fn program() -> usize {
    let own = std::env::current_exe().unwrap();
    let place = own.parent().unwrap().parent().unwrap().join("beside-tool");
    std::process::Command::new(place).output().unwrap().stdout.len()
}
"#;

const PLUG: &str =
    "#[unsafe(no_mangle)]\npub extern \"C\" fn steps(by: u64) -> u64 {\n    by + 3\n}\n";
const TOOL: &str = "fn main() {\n    println!(\"a line\");\n}\n";
const SCRIPT: &str = r#"fn main() {
    println!("cargo::rerun-if-changed=made.txt");
    let out = std::env::var("OUT_DIR").unwrap();
    std::fs::copy("made.txt", format!("{out}/made.txt")).unwrap();
}
"#;
/// What reads the file that the build script wrote.
const READS: &str = r#"
/// The bytes of the file that was made.
pub fn made() -> usize {
    let out = std::env::var("OUT_DIR").unwrap();
    std::fs::read(format!("{out}/made.txt")).unwrap().len()
}
"#;

struct Beside(Crate);

impl Beside {
    fn new() -> Beside {
        let made = Crate(Made::new("beside", TESTS, BUDGETS));
        let write = |name: &str, text: &str| made.0.write(name, text);
        write(".gitignore", "target\nresults\n");
        write("src/lib.rs", LIBRARY);
        write("src/tool.rs", TOOL);
        write("GUIDE.md", "How to use it.\n");
        let manifest = fs::read_to_string(made.0.path("Cargo.toml")).unwrap();
        let more = "[workspace]\nmembers = [\"plug\"]\n\n[dependencies]\nbesideplug = { path = \"plug\" }\n\n\
                    [[bin]]\nname = \"beside-tool\"\npath = \"src/tool.rs\"\n";
        write("Cargo.toml", &manifest.replace("[workspace]\n", more));
        made.judge_times();
        write(
            "plug/Cargo.toml",
            "[package]\nname = \"besideplug\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"lib\", \"cdylib\"]\n",
        );
        write("plug/src/lib.rs", PLUG);
        made.git(&["init", "-q"]);
        // This run completes the lock file with the crate's own packages.
        made.check(&["--", "no such test"]).is(3, &["the arguments left out all"]);
        made.commit("one");
        Beside(made)
    }

    /// Changes a file, compares with HEAD, and checks by what each budget is proven equal.
    #[track_caller]
    fn check(&self, change: (&str, &str), want: [(&str, Option<ComparisonMethod>); 3]) -> Run {
        let (name, text) = change;
        self.0.0.write(name, text);
        let run = self.0.check(&["--base", "HEAD"]);
        run.is(0, &[]);
        for (budget, by) in want {
            let outcome = run.outcomes.iter().find(|outcome| outcome.budget == budget).unwrap();
            assert_eq!(outcome.verdict, Verdict::Pass, "{}", run.text);
            let got = outcome.proven.as_ref().map(|proven| proven.by);
            assert_eq!(got, by, "{name}, {budget}: {}", run.text);
        }
        self.0.git(&["reset", "-q", "--hard", "HEAD"]);
        run
    }
}

#[test]
fn what_is_loaded_and_started_beside_a_program_is_compared() {
    let made = Beside::new();
    let all = |by| [("library", by), ("counted", by), ("program", by)];
    let (files, sections) = (Some(ComparisonMethod::Files), Some(ComparisonMethod::Sections));
    made.check(("GUIDE.md", "More of it.\n"), all(files));
    // A comment changes no part of what runs.
    for (name, text) in [("src/lib.rs", LIBRARY), ("plug/src/lib.rs", PLUG), ("src/tool.rs", TOOL)]
    {
        made.check((name, &format!("{text}\n// So much.\n")), all(sections));
    }
    let plug = made.check(("plug/src/lib.rs", &PLUG.replace("by + 3", "by + 30")), all(None));
    plug.is(0, &["the shared library `libbesideplug.so`, which is loaded"]);
    // Whatever the workload starts: the copies that show what it reaches have no library beside them, so they show nothing.
    let tool = made.check(("src/tool.rs", &TOOL.replace("a line", "a longer line")), all(None));
    tool.is(0, &["the program `beside-tool`, which `src/lib.rs` may start"]);

    // What a build script wrote is read at run time, so only files prove anything.
    made.0.0.write("build.rs", SCRIPT);
    made.0.0.write("made.txt", "made\n");
    made.0.0.write("src/lib.rs", &format!("{LIBRARY}{READS}"));
    let tests = TESTS.replace("beside::library()(7)", "(beside::made() + 1)");
    made.0.0.write("tests/budgets.rs", &tests);
    made.0.commit("a build script");
    made.check(("GUIDE.md", "More of it.\n"), all(files));
    made.check(("made.txt", "made of more\n"), all(None));
    let moved = format!("{LIBRARY}{READS}\n// So much.\n");
    let moved = made.check(("src/lib.rs", &moved), all(None));
    moved.is(0, &["may read what a build script wrote, by `OUT_DIR`"]);
}
