//! The values that the system reports about itself. They come from files of Linux; elsewhere, and where a file is
//! missing, they are `None`.

use std::path::{Path, PathBuf};

/// The values that the system reports.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct System {
    /// The number of processors that this process may use.
    pub(crate) cores: usize,
    /// The quota of its control group, in processors.
    pub(crate) quota: Option<f64>,
    /// Whether a process can read what the system knows about it, such as its control group: on Linux, whether `/proc` is
    /// mounted.
    pub(crate) has_proc: bool,
    /// The seconds that this process waited for a processor.
    pub(crate) waited: Option<f64>,
    /// The share of the last ten seconds in which something waited for a processor.
    pub(crate) pressure: Option<f64>,
    /// The share of the processors' time that the host gave to other guests.
    pub(crate) steal: Option<f64>,
    /// The load average of the last minute.
    pub(crate) load: Option<f64>,
    /// The frequency governor of the first processor.
    pub(crate) governor: Option<String>,
    /// The ticks of all processors since the system started, and how many of them were stolen.
    pub(crate) ticks: Option<(u64, u64)>,
}

impl System {
    /// Reads everything.
    pub(crate) fn read() -> System {
        let file = |path: &str| std::fs::read_to_string(path).ok();
        let ticks = file("/proc/stat").and_then(|text| ticks(&text));
        System {
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            quota: file("/proc/self/cgroup")
                .and_then(|text| quota(&text, Path::new("/sys/fs/cgroup"))),
            has_proc: !cfg!(target_os = "linux") || std::fs::read_link("/proc/self/exe").is_ok(),
            waited: file("/proc/self/schedstat").and_then(|text| waited(&text)),
            pressure: file("/proc/pressure/cpu").and_then(|text| pressure(&text)),
            steal: ticks.and_then(|(all, stolen)| (all > 0).then(|| stolen as f64 / all as f64)),
            load: file("/proc/loadavg").and_then(|text| text.split(' ').next()?.parse().ok()),
            governor: file("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
                .map(|text| text.trim().to_owned()),
            ticks,
        }
    }

    /// Returns the values, where counts since the system started are replaced by counts since `before`.
    pub(crate) fn since(self, before: &System) -> System {
        let stolen =
            self.ticks.zip(before.ticks).and_then(|((all, stolen), (from, stolen_before))| {
                let all = all.checked_sub(from).filter(|&all| all > 0)?;
                Some(stolen.saturating_sub(stolen_before) as f64 / all as f64)
            });
        let waited = self.waited.zip(before.waited).map(|(now, then)| (now - then).max(0.0));
        System { steal: stolen.or(self.steal), waited, ..self }
    }
}

/// Reads `/proc/stat`. Its first line has the ticks of all processors; the eighth number is the stolen ones.
fn ticks(text: &str) -> Option<(u64, u64)> {
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Option<Vec<u64>> = line.split_whitespace().map(|word| word.parse().ok()).collect();
    let ticks = ticks.filter(|ticks| ticks.len() >= 8)?;
    // The time of guests is already included in the first two numbers.
    Some((ticks[..8].iter().sum(), ticks[7]))
}

/// Reads `/proc/self/schedstat`: the time on a processor and the time waiting for one, in nanoseconds.
fn waited(text: &str) -> Option<f64> {
    let mut words = text.split_whitespace().map(|word| word.parse::<u64>().ok());
    let (ran, waited) = (words.next()??, words.next()??);
    // A kernel without these statistics writes zeros.
    (ran > 0).then_some(waited as f64 * 1e-9)
}

/// Reads `/proc/pressure/cpu`: `some avg10=1.23 …`, in per cent.
fn pressure(text: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let average = line.split(' ').find_map(|word| word.strip_prefix("avg10="))?;
    Some(average.parse::<f64>().ok()? / 100.0)
}

/// Returns the smallest quota of the process's control group and those above it, in processors.
fn quota(cgroup: &str, root: &Path) -> Option<f64> {
    // The directory of a control group, and whether it is one of cgroup v2.
    let group = |line: &str| -> Option<(PathBuf, bool)> {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let path = path.trim_start_matches('/');
        match controllers {
            "" => Some((root.join(path), true)),
            list if list.split(',').any(|one| one == "cpu") => {
                Some((root.join("cpu").join(path), false))
            }
            _ => None,
        }
    };
    let groups = cgroup.lines().filter_map(group);
    let number =
        |path: PathBuf| -> Option<f64> { std::fs::read_to_string(path).ok()?.trim().parse().ok() };
    let quotas = groups.flat_map(|(group, unified)| {
        let up: Vec<PathBuf> =
            group.ancestors().take_while(|dir| dir.starts_with(root)).map(Path::to_owned).collect();
        up.into_iter().filter_map(move |dir| {
            if unified {
                return maximum(&std::fs::read_to_string(dir.join("cpu.max")).ok()?);
            }
            let quota = number(dir.join("cpu.cfs_quota_us")).filter(|&quota| quota > 0.0)?;
            Some(quota / number(dir.join("cpu.cfs_period_us"))?)
        })
    });
    quotas.reduce(f64::min)
}

/// Reads `cpu.max`: `200000 100000`, or `max 100000`.
fn maximum(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (period > 0.0).then(|| quota / period)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_read_as_linux_writes_them() {
        assert_eq!(ticks("cpu  10 0 20 60 0 0 0 10 5 0\ncpu0 1\n"), Some((100, 10)));
        assert_eq!(ticks("cpu  10 0\n"), None);
        assert_eq!(ticks("intr 1"), None);
        assert_eq!(waited("1500 2000000000 3\n"), Some(2.0));
        assert_eq!(waited("0 0 0\n"), None);
        assert_eq!(pressure("some avg10=12.50 avg60=1.00 total=3\nfull avg10=0.00"), Some(0.125));
        assert_eq!(pressure(""), None);
        assert_eq!(maximum("150000 100000\n"), Some(1.5));
        assert_eq!(maximum("max 100000\n"), None);
    }

    #[test]
    fn the_smallest_quota_counts() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::create_dir_all(root.join("cpu/c")).unwrap();
        std::fs::write(root.join("a/cpu.max"), "200000 100000\n").unwrap();
        std::fs::write(root.join("a/b/cpu.max"), "max 100000\n").unwrap();
        std::fs::write(root.join("cpu/c/cpu.cfs_quota_us"), "50000\n").unwrap();
        std::fs::write(root.join("cpu/c/cpu.cfs_period_us"), "100000\n").unwrap();
        assert_eq!(quota("0::/a/b\n", root), Some(2.0));
        assert_eq!(quota("3:cpu,cpuacct:/c\n0::/a/b\n", root), Some(0.5));
        assert_eq!(quota("0::/\n", root), None);
    }

    #[test]
    fn counts_are_those_of_the_time_between() {
        let at = |all, stolen, waited| System {
            ticks: Some((all, stolen)),
            waited: Some(waited),
            ..System::default()
        };
        let between = at(1100, 60, 3.5).since(&at(1000, 50, 3.0));
        assert_eq!((between.steal, between.waited), (Some(0.1), Some(0.5)));
        assert_eq!(System::default().since(&System::default()).steal, None);
    }
}
