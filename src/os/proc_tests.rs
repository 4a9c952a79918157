//! Tests that our own parsers read texts of `/proc` as procfs-core reads them, and that procfs-core still refuses the
//! texts for which we have parsers. If a case below fails because procfs-core reads its text, our parser for it can go.

use procfs_core::process::{Schedstat, StatM, Status as ProcfsStatus};

use super::*;

fn read_own(file: &str) -> Vec<u8> {
    fs::read(format!("/proc/self/{file}")).unwrap()
}

#[test]
fn both_read_this_process_alike() {
    let statm = read_own("statm");
    let theirs = StatM::from_read(&statm[..]).unwrap().resident * kernel::page_size() as u64;
    assert_eq!(resident_in(&statm), theirs);
    let stat = read_own("stat");
    let theirs = Stat::from_read(&stat[..]).unwrap();
    assert_eq!(parent_in(&stat).map(i64::from), Some(theirs.ppid.into()));
    assert_eq!(had_children_in(&stat), theirs.cminflt != 0);
    if let Ok(schedstat) = fs::read("/proc/self/schedstat") {
        let theirs = Schedstat::from_read(&schedstat[..]).unwrap();
        assert_eq!(waited_in(&schedstat), Some(Duration::from_nanos(theirs.run_delay)));
    }
    let status = read_own("status");
    let theirs = ProcfsStatus::from_read(&status[..]).unwrap();
    let ours = Status(String::from_utf8(status).unwrap());
    assert_eq!(ours.number("VmHWM"), theirs.vmhwm);
    assert_eq!(ours.number("nonvoluntary_ctxt_switches"), theirs.nonvoluntary_ctxt_switches);
    // A process that has ended holds no memory.
    assert_eq!(ours.number("VmNone"), None);
}

/// A process is named after its file, whose name may be any bytes.
#[test]
fn procfs_refuses_a_name_that_is_not_utf8() {
    let status = read_own("status");
    let line = status.iter().position(|&byte| byte == b'\n').unwrap();
    let named = [b"Name:\t\xff\xfe", &status[line..]].concat();
    assert!(ProcfsStatus::from_read(&named[..]).is_err());
    let ours = Status(String::from_utf8_lossy(&named).into_owned());
    assert!(ours.number("VmRSS").is_some());
}

/// gVisor's status has no lines about signals.
#[test]
fn procfs_refuses_a_status_without_all_its_lines() {
    let text = "Name:\ttests\nState:\tR (running)\nTgid:\t1\nPid:\t1\nPPid:\t0\nTracerPid:\t0\nFDSize:\t4\n\
                VmSize:\t7000 kB\nVmRSS:\t5000 kB\nThreads:\t1\n";
    assert!(ProcfsStatus::from_read(text.as_bytes()).is_err());
    assert_eq!(Status(text.to_owned()).number("VmRSS"), Some(5000));
}

/// The report between processes has a place of fixed length for each file, so that the end of a long file is cut.
#[test]
fn procfs_refuses_a_file_that_was_cut() {
    assert!(StatM::from_read(&b"5000 1200 30"[..]).is_err());
    assert_eq!(resident_in(b"5000 1200 30"), 1200 * kernel::page_size() as u64);
    assert!(Schedstat::from_read(&b"700 41 "[..]).is_err());
    assert_eq!(waited_in(b"700 41 "), Some(Duration::from_nanos(41)));
    let cut = b"7 (a) b) S 3 7 7 0 -1 4194304 90 12 0";
    assert!(Stat::from_read(&cut[..]).is_err());
    assert_eq!((parent_in(cut), had_children_in(cut)), (Some(3), true));
}

#[test]
fn a_process_that_has_ended_has_no_parent() {
    assert_eq!(parent_in(b"7 (a) Z 3 7 7 0 -1"), None);
    assert_eq!(parent_in(b"7 (a"), None);
    assert_eq!(parent_in(b""), None);
}
