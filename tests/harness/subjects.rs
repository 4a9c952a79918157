//! The harness under test and its workloads: each workload fails in one way, or records a value that it was given.

#![expect(clippy::exit, reason = "to exit early is what some subjects are for")]

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use perf_budget::{Failed, Harness, Run};
#[cfg(unix)]
use rustix::process::{Signal, getpid, kill_process};

type Subject = (&'static str, fn(&mut Run) -> Result<(), Failed>);

/// Makes a harness with the workloads whose names the case's `budgets.toml` has in quotes, even in a comment. If the
/// file says `# twice`, they are registered twice.
pub(crate) fn harness() -> Harness {
    let dir = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let budgets = fs::read_to_string(Path::new(&dir).join("budgets.toml")).unwrap_or_default();
    let mut harness = Harness::new();
    for (name, subject) in [measurable(), dying(), unmeasurable()].concat() {
        if budgets.contains(&format!("\"{name}\"")) {
            harness = harness.workload(name, subject);
            if budgets.contains("# twice") {
                harness = harness.workload(name, subject);
            }
        }
    }
    harness
}

/// Returns the subjects that can be measured.
fn measurable() -> Vec<Subject> {
    vec![
        ("depth", |run| {
            let depth: f64 = run.param("depth")?;
            run.record("depth", depth)
        }),
        ("count", |run| run.iter(|| 1)),
        ("holds", |run| run.hold(|| vec![1_u8; 1000])),
        ("leaks", |run| run.iter(|| std::mem::forget(std::hint::black_box(vec![7_u8; 1000])))),
        ("sleeps", |run| run.iter(|| std::thread::sleep(Duration::from_millis(2)))),
        ("sleeps beside", |run| {
            run.iter_concurrent(async || tokio::time::sleep(Duration::from_millis(20)).await)
        }),
        ("depth in a file", |run| {
            // The file is in the directory of the revision that is measured.
            let depth: f64 = fs::read_to_string("depth")?.trim().parse()?;
            run.record("depth", depth)
        }),
        ("wavers", |run| {
            let depth: f64 = run.param("depth")?;
            // Each process has its own digits after the point.
            run.record("depth", depth + f64::from(std::process::id() % 97) / 1e4)
        }),
        ("records after three seconds", |run| {
            std::thread::sleep(Duration::from_secs(3));
            let depth: f64 = run.param("depth")?;
            run.record("depth", depth)
        }),
        ("as long as a file says", |run| {
            let count: u64 = fs::read_to_string("count")?.trim().parse()?;
            run.iter(move || (0..count).fold(0, |sum, n| std::hint::black_box(sum ^ n)))
        }),
        ("as many calls as a file says", |run| {
            let count: u64 = fs::read_to_string("count")?.trim().parse()?;
            let mut null = fs::File::create("/dev/null")?;
            run.iter(move || (0..count).all(|_| null.write_all(b"x").is_ok()))
        }),
        ("tally", |run| {
            leave_mark(run, "was here")?;
            let depth: f64 = run.param("depth")?;
            run.record("width", 1.0)?;
            run.record("depth", depth)
        }),
        ("alone", |run| {
            let mine: String = run.param("file")?;
            // Two subjects at the same time cannot both create the file.
            OpenOptions::new().write(true).create_new(true).open(&mine)?;
            leave_mark(run, "alone")?;
            std::thread::sleep(Duration::from_millis(30));
            fs::remove_file(mine)?;
            run.record("depth", 1.0)
        }),
        ("half of them", |run| {
            let mut nth = 0;
            run.try_iter(|| {
                nth += 1;
                if nth % 2 == 0 { Err("an even one") } else { Ok(()) }
            })
        }),
    ]
}

/// Adds a line to the file that counts how often subjects ran.
fn leave_mark(run: &Run, text: &str) -> Result<(), Failed> {
    let _: f64 = run.param("depth")?;
    let mut marks = OpenOptions::new().append(true).create(true).open("marks")?;
    Ok(marks.write_all(format!("{text}\n").as_bytes())?)
}

/// Returns the subjects that end their process.
fn dying() -> Vec<Subject> {
    vec![
        ("panics", |run| run.iter(|| panic!("the {} is gone", "fixture"))),
        ("panics in a thread", |run| {
            run.iter(|| {
                std::thread::spawn(|| panic!("not here")).join().expect("it did not panic");
            })
        }),
        ("panics and catches", |run| {
            let mut run = std::panic::AssertUnwindSafe(run);
            let _ = std::panic::catch_unwind(move || run.iter(|| panic!("overlooked")));
            Ok(())
        }),
        ("aborts", |run| run.iter(std::process::abort)),
        #[cfg(unix)]
        ("crashes", |run| run.iter(|| send(Signal::SEGV))),
        #[cfg(windows)]
        ("crashes", |run| run.iter(write_to_nowhere)),
        ("overflows", |run| run.iter(|| overflow(1))),
        #[cfg(unix)]
        ("is killed", |run| run.iter(|| send(Signal::KILL))),
        ("exits", |run| run.iter(|| std::process::exit(0))),
        ("exits badly", |run| run.iter(|| std::process::exit(3))),
        ("sees the variables", |run| {
            let variables = ["WORKER", "WORKER_TOKEN", "RELAY", "INJECT", "TREE", "GUARD"];
            let set =
                |variable: &&&str| std::env::var_os(format!("PERF_BUDGET_{variable}")).is_some();
            run.record("variables", variables.iter().filter(set).count() as f64)
        }),
        ("never ends", |run| run.iter(|| std::thread::sleep(Duration::from_secs(1000)))),
        ("spins for ever", |run| {
            run.iter(|| {
                while std::hint::black_box(true) {
                    std::hint::spin_loop();
                }
            })
        }),
        ("floods", |_| {
            let line = vec![b'x'; 1 << 16];
            loop {
                std::io::stdout().write_all(&line)?;
            }
        }),
    ]
}

/// Returns the subjects that end normally, but without anything that could be judged.
fn unmeasurable() -> Vec<Subject> {
    vec![
        ("measures nothing", |_| Ok(())),
        ("records another", |run| run.record("width", 3.0)),
        ("records NaN", |run| run.record("depth", f64::NAN)),
        ("records a negative", |run| run.record("depth", -1.0)),
        ("records infinity", |run| run.record("depth", f64::INFINITY)),
        ("hides a failure", |run| {
            let _ = run.record("p50", 1.0);
            run.record("depth", 1.0)
        }),
        ("returns a Result", |run| run.iter(|| "17".parse::<u8>())),
        ("returns a future", |run| run.iter(|| async { 17 })),
        ("measures twice", |run| {
            run.iter(|| 1)?;
            run.iter(|| 2)
        }),
        ("an operation fails", |run| run.try_iter(|| Err::<(), _>("no luck"))),
        ("every one fails", |run| run.try_iter(|| Err::<(), _>("no luck"))),
        ("is offline", |_| Err("the host is offline".into())),
        ("set-up fails", |_| Err("there is no database".into())),
    ]
}

#[cfg(unix)]
fn send(signal: Signal) {
    // Rust's own handler of segmentation faults ignores the first one.
    loop {
        kill_process(getpid(), signal).expect("a process may signal itself");
    }
}

/// Writes where no process has memory.
#[cfg(windows)]
#[expect(unsafe_code, reason = "Windows has no other way to end a process by such an exception")]
fn write_to_nowhere() {
    // SAFETY: this is not safe: the exception ends the process, which is its purpose.
    unsafe { std::ptr::without_provenance_mut::<u8>(1).write_volatile(1) }
}

fn overflow(n: u64) -> u64 {
    if n == 0 { 0 } else { std::hint::black_box(overflow(n + 1)) + 1 }
}
