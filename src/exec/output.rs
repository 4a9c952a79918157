//! The output of a process: it is read as it comes, so that the process never blocks, and only its end is kept.
//!
//! This is apart because it is the one place with threads: one for each stream.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::launch::Written;
use super::plain::Plain;

/// A process that writes more bytes than this to one stream is ended.
pub(super) const FLOOD: u64 = 64 << 20;

/// A stream that a thread of its own reads.
#[derive(Debug)]
pub(super) struct Drain(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    ended: Condvar,
    keep: usize,
}

#[derive(Debug, Default)]
struct State {
    /// The last bytes: at least `keep` of them, if there are this many, and at most twice as many.
    tail: Vec<u8>,
    bytes: u64,
    matched: Option<Instant>,
    ended: bool,
}

impl Drain {
    /// Starts to read `pipe`, keeping `keep` of the last bytes. A byte is written to `wake` when `watch` has been
    /// read, and when the process has written too much.
    pub(super) fn start(
        pipe: PipeReader,
        watch: Option<&str>,
        keep: usize,
        wake: PipeWriter,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::default(), ended: Condvar::new(), keep });
        let theirs = Arc::clone(&shared);
        let watch = watch.map(Watched::new);
        std::thread::Builder::new()
            .name("drain".to_owned())
            .stack_size(128 << 10)
            .spawn(move || theirs.drain(pipe, watch, &wake))?;
        Ok(Drain(shared))
    }

    /// Returns when the watched text was read.
    pub(super) fn matched(&self) -> Option<Instant> {
        self.0.lock().matched
    }

    /// Whether the process has written more than is ever useful.
    pub(super) fn flooded(&self) -> bool {
        self.0.lock().bytes > FLOOD
    }

    /// Returns what has been written so far.
    pub(super) fn written(&self) -> Written {
        let state = self.0.lock();
        let tail = &state.tail[state.tail.len().saturating_sub(self.0.keep)..];
        Written { tail: tail.to_vec(), bytes: state.bytes }
    }

    /// Waits for the end of the stream, until `deadline` at the latest.
    pub(super) fn finish(&self, deadline: Instant) {
        let patience = deadline.saturating_duration_since(Instant::now());
        let _ = self.0.ended.wait_timeout_while(self.0.lock(), patience, |state| !state.ended);
    }
}

/// A text that is waited for.
struct Watched {
    text: Vec<u8>,
    /// The filter that leaves out escape sequences. `None` if the text has some itself.
    plain: Option<Plain>,
    /// The end of what was read before, in which the text may begin.
    before: Vec<u8>,
}

impl Watched {
    fn new(text: &str) -> Watched {
        let plain = (!text.contains('\u{1b}')).then(Plain::default);
        Watched { text: text.as_bytes().to_vec(), plain, before: Vec::new() }
    }

    /// Whether the text ends in these bytes, which follow those of the call before.
    fn is_in(&mut self, bytes: &[u8]) -> bool {
        match &mut self.plain {
            Some(plain) => self.before.extend(plain.text(bytes)),
            None => self.before.extend_from_slice(bytes),
        }
        let length = self.text.len();
        let is_in = length == 0 || self.before.windows(length).any(|part| part == self.text);
        self.before.drain(..self.before.len().saturating_sub(length.saturating_sub(1)));
        is_in
    }
}

/// Whether a text is in the bytes, however they are coloured.
pub(super) fn is_written(text: &str, bytes: &[u8]) -> bool {
    Watched::new(text).is_in(bytes)
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drain(&self, mut pipe: PipeReader, mut watch: Option<Watched>, mut wake: &PipeWriter) {
        let mut chunk = vec![0; 32 << 10];
        loop {
            let read = match pipe.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            let now = Instant::now();
            let mut state = self.lock();
            let flooded = state.bytes > FLOOD;
            state.bytes += read as u64;
            let mut news = state.bytes > FLOOD && !flooded;
            state.tail.extend_from_slice(&chunk[..read]);
            if watch.as_mut().is_some_and(|watched| watched.is_in(&chunk[..read])) {
                state.matched = Some(now);
                watch = None;
                news = true;
            }
            let kept = state.tail.len();
            if kept > 2 * self.keep {
                state.tail.drain(..kept - self.keep);
            }
            drop(state);
            if news {
                let _ = wake.write(&[1]);
            }
        }
        self.lock().ended = true;
        self.ended.notify_all();
    }
}

impl Written {
    /// The number of bytes that are kept by default.
    pub(crate) const KEPT: usize = 64 << 10;

    /// Returns the last lines, for a message; `None` if there is nothing to show.
    pub(crate) fn text(&self) -> Option<String> {
        const LINES: usize = 20;
        let text = String::from_utf8_lossy(&self.tail[self.tail.len().saturating_sub(4 << 10)..]);
        let lines: Vec<_> = text.trim_end().lines().collect();
        let shown = lines[lines.len().saturating_sub(LINES)..].join("\n");
        (!shown.trim().is_empty()).then_some(shown)
    }
}
