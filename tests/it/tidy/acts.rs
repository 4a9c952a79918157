//! Acts that only a few files may do: print, start processes, be unsafe, use a certain library; and, in the core, ask the
//! system about anything.

use super::arrows::product;
use super::{Text, none, text};

/// An act, and the files that may do it.
struct Act {
    /// What a file does.
    what: &'static str,
    /// How the act looks in the source.
    patterns: &'static [&'static str],
    /// The folders whose files are searched.
    within: &'static [&'static str],
    /// The files that do it.
    files: &'static [&'static str],
}

/// The core and the harness.
const LIBRARY: &[&str] = &["core/src", "src"];

/// Everything that is published.
const PRODUCT: &[&str] = &["adapters", "cargo-budget/src", "core/src", "src"];

const CORE: &[&str] = &["core/src"];

const UNSAFE: &str = "is unsafe";

const ACTS: &[Act] = &[
    Act {
        what: "prints",
        patterns: &["stdout()", "stderr()", "print!(", "println!(", "dbg!("],
        within: LIBRARY,
        // A worker that cannot write its reply can only print the reason, and so can a process that cannot start its
        // command.
        files: &[
            "src/exec/inject.rs",
            "src/harness/collector.rs",
            "src/harness/mod.rs",
            "src/harness/runner.rs",
            "src/progress.rs",
            "src/run/serve.rs",
        ],
    },
    Act {
        what: "starts a process",
        patterns: &["Command::new(", ".spawn()"],
        within: LIBRARY,
        files: &[
            "src/exec/inject.rs",
            "src/exec/launch.rs",
            "src/exec/linux.rs",
            "src/exec/macos.rs",
            "src/exec/relay.rs",
            "src/exec/windows.rs",
        ],
    },
    Act {
        what: "knows libtest-mimic",
        patterns: &["libtest_mimic::"],
        within: PRODUCT,
        files: &["src/harness/arguments.rs", "src/harness/collector.rs", "src/harness/mod.rs"],
    },
    Act {
        what: "knows tokio",
        patterns: &["tokio::"],
        within: LIBRARY,
        files: &[
            "src/run/asynchronous/executor.rs",
            "src/run/asynchronous/mod.rs",
            "src/run/asynchronous/timer.rs",
        ],
    },
    Act {
        what: "knows wasmi",
        patterns: &["wasmi::"],
        within: PRODUCT,
        files: &["src/wasm/mod.rs"],
    },
    Act {
        what: UNSAFE,
        patterns: &["unsafe {", "unsafe impl", "unsafe fn", "unsafe extern", "#[unsafe("],
        within: PRODUCT,
        files: &[
            "adapters/divan/src/alloc.rs",
            "src/exec/linux.rs",
            "src/instrument/heap.rs",
            "src/os/calls/mod.rs",
            "src/os/calls/tracer.rs",
            "src/os/counter.rs",
            "src/os/interrupted.rs",
            "src/os/job.rs",
            "src/os/kernel/linux.rs",
            "src/os/kernel/mod.rs",
            "src/os/kernel/process.rs",
            "src/os/kernel/socket.rs",
            "src/os/macos.rs",
            "src/os/sampler.rs",
            "src/os/valgrind.rs",
        ],
    },
    Act {
        what: "reads a clock",
        patterns: &["Instant", "SystemTime", "sleep("],
        within: CORE,
        files: &[],
    },
    Act { what: "asks chance", patterns: &["RandomState", "rand::"], within: CORE, files: &[] },
    Act { what: "uses a network", patterns: &["std::net", "tokio"], within: CORE, files: &[] },
    Act {
        what: "asks the system about the machine, or has threads",
        patterns: &["std::thread", "/proc/", "/sys/", "std::os::linux"],
        within: CORE,
        // `environment` and `processor` describe the machine for `when` of `[env.NAME]`. `record` reads the lines of a large
        // record in parallel.
        files: &[
            "core/src/budget/environment.rs",
            "core/src/budget/processor.rs",
            "core/src/build/held.rs",
            "core/src/record/mod.rs",
        ],
    },
    Act {
        what: "asks who the process is: its variables, its directory, its program, its number",
        patterns: &["std::env::", "env::var", "process::id"],
        within: CORE,
        files: &[
            "core/src/atomic.rs",
            "core/src/benchmarks/list.rs",
            "core/src/budget/environment.rs",
            "core/src/build/held.rs",
            "core/src/build/runner.rs",
            "core/src/handover/mod.rs",
            "core/src/handover/request.rs",
            "core/src/paths/asked.rs",
            "core/src/paths/mod.rs",
            "core/src/paths/user_cache.rs",
        ],
    },
    Act {
        what: "reads or writes files",
        patterns: &["std::fs", "File::open"],
        within: CORE,
        files: &[
            "core/src/atomic.rs",
            "core/src/benchmarks/list.rs",
            "core/src/benchmarks/mod.rs",
            "core/src/budget/parse/file.rs",
            "core/src/budget/processor.rs",
            "core/src/build/cargo.rs",
            "core/src/build/held.rs",
            "core/src/build/index.rs",
            "core/src/files.rs",
            "core/src/handover/programs.rs",
            "core/src/paths/asked.rs",
            "core/src/paths/mod.rs",
            "core/src/paths/pointer.rs",
            "core/src/profile.rs",
            "core/src/record/file.rs",
            "core/src/record/mod.rs",
            "core/src/samples.rs",
            "core/src/selftest.rs",
        ],
    },
];

#[test]
fn acts_stay_in_their_files() {
    let mut problems = Vec::new();
    for act in ACTS {
        let files: Vec<Text> = act.within.iter().flat_map(|folder| product(folder)).collect();
        let does = |file: &&Text| act.patterns.iter().any(|pattern| file.text.contains(pattern));
        let found: Vec<&str> = files.iter().filter(does).map(|file| file.path.as_str()).collect();
        if found != act.files {
            problems.push(format!(
                "{}: the table has {:?}, and the code {found:?}",
                act.what, act.files
            ));
        }
    }
    none(&problems, "the files that do these things, and the table of those that may, differ");
}

/// ARCHITECTURE.md names every file with code that the compiler does not check.
#[test]
fn the_page_names_all_that_is_unsafe() {
    let page = text("ARCHITECTURE.md");
    let start = page.find("\n- `unsafe` is in ").expect("the list is there");
    let list = page[start + 2..].split("\n- ").next().unwrap();
    let named: Vec<&str> =
        list.split('`').skip(1).step_by(2).filter(|name| name.contains('/')).collect();
    let files = ACTS.iter().find(|act| act.what == UNSAFE).unwrap().files;
    let mut named: Vec<String> = named
        .into_iter()
        .map(
            |name| {
                if name.starts_with("adapters") { name.to_owned() } else { format!("src/{name}") }
            },
        )
        .collect();
    named.sort();
    assert_eq!(named, files);
}
