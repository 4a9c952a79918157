//! The subjects: workloads whose values are known.

#![expect(clippy::exit, reason = "to exit early is what some subjects are for")]

use std::hint::black_box;
use std::io::Write;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use perf_budget::internals::Workload;
use perf_budget::{Failed, Run};
#[cfg(unix)]
use rustix::process::{Signal, getpid, kill_process};

use crate::spin::spin;

pub(crate) type Plain = fn(&mut Run) -> Result<(), Failed>;

/// Returns every subject, by the name that the tests use.
pub(crate) fn subjects() -> Vec<(String, Workload)> {
    let groups = [
        timed(),
        asynchronous(),
        allocating(),
        recording(),
        refused(),
        dying(),
        crate::used::subjects(),
        crate::fuel::subjects(),
        crate::instructions::subjects(),
        crate::lent::subjects(),
        #[cfg(target_os = "linux")]
        crate::syscalls::subjects(),
    ];
    let plain = groups.into_iter().flatten();
    plain.map(|(name, run)| (name.to_owned(), Box::new(run) as Workload)).collect()
}

/// Returns the subjects that take a known time, or fail in a known share of operations.
fn timed() -> Vec<(&'static str, Plain)> {
    vec![
        ("nothing at all", |_| Ok(())),
        ("empty", |run| run.iter(|| ())),
        ("spin", |run| run.iter(|| spin(Duration::from_micros(200)))),
        ("sleep", |run| run.iter(|| std::thread::sleep(Duration::from_millis(2)))),
        ("two threads", |run| run.iter(two_threads)),
        ("asks a server", crate::server::ask_server),
        ("drops slowly", |run| run.iter(|| SlowDrop)),
        ("set-up is slow", |run| run.iter_with(|| spin(Duration::from_millis(2)), |()| 1)),
        ("bytes", |run| run.bytes(1000).iter(|| spin(Duration::from_micros(50)))),
        ("ops", |run| run.ops(8).iter(|| spin(Duration::from_micros(50)))),
        ("ops too late", |run| {
            run.iter(|| ())?;
            run.ops(8);
            Ok(())
        }),
        ("no ops", |run| run.ops(0).iter(|| ())),
        ("every fourth fails", |run| {
            let mut count = 0;
            run.try_iter(|| {
                count += 1;
                spin(Duration::from_micros(50));
                if count % 4 == 0 { Err("the fourth") } else { Ok(17) }
            })
        }),
        ("sleeps long", |run| run.iter(|| std::thread::sleep(Duration::from_millis(300)))),
        ("stalls", |run| {
            let mut count = 0;
            run.iter(|| {
                count += 1;
                if count % 100 == 0 {
                    std::thread::sleep(Duration::from_millis(50));
                }
            })
        }),
        ("every one fails", |run| run.try_iter(|| Err::<(), _>("no luck"))),
        ("an input fails", |run| run.try_iter_with(|| "17x", str::parse::<u8>)),
    ]
}

/// Returns subjects of the same kind that run on a runtime.
fn asynchronous() -> Vec<(&'static str, Plain)> {
    vec![
        ("async sleep", |run| {
            run.iter_async(|| async { tokio::time::sleep(Duration::from_millis(2)).await })
        }),
        ("async input", |run| {
            let mut made = 0;
            let setup = async || {
                tokio::task::yield_now().await;
                made += 1;
                made
            };
            run.iter_async_with(setup, async |number| {
                assert!(number > 0);
                spin(Duration::from_micros(50));
            })
        }),
        ("async fails", |run| {
            run.try_iter_async_with(async || (), async |()| Err::<(), _>("refused"))
        }),
        ("async server", async_server),
        ("async server beside", async_server_beside),
        ("sleeps beside", |run| {
            run.iter_concurrent(async || tokio::time::sleep(Duration::from_millis(20)).await)
        }),
        ("async runtime of its own", |run| {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
            run.on(runtime.handle()).try_iter_async(async || {
                let busy = || async { spin(Duration::from_millis(1)) };
                let (a, b) = (tokio::spawn(busy()), tokio::spawn(busy()));
                a.await?;
                b.await
            })
        }),
    ]
}

