//! Tests of how a benchmark is run that takes long: with `--quick`, unless it only waits for a processor. The programs are scripts.

use super::runs::BenchmarkRuns;
use super::tests::{Place, mean};
#[cfg(target_os = "linux")]
use crate::exec::{Child, Launch};
use crate::meter::Source;
#[cfg(target_os = "linux")]
use crate::os::affinity::Pin;

/// Measures one process of a benchmark that may be run with `--quick`, and returns the notes on it.
fn notes_of_process(place: &Place) -> Vec<String> {
    let side = place.side("sums", "a", "--exact --quick");
    let mut runs = BenchmarkRuns::new(side, false, place.terms(vec![mean()]));
    runs.measure_process().unwrap().notes
}

#[test]
fn a_benchmark_that_sets_its_own_times_is_run_quickly() {
    let place = Place::new(
        "slow",
        "case \"$*\" in *--quick*) ;; *) sleep 600;; esac; record \"$name\" 300",
    );
    let notes = notes_of_process(&place);
    assert!(notes.iter().any(|note| note.contains("with `--quick`")), "{notes:?}");
}

/// A process that waits for a processor takes long by the clock alone.
#[cfg(target_os = "linux")]
#[test]
fn a_busy_machine_is_not_taken_for_times_that_a_benchmark_sets() {
    // It goes on until it has waited for 2.5 s, and so takes longer than the 2 s which the second of `--quick` leaves it.
    let busy = "case \"$*\" in *--quick*) sleep 1;; *) waited=0; while [ $waited -lt 2500000000 ]; do \
                read -r _ waited _ < /proc/self/schedstat; done;; esac; record \"$name\" 300";
    let place = Place::new("busy", busy);
    if crate::os::proc::waited(std::process::id()).is_none() {
        return;
    }
    let _pin = Pin::to_nth(0);
    let spins = |_| {
        let mut launch = Launch::new("sh");
        launch.args = ["-c", "while :; do :; done"].map(Into::into).into();
        Child::spawn(&launch).unwrap()
    };
    let _others: Vec<Child> = (0..5).map(spins).collect();
    let notes = notes_of_process(&place);
    assert!(notes.iter().all(|note| !note.contains("--quick")), "{notes:?}");
}

#[test]
fn a_benchmark_of_long_iterations_is_not_said_to_set_its_own_times() {
    let place = Place::new(
        "iterations",
        "case \"$*\" in *--quick*) ;; *) sleep 600;; esac; record \"$name\" 30000000",
    );
    let notes = notes_of_process(&place);
    assert!(notes.iter().any(|note| note.contains("since one iteration takes long")), "{notes:?}");
}
