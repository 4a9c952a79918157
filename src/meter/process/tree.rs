//! A process and everything it started, found again however well it hid.
//!
//! A descendant may leave its parent (double fork), its group and its session (`setsid`). What it
//! keeps is its environment, so each tree is marked there with a variable that no other has.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The variable that marks every process of a tree.
pub(super) const VARIABLE: &str = "PERF_BUDGET_TREE";

/// A word that is only in the environment of one tree.
#[derive(Debug)]
pub(super) struct Marker(String);

impl Marker {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos());
        Marker(format!("<{}-{nanos}-{count}>", std::process::id()))
    }

    /// The variable's value: the markers of the trees that this process belongs to, then its own, so
    /// that a tree within a tree belongs to both.
    pub(super) fn value(&self) -> std::ffi::OsString {
        let mut value = std::env::var_os(VARIABLE).unwrap_or_default();
        value.push(&self.0);
        value
    }
}

/// The tree that grew from one process.
#[derive(Debug)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux shows environments"))]
pub(super) struct Tree {
    root: u32,
    /// Marked, and not of the tree: the relay that started the root.
    spared: Option<u32>,
    marker: Marker,
}

impl Tree {
    pub(super) fn new(root: u32, spared: Option<u32>, marker: Marker) -> Self {
        Tree { root, spared, marker }
    }
}

#[cfg(not(target_os = "linux"))]
impl Tree {
    /// Kills what is left of the process's group, on Unix. What left the group cannot be found here,
    /// and nobody can tell how many there were.
    #[cfg_attr(not(unix), expect(clippy::unused_self, reason = "the same call as on Linux"))]
    pub(super) fn end(&self) -> usize {
        #[cfg(unix)]
        let _ = crate::meter::kernel::kill_group(self.root);
        0
    }
}

#[cfg(target_os = "linux")]
mod found {
    use std::fs::{self, File};
    use std::io::Read;
    use std::time::{Duration, Instant};

    use super::super::linux;
    use super::Tree;
    use crate::meter::kernel;

    /// What one line of `/proc/PID/stat` says of a process's place.
    struct Place {
        pid: u32,
        parent: u32,
        group: u32,
        session: u32,
        member: bool,
    }

    /// The field of a stat, counted from the state, that says when the process was started, in ticks.
    const STARTED: usize = 19;

    impl Tree {
        /// Kills every process of the tree until none is left, for at most five seconds (a process in
        /// an uninterruptible call cannot be ended by anyone). Gives how many there were besides the
        /// root. To be called before the root is reaped: until then its id is nobody else's.
        pub(in super::super) fn end(&self) -> usize {
            let patience = Instant::now() + Duration::from_secs(5);
            let mut pause = Duration::from_micros(200);
            let mut strays = 0;
            loop {
                let members = self.members();
                if members.is_empty() {
                    return strays;
                }
                strays = strays.max(members.iter().filter(|&&pid| pid != self.root).count());
                let _ = kernel::kill_group(self.root);
                for pid in members {
                    // It may have ended since: that is what is wanted.
                    let _ = kernel::kill(pid);
                }
                if Instant::now() > patience {
                    return strays;
                }
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(20));
            }
        }

        /// The processes of the tree that still run.
        pub(in super::super) fn members(&self) -> Vec<u32> {
            let mut environ = Vec::new();
            // What ran before the root did was not started by it, and its environment need not be read:
            // that is nearly all of what this costs.
            let root = linux::stat(self.root).and_then(|stat| started(&stat)).unwrap_or(0);
            let mut places: Vec<_> = fs::read_dir("/proc")
                .into_iter()
                .flatten()
                .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
                .filter_map(|pid| self.place(pid, root, &mut environ))
                .collect();
            // Children of members are members; until no more are found.
            loop {
                let known: Vec<_> = places.iter().filter(|p| p.member).map(|p| p.pid).collect();
                let mut found = false;
                for place in places.iter_mut().filter(|p| !p.member) {
                    place.member = known.contains(&place.parent);
                    found |= place.member;
                }
                if !found {
                    return known;
                }
            }
        }

        /// Where a process stands; `None` where it has ended. The root was started at `root`.
        fn place(&self, pid: u32, root: u64, environ: &mut Vec<u8>) -> Option<Place> {
            let stat = linux::stat(pid)?;
            let older = started(&stat).is_some_and(|started| started < root);
            let mut fields = stat.split_ascii_whitespace();
            if matches!(fields.next()?, "Z" | "X") {
                return None;
            }
            let mut number = || fields.next()?.parse().ok();
            let mut place = Place {
                pid,
                parent: number()?,
                group: number()?,
                session: number()?,
                member: false,
            };
            place.member = pid == self.root
                || place.group == self.root
                || place.session == self.root
                || (!older && Some(pid) != self.spared && self.marked(pid, environ));
            Some(place)
        }

        fn marked(&self, pid: u32, environ: &mut Vec<u8>) -> bool {
            environ.clear();
            // Another user's process is not readable, and was not started here.
            let read = File::open(format!("/proc/{pid}/environ"))
                .and_then(|mut file| file.read_to_end(environ));
            let marker = self.marker.0.as_bytes();
            read.is_ok() && environ.windows(marker.len()).any(|w| w == marker)
        }
    }
    fn started(stat: &str) -> Option<u64> {
        stat.split_ascii_whitespace().nth(STARTED)?.parse().ok()
    }
}
