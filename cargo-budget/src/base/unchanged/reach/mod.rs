//! The third proof that something has not changed since the base: a workload reaches no code that differs.
//!
//! Both programs differ, but a workload may run only what is the same in both. Two questions are asked:
//!
//! - **Which functions differ?** Those whose machine code differs, that refer to constants of other content, or that only
//!   one revision has. Together with all functions from which direct calls lead to one of these, they are the watched
//!   functions. The object files of both links answer this.
//! - **Does the workload enter one of them?** A copy of each program has a breakpoint at the start of each watched
//!   function. The harness runs the workload once in each copy. A process that enters a watched function is ended by
//!   the breakpoint, and then the workload is measured.
//!
//! Calls through pointers are thus judged by what really runs, and direct calls by all that could run. A function that
//! starts another process is watched too, since the end of that process could go unnoticed. The only exception is the
//! function in which Criterion looks for gnuplot. Whatever cannot be proven is measured.
//!
//! In a program of Criterion's benchmarks, one chain of direct calls leads from `main` to all benchmarks. The chain is cut
//! where Criterion calls the benchmark whose name is asked for: see [`running`].

mod breakpoints;
mod digest;
mod names;
mod program;
mod running;
mod shape;
#[cfg(test)]
mod shape_tests;

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use self::names::Identity;
use self::program::Program;
use self::shape::{Shape, shapes};
use crate::links::Inputs;

/// The functions of the system that start a process.
const STARTERS: [&str; 19] = [
    "fork",
    "_Fork",
    "vfork",
    "forkpty",
    "daemon",
    "clone",
    "__clone",
    "clone3",
    "pidfd_spawn",
    "pidfd_spawnp",
    "wordexp",
    "execve",
    "execv",
    "execvp",
    "execvpe",
    "posix_spawn",
    "posix_spawnp",
    "system",
    "popen",
];

/// One revision's program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Linked<'a> {
    /// The program as it was linked.
    pub(super) binary: &'a Path,
    /// The files that it was linked from.
    pub(super) link: &'a Inputs,
    /// The directories from which the compiler named its sources.
    pub(super) starts: &'a [PathBuf],
}