/// Returns the subjects that allocate a known number of bytes.
fn allocating() -> Vec<(&'static str, Plain)> {
    vec![
        ("three boxes", |run| run.iter(|| [(); 3].map(|()| Box::new([0_u8; 100])))),
        ("async boxes", |run| run.iter_async(async || [(); 3].map(|()| Box::new([0_u8; 100])))),
        ("grows", |run| {
            run.iter(|| {
                let mut bytes = vec![1_u8; 10];
                bytes.reserve_exact(20);
                bytes
            })
        }),
        ("temporary", |run| {
            run.iter(|| {
                drop(black_box(vec![1_u8; 5000]));
                vec![1_u8; 70]
            })
        }),
        ("grows by 1000 B", |run| run.iter(|| std::mem::forget(black_box(vec![7_u8; 1000])))),
        ("fills a cache", |run| {
            let mut cache = Vec::new();
            run.iter(|| {
                if cache.len() < 1000 {
                    cache.push(black_box(vec![7_u8; 1000]));
                }
            })
        }),
        ("leaks", |run| run.iter(|| std::mem::forget(black_box(vec![7_u8; 123])))),
        ("eats its input", |run| run.iter_with(|| vec![1_u8; 4000], |input| vec![input[0]; 30])),
        ("zeroed", |run| run.iter(|| vec![0_u8; 640])),
        ("elsewhere", elsewhere),
        ("only sometimes", |run| {
            let mut count = 0;
            run.iter(|| {
                count += 1;
                (count % 2 == 0).then(|| Box::new([1_u8; 10]))
            })
        }),
        ("holds", |run| run.hold(|| vec![1_u8; HELD])),
        ("fails to hold", |run| run.try_hold(|| Err::<(), _>("no such file"))),
        ("holds a Result", |run| run.hold(|| "17".parse::<u8>())),
        ("peaks", |run| {
            run.iter(|| {
                drop(black_box(vec![1_u8; HELD]));
                vec![1_u8; HELD / 64]
            })
        }),
        ("gives back", |run| {
            let mut before = Some(vec![1_u8; HELD]);
            run.iter(|| drop(before.take()))
        }),
    ]
}

/// Returns the subjects that record values or take parameters.
fn recording() -> Vec<(&'static str, Plain)> {
    vec![
        ("records", |run| {
            run.record("accuracy", 0.5)?;
            run.record("accuracy", 1.0)?;
            run.record("depth", 7.0)
        }),
        ("measures and records", |run| {
            run.iter(|| ())?;
            run.record("accuracy", 1.0)
        }),
        ("records what is no number", |run| run.record("accuracy", 0.0 / black_box(0.0))),
        ("records less than nothing", |run| run.record("accuracy", -1.0)),
        ("records without end", |run| run.record("accuracy", f64::INFINITY)),
        ("records and overlooks", |run| {
            let _ = run.record("accuracy", f64::NAN);
            run.record("accuracy", 1.0)
        }),
        ("records p99", |run| run.record("p99", 1.0)),
        ("counts", |run| {
            let size: u64 = run.param("size")?;
            run.iter(move || (0..size).fold(0_u64, |sum, n| black_box(sum ^ n)))
        }),
        #[cfg(unix)]
        ("reads its input", |run| {
            // There is nothing to read, because standard input is not a file of the workload's.
            rustix::stdio::dup2_stdin(std::fs::File::open("/dev/null")?)?;
            run.iter(|| 1)
        }),
        ("takes a size", |run| {
            let size: usize = run.param("size")?;
            run.hold(|| vec![1_u8; size])
        }),
        ("takes what is not there", |run| {
            let kind: String = run.param("kind")?;
            run.iter(|| kind.len())
        }),
    ]
}

/// Returns the subjects that are refused, or that return an error.
fn refused() -> Vec<(&'static str, Plain)> {
    vec![
        ("measures twice", |run| {
            run.iter(|| 1)?;
            run.hold(|| 2)
        }),
        ("measures twice and overlooks", |run| {
            let _ = run.iter(|| 1);
            let _ = run.iter(|| 1);
            Ok(())
        }),
        ("returns a Result", |run| run.iter(|| "17".parse::<u8>())),
        ("returns an async Result", |run| run.iter_async(async || "17".parse::<u8>())),
        ("returns a future", |run| run.iter(|| async { 1 })),
        ("is on a runtime of one thread", |run| {
            let runtime = tokio::runtime::Builder::new_current_thread().build()?;
            run.on(runtime.handle()).try_iter_async(async || tokio::spawn(async {}).await)
        }),
        ("fails", |_| Err("the fixture is gone".into())),
        ("fails with an error", |run| {
            let number: u8 = "x".parse()?;
            run.iter(|| number)
        }),
    ]
}

