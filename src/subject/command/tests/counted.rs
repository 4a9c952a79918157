//! Tests of what the system counts of a command: page faults, and bytes read and written.

use super::*;

const COUNTED: [Key; 4] = [Key::PageFaults, Key::MajorFaults, Key::ReadBytes, Key::WrittenBytes];

fn values(command: &Command) -> [f64; 4] {
    let metrics = COUNTED.map(Metric::from);
    let process = measured(command, &metrics);
    metrics.map(|metric| process.values[&metric])
}

/// The bytes are the same in every run, whoever starts the command.
#[test]
fn bytes_are_exact() {
    // `status=none` is needed, since the text that `dd` prints about itself has another length each time.
    let write = |bytes: &str| {
        command(&["dd", "if=/dev/zero", "of=/dev/null", "bs=1000", "status=none", bytes])
    };
    let [_, _, read, written] = values(&write("count=3"));
    assert_eq!(values(&write("count=3"))[2..], [read, written]);
    let [_, _, more_read, more_written] = values(&write("count=8"));
    assert_eq!((more_read - read) as u64, 5000);
    assert_eq!((more_written - written) as u64, 5000);
    assert_eq!(values(&command(&["true"]))[3] as u64, 0);
}

/// A child that was waited for counts, as it does for processor time.
#[test]
fn children_that_are_waited_for_count() {
    let write = |count: usize| sh(&format!("head -c {count} /dev/zero | cat > /dev/null; true"));
    let difference = values(&write(300_000))[3] - values(&write(100_000))[3];
    assert_eq!(difference as u64, 2 * 200_000);
}

/// Ten megabytes are 2560 pages of 4 KiB. Another machine may have pages of another size.
#[test]
fn faults_are_those_of_the_program() {
    let touches = |bytes: usize| {
        let script = format!(
            "import mmap; m = mmap.mmap(-1, {bytes}, mmap.MAP_PRIVATE)\nfor i in range(0, {bytes}, 4096): m[i] = 1"
        );
        values(&command(&["python3", "-c", &script]))[0]
    };
    let (small, large) = (touches(1 << 12), touches(10 << 20));
    assert!(large - small > 100.0, "{small} {large}");
    // The page faults of the relay's copy before the program was loaded are subtracted.
    let [faults, major, ..] = values(&command(&["true"]));
    assert!((1.0..1000.0).contains(&faults) && major <= faults, "{faults} {major}");
}

/// A server that is ended when it is ready has these counts too.
#[test]
fn a_command_with_a_signal_has_these_counts() {
    let command = sh("head -c 70000 /dev/zero; echo up; exec sleep 60");
    let command = Command { ready: text("up"), ..command };
    let [faults, _, read, written] = values(&command);
    assert!(faults > 0.0 && read > 1000.0, "{faults} {read}");
    assert_eq!(written as u64, 70_003);
}
