//! A process and everything it started, found again however well it hid.
//!
//! A descendant may leave its parent (double fork), its group and its session (`setsid`). What it
//! keeps is its environment, so each tree is marked there with a variable that no other has.

use std::sync::OnceLock;
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
        Marker(format!("{}{count}>", Marker::beginning()))
    }

    /// What the markers of all trees of this process begin with, and no other's.
    pub(super) fn beginning() -> &'static str {
        static BEGINNING: OnceLock<String> = OnceLock::new();
        BEGINNING.get_or_init(|| {
            let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos());
            format!("<{}-{nanos}-", std::process::id())
        })
    }

    /// One that another process made, or what all of its markers begin with.
    #[cfg(target_os = "linux")]
    pub(super) fn known(text: &str) -> Self {
        Marker(text.to_owned())
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
    /// `None` for all trees of a process that has ended.
    root: Option<u32>,
    /// Marked, and not of the tree: the relay that started the root, or the guard that ends what is left.
    spared: Option<u32>,
    marker: Marker,
}

impl Tree {
    pub(super) fn new(root: u32, spared: Option<u32>, marker: Marker) -> Self {
        Tree { root: Some(root), spared, marker }
    }

    /// Everything that is marked, but for this process.
    #[cfg(target_os = "linux")]
    pub(super) fn of_all(marker: Marker) -> Self {
        Tree { root: None, spared: Some(std::process::id()), marker }
    }
}

#[cfg(not(target_os = "linux"))]
impl Tree {
    /// Kills what is left of the process's group, on Unix. What left the group cannot be found here,
    /// and nobody can tell how many there were.
    #[cfg_attr(not(unix), expect(clippy::unused_self, reason = "the same call as on Linux"))]
    pub(super) fn end(&self) -> usize {
        #[cfg(unix)]
        let _ = self.root.map(crate::os::kernel::kill_group);
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
    use crate::os::kernel;

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
                strays = strays.max(members.iter().filter(|&&pid| Some(pid) != self.root).count());
                let _ = self.root.map(kernel::kill_group);
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
            let root = self.root.and_then(linux::stat).and_then(|stat| started(&stat)).unwrap_or(0);
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
            let of_root = |id: u32| Some(id) == self.root;
            place.member = of_root(pid)
                || of_root(place.group)
                || of_root(place.session)
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
