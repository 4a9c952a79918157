//! The subjects that use what the system counts or limits: memory, processors, files, threads and processes.

use std::time::Duration;

use perf_budget::Failed;

#[cfg(unix)]
use crate::spin::spin;
use crate::subjects::Plain;

/// Returns these subjects.
pub(crate) fn subjects() -> Vec<(&'static str, Plain)> {
    vec![
        ("needs memory", |run| run.iter(|| vec![1_u8; 200 << 20].len())),
        ("counts processors", |run| {
            let count = std::thread::available_parallelism().map_or(0, usize::from);
            run.record("processors", count as f64)
        }),
        ("copies a file", |run| {
            run.iter(|| {
                let bytes = std::fs::read("Cargo.toml").map_or(0, |content| content.len());
                std::fs::write("/dev/null", vec![0; 2 * bytes]).is_ok()
            })
        }),
        ("frees later", |run| {
            let (give, given) = std::sync::mpsc::sync_channel::<Vec<u8>>(1);
            let taker = std::thread::spawn(move || {
                for block in given {
                    std::thread::sleep(Duration::from_millis(3));
                    drop(block);
                }
            });
            run.iter(|| give.send(vec![0; 5000]).is_ok())?;
            drop(give);
            taker.join().map_err(|_| Failed::from("the thread panicked"))
        }),
        #[cfg(unix)]
        ("leaves it to a copy", |run| {
            leave_it_to_a_copy();
            run.iter(|| spin(Duration::from_micros(50)))
        }),
    ]
}

/// Makes a copy of this process that goes on in its place. The process itself ends with success after the copy has.
#[cfg(unix)]
#[expect(unsafe_code, reason = "no safe library copies a process")]
#[expect(clippy::exit, reason = "to exit early is what this is for")]
fn leave_it_to_a_copy() {
    // SAFETY: this process has one thread, so its copy is whole; the pointer is to a number that lives.
    unsafe {
        let copy = libc::fork();
        if copy > 0 {
            let mut status = 0;
            libc::waitpid(copy, &raw mut status, 0);
            std::process::exit(0);
        }
    }
}