/// Writes a copy of each program, the base's and this revision's, with breakpoints in the watched functions. Returns the
/// paths of the copies and the names of the functions that differ.
///
/// # Errors
/// Returns the reason why nothing can be proven in this way.
pub(super) fn watch(
    sides: [Linked<'_>; 2],
    place: &Path,
) -> Result<([PathBuf; 2], Vec<String>), String> {
    if sides[0].link.others != sides[1].link.others {
        return Err("the linker is given other arguments".to_owned());
    }
    let programs = [read_program(sides[0])?, read_program(sides[1])?];
    let shapes = shapes(programs.each_ref(), sides.map(|side| side.starts))?;
    let (differing, names) = differing(&shapes)?;
    let copies = ["base", "head"].map(|name| place.join(name));
    for (nth, copy) in copies.iter().enumerate() {
        breakpoints::copy(sides[nth].binary, copy, &watched(&shapes[nth], &differing[nth]))?;
    }
    Ok((copies, names))
}

/// Returns, for each program, the symbols of the functions that are not the same in both; and the names of these
/// functions as people know them.
fn differing([base, head]: &[Shape; 2]) -> Result<([BTreeSet<&str>; 2], Vec<String>), String> {
    if base.special != head.special {
        return Err(
            "what runs before `main`, or is found by the name of its section, differs".to_owned()
        );
    }
    let digests = |shape: &Shape, id: &Identity| Some(shape.functions.get(id)?.digests.clone());
    let all: BTreeSet<&Identity> = base.functions.keys().chain(head.functions.keys()).collect();
    let differing: Vec<&Identity> =
        all.into_iter().filter(|id| digests(base, id) != digests(head, id)).collect();
    let symbols = [base, head].map(|shape| {
        let alike = differing.iter().filter_map(|id| shape.functions.get(*id));
        alike.flat_map(|alike| alike.symbols.iter().map(String::as_str)).collect()
    });
    let names: BTreeSet<&str> = differing.iter().map(|id| id.name.as_str()).collect();
    let shown = |name: &str| format!("{:#}", rustc_demangle::demangle(name.trim_start()));
    Ok((symbols, names.into_iter().map(shown).collect()))
}

/// Names the first of the functions that differ, in brackets.
pub(super) fn list_first(differing: &[String]) -> String {
    const NAMED: usize = 3;
    const LONGEST: usize = 100;
    let shown = differing.iter().take(NAMED).map(|name| match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("`{}…`", &name[..end]),
        None => format!("`{name}`"),
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    match differing.len() {
        0 => String::new(),
        1..=NAMED => format!(" ({shown})"),
        several => format!(" ({shown} and {} more)", several - NAMED),
    }
}

/// Returns the functions to watch in a program: those that differ, those that start processes, and all from which direct
/// calls lead to one of these.
fn watched<'s>(shape: &'s Shape, differing: &BTreeSet<&'s str>) -> BTreeSet<&'s str> {
    let mut callers: HashMap<&str, Vec<&str>> = HashMap::new();
    for (caller, called) in &shape.calls {
        for name in called {
            callers.entry(name).or_default().push(caller);
        }
    }
    let mut watched = BTreeSet::new();
    let mut next: Vec<&str> = differing.iter().copied().collect();
    while let Some(name) = next.pop() {
        if watched.insert(name) {
            let is_entry = running::runs_benchmark(name);
            let is_watched = |caller: &&&str| !is_entry || running::runs_benchmark(caller);
            next.extend(callers.get(name).into_iter().flatten().filter(is_watched));
        }
    }
    // The callers of these functions need not be watched, because only these functions start a process.
    watched.extend(starters(shape, &callers));
    watched
}

/// Returns the functions in which a process can start: those that call the system for it. A program of Criterion looks for
/// gnuplot each time that it begins. In such a program, the functions are instead those that ask the standard library for a
/// process, except the one that looks for gnuplot.
fn starters<'s>(shape: &'s Shape, callers: &HashMap<&str, Vec<&'s str>>) -> BTreeSet<&'s str> {
    let callers_of = |name: &str| callers.get(name).into_iter().flatten().copied();
    let direct = STARTERS.iter().flat_map(|name| callers_of(name));
    if !shape.calls.keys().any(|name| running::looks_for_gnuplot(name)) {
        return direct.collect();
    }
    let (mut starters, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut next: Vec<&str> = direct.collect();
    while let Some(name) = next.pop() {
        if !seen.insert(name) || running::looks_for_gnuplot(name) {
            continue;
        }
        // The callers of a function that is called through a pointer are not known.
        if running::starts_for_others(name) && !shape.pointed.contains(name) {
            next.extend(callers_of(name));
        } else {
            starters.insert(name);
        }
    }
    starters
}

fn read_program(side: Linked<'_>) -> Result<Program, String> {
    let mut program = Program::default();
    for input in &side.link.files {
        let failed =
            |e: &dyn std::fmt::Display| format!("failed to read `{}`: {e}", input.display());
        let bytes = fs::read(input).map_err(|e| failed(&e))?;
        program.add(&bytes).map_err(|e| failed(&e))?;
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a program of functions, each with the digest of its code and the functions that it calls.
    fn shape_of(functions: &[(&str, u8, &[&str])]) -> Shape {
        let mut shape = Shape::default();
        for (name, digest, calls) in functions {
            let identity = Identity { name: (*name).to_owned(), body: None };
            let alike = shape.functions.entry(identity).or_default();
            alike.digests.insert([*digest; 32]);
            alike.symbols.insert((*name).to_owned());
            let own = shape.calls.entry((*name).to_owned()).or_default();
            own.extend(calls.iter().map(|call| (*call).to_owned()));
        }
        shape
    }

    #[test]
    fn a_function_that_differs_is_watched_with_all_its_callers() {
        let base = shape_of(&[
            ("main", 1, &["serve"]),
            ("serve", 1, &[]),
            ("work", 1, &["step"]),
            ("step", 1, &[]),
            ("gone", 1, &[]),
            ("run", 1, &["posix_spawnp"]),
            ("show", 1, &["run"]),
        ]);
        let head = shape_of(&[
            ("main", 1, &["serve"]),
            ("serve", 1, &[]),
            ("work", 1, &["step"]),
            ("step", 2, &[]),
            ("new", 1, &["step"]),
            ("run", 1, &["posix_spawnp"]),
            ("show", 1, &["run"]),
        ]);
        let shapes = [base, head];
        let (differing, names) = differing(&shapes).unwrap();
        assert!(differing[0].iter().eq(["gone", "step"].iter()));
        assert!(differing[1].iter().eq(["new", "step"].iter()));
        assert_eq!(names, ["gone", "new", "step"]);
        // A function that starts a process is watched itself, because nothing else starts one.
        assert!(
            watched(&shapes[0], &differing[0]).iter().eq(["gone", "run", "step", "work"].iter())
        );
        assert!(
            watched(&shapes[1], &differing[1]).iter().eq(["new", "run", "step", "work"].iter())
        );
    }

    #[test]
    fn only_the_process_by_which_criterion_looks_for_gnuplot_does_not_count() {
        const SPAWN: &str =
            "_RNvMNtNtNtNtCsjrHSEGnQ3l9_3std3sys7process4unix4unixNtNtB4_6common7Command5spawn";
        const GNUPLOT: &str = "_ZN14criterion_plot7version17h0eb59a20338f1f59E";
        // What the loop of Criterion contains is the code of a benchmark.
        const LOOP: &str = "_ZN9criterion7bencher16Bencher$LT$M$GT$4iter17h04afa217d6a7db1aE";
        let mut shape = shape_of(&[
            (SPAWN, 1, &["posix_spawnp"]),
            (GNUPLOT, 1, &[SPAWN]),
            ("main", 1, &[GNUPLOT]),
        ]);
        let check = |shape: &Shape, want: &[&str]| {
            let watched = watched(shape, &BTreeSet::new());
            assert!(watched.iter().eq(want), "{watched:?}");
        };
        check(&shape, &[]);
        for name in [LOOP, "own"] {
            shape.calls.insert(name.to_owned(), [SPAWN.to_owned()].into());
        }
        check(&shape, &[LOOP, "own"]);
        // A function that differs counts as reached by every function that could call it.
        shape.calls.insert("calls own".to_owned(), ["own".to_owned()].into());
        assert!(watched(&shape, &["own"].into()).contains("calls own"));
        // A function that has a pointer to the library's function can start a process through it.
        shape.pointed.insert(SPAWN.to_owned());
        check(&shape, &[SPAWN]);
        shape.pointed.clear();
        shape.calls.remove(GNUPLOT);
        check(&shape, &[SPAWN]);
    }

    #[test]
    fn the_functions_that_choose_a_benchmark_are_not_watched_for_a_difference_within_it() {
        const SAMPLE: &str = "_ZN9criterion7routine7Routine6sample17h0eb59a20338f1f59E";
        const BENCH: &str = "_ZN9criterion7routine8Function5bench17h0eb59a20338f1f59E";
        let shape = |step| {
            shape_of(&[
                ("main", 1, &["benches"]),
                ("benches", 1, &[SAMPLE, "other"]),
                (SAMPLE, 1, &[BENCH]),
                (BENCH, 1, &["closure"]),
                ("closure", 1, &["step"]),
                ("step", step, &[]),
            ])
        };
        let shapes = [shape(1), shape(2)];
        let (differing, _) = differing(&shapes).unwrap();
        let mut want = [SAMPLE, BENCH, "closure", "step"];
        want.sort_unstable();
        assert!(watched(&shapes[0], &differing[0]).iter().eq(want.iter()));
        // A function outside of any benchmark that calls the same function is watched, and so are its callers up to
        // `main`.
        let mut setting_up = shape(1);
        setting_up.calls.get_mut("benches").unwrap().insert("step".to_owned());
        assert!(watched(&setting_up, &differing[0]).contains("main"));
    }

    #[test]
    fn the_first_functions_that_differ_are_named() {
        let list = |names: &[&str]| {
            list_first(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(list(&[]), "");
        assert_eq!(list(&["kit::sum"]), " (`kit::sum`)");
        let long = "größe".repeat(40);
        let several = list(&["a", &long, "c", "d", "e"]);
        assert!(several.starts_with(" (`a`, `größe") && several.ends_with("…`, `c` and 2 more)"));
    }

    #[test]
    fn two_functions_of_one_name_are_compared_together() {
        let two = |first, second| shape_of(&[("local", first, &[]), ("local", second, &[])]);
        assert_eq!(differing(&[two(1, 2), two(1, 3)]).unwrap().1, ["local"]);
        assert_eq!(differing(&[two(1, 2), two(1, 2)]).unwrap().1, [""; 0]);
    }

    #[test]
    fn a_difference_in_a_special_section_rules_out_a_proof() {
        let mut early = shape_of(&[]);
        early.special.push((".init_array".to_owned(), [1; 32]));
        let mut other = shape_of(&[]);
        other.special.push((".init_array.00100".to_owned(), [1; 32]));
        assert!(differing(&[other, early]).unwrap_err().contains("before `main`"));
    }
}
