//! Tests with control groups of real systems of both versions, and with scripted ones: a directory with the kernel's
//! files in it.

use super::*;

#[track_caller]
fn check(cgroup: &str, mountinfo: &str, expected: &[&str]) {
    let found = directories("cpu", cgroup, mountinfo);
    assert_eq!(found, expected.iter().map(Path::new).collect::<Vec<_>>());
}

#[test]
fn where_groups_are() {
    let second = "31 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 \
                  cgroup2 rw,nsdelegate,memory_recursiveprot\n";
    // A runner of GitHub is a service under systemd.
    check(
        "0::/system.slice/hosted-compute-agent.service\n",
        &format!("22 28 0:21 / /proc rw,nosuid - proc proc rw\n{second}"),
        &[
            "/sys/fs/cgroup/system.slice/hosted-compute-agent.service",
            "/sys/fs/cgroup/system.slice",
            "/sys/fs/cgroup",
        ],
    );
    // Docker with version 2, in a namespace of its own.
    check("0::/\n", second, &["/sys/fs/cgroup"]);
    // The same without a namespace: the mount begins at the container.
    let own = second.replacen("0:26 / ", "0:26 /docker/3f2a ", 1);
    check("0::/docker/3f2a\n", &own, &["/sys/fs/cgroup"]);
    check("0::/docker/3f2a/tests\n", &own, &["/sys/fs/cgroup/tests", "/sys/fs/cgroup"]);
    // Docker with version 1.
    check(
        "5:cpu,cpuacct:/docker/3f2a\n4:memory:/docker/3f2a\n1:name=systemd:/docker/3f2a\n",
        "733 730 0:30 /docker/3f2a /sys/fs/cgroup/cpu,cpuacct ro,nosuid,nodev,noexec,relatime \
         master:13 - cgroup cgroup rw,cpu,cpuacct\n",
        &["/sys/fs/cgroup/cpu,cpuacct"],
    );
    // The virtual machine has both versions, and version 1 has the processors.
    check(
        "4:memory:/jobs/1\n2:cpuacct:/\n1:cpu:/\n0::/\n",
        "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n\
         33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct\n\
         41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
        &["/sys/fs/cgroup/cpu"],
    );
    // The mount and the group have a blank in their names, and a backslash that begins no number.
    check(
        "1:cpu:/a b/c\\d\n",
        "junk\n32 31 0:29 /a\\040b /sys/fs/c\\134g\\x rw - cgroup cgroup rw,cpu\n",
        &["/sys/fs/c\\g\\x/c\\d", "/sys/fs/c\\g\\x"],
    );
    // Nothing is mounted, and the process is in no group.
    check("0::/\n", "", &[]);
    check("", second, &[]);
}

/// A directory for a test's own groups.
struct Scripted(PathBuf);

impl Scripted {
    fn new(name: &str) -> Scripted {
        let dir = std::env::temp_dir().join(format!("perf-budget-{name}-{}", std::process::id()));
        fs::create_dir_all(dir.join("outer/inner")).unwrap();
        Scripted(dir)
    }

    fn groups(&self) -> Vec<PathBuf> {
        let mountinfo = format!("31 23 0:26 / {} rw - cgroup2 cgroup2 rw\n", self.0.display());
        directories("memory", "0::/outer/inner\n", &mountinfo)
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.0.join(file), text).unwrap();
    }

    fn limit(&self, group: &str, most: u64) -> Limit {
        Limit { group: self.0.join(group), most }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_limit_that_was_reached_is_found_in_version_2() {
    let scripted = Scripted::new("group-second");
    let events = |oom: u32, kills: u32| {
        format!("low 0\nhigh 0\nmax 812\noom {oom}\noom_kill {kills}\noom_group_kill 0\n")
    };
    scripted.write("outer/memory.max", "67108864\n");
    scripted.write("outer/memory.events", &events(1, 1));
    scripted.write("outer/inner/memory.max", "max\n");
    scripted.write("outer/inner/memory.events", &events(0, 1));
    let before = Memory::read(&scripted.groups());
    assert_eq!(before.since(&before), MemoryShortage { killed: Some(false), limit: None });
    scripted.write("outer/memory.events", &events(2, 2));
    scripted.write("outer/inner/memory.events", &events(0, 2));
    let limit = Some(scripted.limit("outer", 67_108_864));
    let shortage = Memory::read(&scripted.groups()).since(&before);
    assert_eq!(shortage, MemoryShortage { killed: Some(true), limit });
}

#[test]
fn the_limit_that_was_reached_is_found_in_version_1() {
    let scripted = Scripted::new("group-first");
    let control = |kills: u32| format!("oom_kill_disable 0\nunder_oom 0\noom_kill {kills}\n");
    scripted.write("outer/inner/memory.oom_control", &control(0));
    scripted.write("outer/inner/memory.failcnt", "7\n");
    scripted.write("outer/inner/memory.limit_in_bytes", "1000000\n");
    scripted.write("outer/memory.failcnt", "0\n");
    scripted.write("outer/memory.limit_in_bytes", "9223372036854771712\n");
    let before = Memory::read(&scripted.groups());
    // Memory that could be taken back: no process was killed.
    scripted.write("outer/inner/memory.failcnt", "8\n");
    let limit = Some(scripted.limit("outer/inner", 1_000_000));
    let shortage = Memory::read(&scripted.groups()).since(&before);
    assert_eq!(shortage, MemoryShortage { killed: Some(false), limit: limit.clone() });
    scripted.write("outer/inner/memory.oom_control", &control(1));
    let shortage = Memory::read(&scripted.groups()).since(&before);
    assert_eq!(shortage, MemoryShortage { killed: Some(true), limit });
    // The machine itself has too little: no limit was reached.
    scripted.write("outer/inner/memory.failcnt", "7\n");
    scripted.write("outer/memory.failcnt", "1\n");
    let shortage = Memory::read(&scripted.groups()).since(&before);
    assert_eq!(shortage, MemoryShortage { killed: Some(true), limit: None });
}

#[test]
fn where_nothing_is_shown_nothing_is_known() {
    let scripted = Scripted::new("group-none");
    let nothing = Memory::read(&scripted.groups());
    assert_eq!(nothing.since(&nothing), MemoryShortage { killed: None, limit: None });
    assert_eq!(Memory::read(&[]).since(&nothing), MemoryShortage { killed: None, limit: None });
    assert_eq!(smallest(scripted.groups(), "pids.max"), None);
}

#[test]
fn the_smallest_limit_of_processes_counts() {
    let scripted = Scripted::new("group-pids");
    scripted.write("pids.max", "30\n");
    scripted.write("outer/pids.max", "20\n");
    scripted.write("outer/inner/pids.max", "max\n");
    assert_eq!(smallest(scripted.groups(), "pids.max"), Some(scripted.limit("outer", 20)));
}

/// Reads this system: whatever it reports, nothing has happened between two readings right after each other.
#[test]
fn this_machine_can_be_read() {
    let before = Memory::now();
    assert_eq!(Memory::now().full.len(), before.full.len());
    assert!(most_processes().is_none_or(|limit| limit.most > 1));
}
