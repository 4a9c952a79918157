//! The line at the end of the terminal. It is removed before anything else is written there, and also where a signal
//! ends the process. The cursor is never hidden, so it cannot stay hidden.

use std::io::Write;
#[cfg(unix)]
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anstream::{AutoStream, ColorChoice};
use terminal_size::{Width, terminal_size_of};

use perf_budget_core::report::line::{CLEARED, drawn};

use super::text::Line;

/// Whether the line is on the terminal now. Only the holder of this lock writes to the terminal.
static IS_DRAWN: Mutex<bool> = Mutex::new(false);

/// The assumed width where the terminal does not report one.
const COLUMNS: usize = 80;

fn lock() -> MutexGuard<'static, bool> {
    IS_DRAWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes the line in place of the old one.
pub(super) fn draw(line: &Line<'_>) {
    watch();
    let columns = terminal_size_of(std::io::stderr());
    let columns = columns.map_or(COLUMNS, |(Width(columns), _)| usize::from(columns));
    // The last column stays free, since a character after it would be on the next line.
    let text = line.text(columns.saturating_sub(1));
    let plain = AutoStream::choice(&std::io::stderr()) == ColorChoice::Never;
    let mut is_drawn = lock();
    *is_drawn = true;
    write(&drawn(&text, plain));
}

/// Removes the line.
pub(super) fn clear() {
    remove(&mut lock());
}

/// Removes the line before something else is written. The next drawing puts it below.
pub(crate) fn aside<T>(other: impl FnOnce() -> T) -> T {
    let mut is_drawn = lock();
    remove(&mut is_drawn);
    other()
}

fn remove(is_drawn: &mut bool) {
    if std::mem::take(is_drawn) {
        write(CLEARED);
    }
}

/// Writes the text at once, so that the output of other processes comes before or after it.
fn write(text: &str) {
    // An error means that the terminal is gone, so nobody could see the text.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Whether something else in this process decides what a signal does.
#[cfg(unix)]
static IS_LEFT_TO_OTHERS: AtomicBool = AtomicBool::new(false);

/// Keeps signals from ending the process here, from now on, because the command has to clean up first.
#[cfg(unix)]
pub(crate) fn leave_signals() {
    IS_LEFT_TO_OTHERS.store(true, Ordering::Relaxed);
}

/// Watches for signals that end the process: the line is removed first, and then the signal has its usual effect.
#[cfg(unix)]
fn watch() {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
        std::thread::spawn(move || {
            for signal in signals.forever() {
                if IS_LEFT_TO_OTHERS.load(Ordering::Relaxed) {
                    continue;
                }
                // The thread that holds the lock may never release it, for example if it writes into a pipe that nobody
                // reads. So the lock is tried only for a while.
                for _ in 0..10 {
                    if let Ok(mut is_drawn) = IS_DRAWN.try_lock() {
                        remove(&mut is_drawn);
                        // The lock is still held here, so the line is not drawn again.
                        let _ = emulate_default_handler(signal);
                    }
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                let _ = emulate_default_handler(signal);
            }
        });
    });
}

#[cfg(not(unix))]
fn watch() {}
