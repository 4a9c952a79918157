//! What the texts of the kernel say: pure, so that those of other systems can be tested.
//!
//! They are read here because procfs wants what is not everywhere: of pressure a line `full`, which the
//! processor has only since Linux 5.13, and of `/proc/stat` the whole file, which has hundreds of
//! kilobytes on large machines. It reads no quotas, and takes a second to build.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Processors, Throttled};

/// Processor seconds from the line `cpu` of `/proc/stat`. Guests are within user time already. A
/// sandbox that shows nothing but zeros tells nothing.
pub(super) fn processors(stat: &str, ticks_per_second: u64) -> Option<Processors> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> =
        line.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let [user, nice, system, idle, rest @ ..] = ticks.as_slice() else { return None };
    let at = |n: usize| rest.get(n).copied().unwrap_or(0);
    let (io_wait, irq, soft_irq) = (at(0), at(1), at(2));
    let stolen = rest.get(3).copied();
    let seconds = |ticks: u64| ticks as f64 / ticks_per_second as f64;
    let busy = user + nice + system + irq + soft_irq;
    let idle = idle + io_wait;
    (busy + idle > 0).then(|| Processors {
        busy: seconds(busy),
        idle: seconds(idle),
        stolen: stolen.map(seconds),
    })
}

/// Time in which some task waited, from a file of `/proc/pressure`.
pub(super) fn stalled(pressure: &str) -> Option<Duration> {
    let some = pressure.lines().find_map(|line| line.strip_prefix("some "))?;
    let total = some.split_ascii_whitespace().find_map(|word| word.strip_prefix("total="))?;
    total.parse().ok().map(Duration::from_micros)
}

/// What a quota did, from a group's `cpu.stat` of either version: microseconds in the second,
/// nanoseconds in the first.
pub(super) fn throttled(cpu_stat: &str) -> Option<Throttled> {
    let field = |name: &str| -> Option<u64> {
        let (_, value) =
            cpu_stat.lines().filter_map(|l| l.split_once(' ')).find(|l| l.0 == name)?;
        value.trim().parse().ok()
    };
    let seconds = match (field("throttled_usec"), field("throttled_time")) {
        (Some(micros), _) => micros as f64 * 1e-6,
        (_, Some(nanos)) => nanos as f64 * 1e-9,
        _ => return None,
    };
    Some(Throttled { periods: field("nr_throttled")?, seconds })
}

/// The files `cpu.stat` of the groups that a process is in, its own first, from its `cgroup` and
/// `mountinfo`. Whether they are there is not known.
pub(super) fn quota_files(cgroup: &str, mountinfo: &str) -> Vec<PathBuf> {
    let groups = || cgroup.lines().filter_map(Group::of);
    let mounts = || mountinfo.lines().filter_map(Mount::of);
    // On a mixed system the first version has the processors, where it has them at all.
    let first = groups().find(|group| group.controllers.split(',').any(|name| name == "cpu"));
    let second = groups().find(|group| group.hierarchy == "0");
    let found = first
        .zip(mounts().find(Mount::has_processors))
        .or_else(|| second.zip(mounts().find(|mount| mount.kind == "cgroup2")));
    let Some((group, mount)) = found else { return Vec::new() };
    // In a container the mount may begin at its own group, and then the group's name begins with it.
    // A name that does not is seen from elsewhere: what is mounted is all there is.
    let below = Path::new(group.path).strip_prefix(unescaped(mount.root)).unwrap_or(Path::new(""));
    let point = PathBuf::from(unescaped(mount.point));
    below.ancestors().map(|group| point.join(group).join("cpu.stat")).collect()
}

/// A line of `/proc/self/cgroup`: cgroups(7).
struct Group<'a> {
    hierarchy: &'a str,
    controllers: &'a str,
    path: &'a str,
}

impl<'a> Group<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let (hierarchy, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        Some(Group { hierarchy, controllers, path })
    }
}

/// A line of `/proc/self/mountinfo`: proc_pid_mountinfo(5). Names are still escaped.
struct Mount<'a> {
    root: &'a str,
    point: &'a str,
    kind: &'a str,
    /// Of the file system rather than of the mount.
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn of(line: &'a str) -> Option<Self> {
        // Before the dash are optional fields, as many as there are.
        let (place, system) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let mut system = system.split(' ');
        Some(Mount {
            root: place.next()?,
            point: place.next()?,
            kind: system.next()?,
            options: system.nth(1)?,
        })
    }

    fn has_processors(&self) -> bool {
        self.kind == "cgroup" && self.options.split(',').any(|option| option == "cpu")
    }
}

/// The kernel writes blanks, backslashes and line ends of names as a backslash and three octal digits.
fn unescaped(name: &str) -> OsString {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = match rest {
            [b'\\', digits @ ..] => digits.get(..3).and_then(octal),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &after[3..] } else { after };
    }
    OsString::from_vec(bytes)
}

fn octal(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok()?;
    u8::from_str_radix(digits, 8).ok()
}