/// Returns the subjects whose process ends early, badly, or not at all, and some that only look like it.
fn dying() -> Vec<(&'static str, Plain)> {
    vec![
        ("panics", |run| run.iter(|| panic!("the {} is gone", "fixture"))),
        ("panics beside text", |_| std::panic::panic_any(17)),
        ("panics in an async operation", |run| run.iter_async(async || panic!("in a future"))),
        ("panics and catches", |run| {
            let caught = std::panic::catch_unwind(|| panic!("caught"));
            assert!(caught.is_err());
            run.iter(|| spin(Duration::from_micros(50)))
        }),
        ("panics, catches and returns", |run| {
            let run = std::panic::AssertUnwindSafe(run);
            let _ = std::panic::catch_unwind(move || {
                let run = run;
                run.0.iter(|| panic!("overlooked"))
            });
            Ok(())
        }),
        ("sets a panic hook", |_| {
            std::panic::set_hook(Box::new(|_| {}));
            panic!("hooked")
        }),
        ("aborts", |run| run.iter(std::process::abort)),
        #[cfg(unix)]
        ("crashes", |run| {
            run.iter(|| kill_process(getpid(), Signal::SEGV).map_err(drop).unwrap_or(()))
        }),
        ("overflows", |run| run.iter(|| overflow(1))),
        #[cfg(unix)]
        ("is killed", |run| {
            run.iter(|| kill_process(getpid(), Signal::KILL).map_err(drop).unwrap_or(()))
        }),
        ("exits", |run| run.iter(|| std::process::exit(0))),
        ("exits badly", |run| run.iter(|| std::process::exit(3))),
        ("never ends", |run| run.iter(|| std::thread::sleep(Duration::from_secs(1000)))),
        ("floods", |_| {
            let line = vec![b'x'; 1 << 16];
            loop {
                std::io::stdout().write_all(&line)?;
            }
        }),
        ("removes the directory", |run| {
            let scratch = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("doomed");
            std::fs::remove_dir_all(scratch)?;
            run.iter(|| 1)
        }),
        ("is restless", restless),
        ("starts itself", |run| {
            let binary = std::env::current_exe()?;
            let status = Command::new(binary).stderr(std::process::Stdio::null()).status()?;
            run.record("code", f64::from(status.code().ok_or("it was killed")?))
        }),
        ("panics elsewhere", |run| {
            let _ = std::thread::spawn(|| panic!("in a thread")).join();
            run.iter(|| 1)
        }),
    ]
}

/// The size of the value that is held: 64 MiB.
pub(crate) const HELD: usize = 64 << 20;

fn two_threads() {
    std::thread::scope(|scope| {
        scope.spawn(|| spin(Duration::from_millis(2)));
        scope.spawn(|| spin(Duration::from_millis(2)));
    });
}

/// A value that takes long to drop.
pub(crate) struct SlowDrop;

impl Drop for SlowDrop {
    fn drop(&mut self) {
        let end = Instant::now() + Duration::from_millis(5);
        while Instant::now() < end {}
    }
}

#[expect(unconditional_recursion, reason = "to overflow the stack is its purpose")]
fn overflow(n: u64) -> u64 {
    black_box(overflow(black_box(n + 1))) + 1
}

/// Measures a server on the runtime that the operations run on too.
fn async_server(run: &mut Run) -> Result<(), Failed> {
    let ask = server(run)?;
    run.try_iter_async(async || answer(&ask).await)
}

/// Measures the same, with several requests in flight.
fn async_server_beside(run: &mut Run) -> Result<(), Failed> {
    let ask = server(run)?;
    run.try_iter_concurrent(async || answer(&ask).await)
}

type Ask = tokio::sync::mpsc::Sender<tokio::sync::oneshot::Sender<u64>>;

async fn answer(ask: &Ask) -> Result<u64, String> {
    let (reply, answer) = tokio::sync::oneshot::channel();
    ask.send(reply).await.map_err(|error| error.to_string())?;
    answer.await.map_err(|error| error.to_string())
}

fn server(run: &mut Run) -> Result<Ask, Failed> {
    let (ask, mut requests) = tokio::sync::mpsc::channel::<tokio::sync::oneshot::Sender<u64>>(1);
    run.block_on(async {
        tokio::spawn(async move {
            let mut count = 0;
            while let Some(reply) = requests.recv().await {
                count += 1;
                let _ = reply.send(count);
            }
        });
    })?;
    Ok(ask)
}

/// Another thread allocates 1000 bytes for each operation, and keeps them.
fn elsewhere(run: &mut Run) -> Result<(), Failed> {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    static DONE: AtomicUsize = AtomicUsize::new(0);
    std::thread::spawn(|| {
        let mut kept = Vec::with_capacity(10_000);
        loop {
            while ASKED.load(Ordering::Acquire) == DONE.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
            kept.push(black_box(vec![1_u8; 1000]));
            DONE.fetch_add(1, Ordering::AcqRel);
        }
    });
    run.iter(|| {
        let number = ASKED.fetch_add(1, Ordering::AcqRel) + 1;
        while DONE.load(Ordering::Acquire) < number {
            std::thread::yield_now();
        }
    })
}

/// Leaves a thread and a process behind, changes the directory and the panic hook, prints much, and is measured all the same.
fn restless(run: &mut Run) -> Result<(), Failed> {
    std::thread::spawn(|| {
        loop {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    std::env::set_current_dir("/")?;
    std::panic::set_hook(Box::new(|_| {}));
    let line = vec![b'x'; 1 << 16];
    for _ in 0..16 {
        std::io::stdout().write_all(&line)?;
        std::io::stderr().write_all(&line)?;
    }
    let mut child = Command::new("sleep").arg("1000").spawn()?;
    drop(child.stdin.take());
    run.iter(|| spin(Duration::from_micros(50)))
}
