//! The one line at the end of the terminal, which is taken away before anything else is written there: also where the
//! process is ended by a signal. The cursor is never hidden, so that nothing can leave it so.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anstream::{AutoStream, ColorChoice};
use terminal_size::{Width, terminal_size_of};

use perf_budget_core::report::line::{CLEARED, drawn};

use super::text::Line;

/// Whether the line stands there; who holds it writes to the terminal.
static STANDING: Mutex<bool> = Mutex::new(false);

/// Where the terminal does not tell how wide it is.
const COLUMNS: usize = 80;

fn standing() -> MutexGuard<'static, bool> {
    STANDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes the line in place of the one that stands there.
pub(super) fn draw(line: &Line<'_>) {
    watch();
    let columns = terminal_size_of(std::io::stderr());
    let columns = columns.map_or(COLUMNS, |(Width(columns), _)| usize::from(columns));
    // Never the last column: what comes after it would be on the next line.
    let text = line.text(columns.saturating_sub(1));
    let plain = AutoStream::choice(&std::io::stderr()) == ColorChoice::Never;
    let mut standing = standing();
    *standing = true;
    write(&drawn(&text, plain));
}

/// Takes the line away.
pub(super) fn clear() {
    take(&mut standing());
}

/// Writes something else, after the line is taken away; it comes again below.
pub(crate) fn aside<T>(other: impl FnOnce() -> T) -> T {
    let mut standing = standing();
    take(&mut standing);
    other()
}

fn take(standing: &mut bool) {
    if std::mem::take(standing) {
        write(CLEARED);
    }
}

/// In one write, so that what other processes say is before it or after it.
fn write(text: &str) {
    // Where the terminal is gone there is nobody to see it.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Has the line taken away by the signals that end the process, which end it then as ever.
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
                // Whoever writes may never come to an end, as into a pipe that nobody reads.
                for _ in 0..10 {
                    if let Ok(mut standing) = STANDING.try_lock() {
                        take(&mut standing);
                        // Held, so that no line comes again.
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
