//! Tests of programs that print more than their list: their names are found, or the program is refused.

use super::tests::{MARKED, Place};
use super::*;
use crate::build::{ProgramResult, Step};

/// Returns the names of a program that prints `all` if it lists everything, and `nothing` if it lists nothing.
fn names(all: &str, nothing: &str) -> Result<Vec<String>, String> {
    let place = Place::new("beside");
    let bench = place.bench("kit", "sums", MARKED);
    let ask = |step: &Step| {
        let has = |argument: &str| step.args.iter().any(|own| own == argument);
        let help = "--sample-size --exact --quick";
        let stdout = if has("--help") {
            help
        } else if has("--") {
            nothing
        } else {
            all
        };
        Ok(ProgramResult { stdout: stdout.into(), ..ProgramResult::default() })
    };
    let benches = Benches { built: vec![bench], ..Benches::default() };
    let list = List::of(&benches, String::new(), None, &ask);
    match &list.faults[..] {
        [] => Ok(list.entries(Library::Criterion).into_iter().map(|entry| entry.name).collect()),
        [fault] => Err(fault.reason().text),
        several => panic!("{several:?}"),
    }
}

#[test]
fn what_a_program_prints_beside_its_list_is_no_name() {
    let check = |all: &str, nothing: &str, want: &[&str]| {
        assert_eq!(names(all, nothing).unwrap(), want, "{all:?} {nothing:?}");
    };
    check("a: benchmark\nb: bench\n", "", &["a", "b"]);
    check("a: benchmark\n\nb: benchmark\n\n", "", &["a", "b"]);
    check("loading\na: benchmark\nready\n", "loading\nready\n", &["a"]);
    // A line that looks like a name, and a name beside which the same line is printed.
    check("corpus: bench\na: benchmark\n", "corpus: bench\n", &["a"]);
    check("a: bench\na: bench\n", "a: bench\n", &["a"]);
    check("a: benchmark\ndone: benchmark\n", "done: benchmark\n", &["a"]);
    // A time differs from process to process.
    check("read 10 files in 1.25 ms\na: benchmark\n", "read 10 files in 0.9 ms\n", &["a"]);
}

#[test]
fn names_that_cannot_be_told_from_what_is_printed_are_refused() {
    let check = |all: &str, nothing: &str, why: &str| {
        let text = names(all, nothing).unwrap_err();
        assert!(text.starts_with("failed to list the benchmarks of `sums`: "), "{text}");
        assert!(text.contains(why), "{all:?} {nothing:?}: {text}");
    };
    let unclear = "it prints more than its list";
    // The beginning of the line in which a name is.
    check("loading a: benchmark\nloading b: benchmark\n", "loading loading ", unclear);
    check("1 a: benchmark\n2 b: benchmark\ndone\n", "1 2 done\n", unclear);
    check("x\na: benchmark\n", "y\n", unclear);
    check("a: benchmark\nb\n", "", unclear);
    // A line that may be a name must be the same, with its figures.
    check("corpus 1: bench\na: benchmark\n", "corpus 2: bench\n", unclear);
    check("a: benchmark\n", "a: benchmark\n", "even where another one is asked for");
}
