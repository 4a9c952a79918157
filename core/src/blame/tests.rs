//! Tests with two profiles: which function is to blame for the difference.

use crate::callgrind::{Call, Function};
use crate::outcome::{Blame, Change, words};

use super::*;

/// A function: the chain of callers, the cost, and calls of other functions by their index.
type Row<'a> = (&'a str, u64, &'a [(usize, u64)]);

fn profile(functions: &[Row<'_>]) -> Profile {
    let function = |&(name, cost, calls): &Row<'_>| Function {
        name: name.to_owned(),
        cost,
        calls: calls.iter().map(|&(to, count)| Call { to, at: 0, count, cost: 0 }).collect(),
        ..Function::default()
    };
    let functions = functions.iter().map(function).collect();
    Profile { creator: "callgrind-3.19.0".to_owned(), system_calls: Some(2), functions }
}

fn own() -> BTreeSet<String> {
    BTreeSet::from(["work".to_owned()])
}

fn before() -> Profile {
    profile(&[
        ("work::merge", 1000, &[(1, 10)]),
        ("work::decode::h0123456789abcdef'work::merge", 2000, &[]),
        ("malloc'work::decode'work::merge", 500, &[]),
        ("<alloc::vec::Vec<T> as core::ops::Drop>::drop'work::merge", 100, &[]),
    ])
}

fn now() -> Profile {
    profile(&[
        ("work::merge", 1000, &[(1, 21)]),
        ("work::decode::hfedcba9876543210'work::merge", 4200, &[]),
        ("malloc'work::decode'work::merge", 1050, &[]),
        ("<alloc::vec::Vec<T> as core::ops::Drop>::drop'work::merge", 100, &[]),
    ])
}

#[test]
fn foreign_code_belongs_to_the_function_of_the_project_that_runs_it() {
    let blame = compare(Some(&[before(), before()]), &[now()], &own());
    assert_eq!((blame.before, blame.now), (Some(3600.0), 6350.0));
    let first = &blame.functions[0];
    assert_eq!((first.name.as_str(), first.own.by()), ("work::decode", 2750.0));
    assert_eq!(first.parts[0], (String::new(), Change { before: 2000.0, now: 4200.0 }));
    assert_eq!(first.parts[1], ("malloc".to_owned(), Change { before: 500.0, now: 1050.0 }));
    assert_eq!(first.caller.as_deref(), Some("work::merge"));
    assert_eq!(blame.functions[1].own, Change { before: 1100.0, now: 1100.0 });
    assert_eq!(blame.functions[1].inclusive, Change { before: 3600.0, now: 6350.0 });
    assert!(!blame.is_same());
    let lines = words::blame(&blame);
    assert_eq!(
        lines,
        [
            "3.60 k -> 6.35 k instructions (+76.4 %), by callgrind 3.19.0 in 0.0 s",
            "+2.75 k work::decode  (called 2.10 x as often, from work::merge; of it itself +2.20 k, malloc +550)",
            "inlined functions are counted in their callers: with `debug = \"line-tables-only\"` in the profile \
             (`[profile.release]`) they are named",
        ]
    );
}

#[test]
fn equal_instructions_are_reported_as_equal() {
    let blame = compare(Some(&[before()]), &[before()], &own());
    assert!(blame.is_same());
    let check = |blame: &Blame, words: &str| {
        let lines = words::blame(blame);
        assert!(lines[0].ends_with(&format!(" s: {words}")), "{lines:?}");
        lines
    };
    // No count shows where the time is spent.
    assert_eq!(check(&blame, "waiting, memory or caches are left").len(), 1);
    let layout = Blame { is_layout: true, ..blame.clone() };
    assert_eq!(check(&layout, "link order or memory layout").len(), 1);
    let calls = Some(Change { before: 2.0, now: 3.0 });
    let other = Blame { system_calls: calls, ..blame };
    let lines = check(&other, "what its system calls do, waiting, memory or caches are left");
    assert_eq!(lines[1..], ["2 -> 3 system calls of one operation"]);
    assert_eq!(other.same_system_calls(), Some(false));
}

#[test]
fn without_a_reference_it_says_where_the_instructions_are() {
    let blame = compare(None, &[now()], &own());
    let lines = words::blame(&blame);
    assert_eq!(lines[0], "6.35 k instructions now, by callgrind 3.19.0 in 0.0 s");
    assert!(lines[1].starts_with("83 % work::decode"), "{lines:?}");
}

#[test]
fn a_stripped_binary_is_recognized() {
    let nameless = profile(&[("0x0000000000001234", 900, &[]), ("malloc", 100, &[])]);
    let lines = words::blame(&compare(Some(&[before()]), &[nameless], &own()));
    assert!(lines[1].contains("90 %") && lines[1].contains("strip = false"), "{lines:?}");
    // Neither an address nor the C library is named in its place.
    assert_eq!(lines.len(), 2, "{lines:?}");
    let below = profile(&[("malloc'0x0000000000001234'(below main)", 1000, &[])]);
    let blame = compare(Some(&[below]), &[before()], &own());
    assert!(blame.nameless > 0.99 && words::blame(&blame).len() == 2, "{blame:?}");
}

#[test]
fn foreign_costs_belong_to_the_function_of_the_dependency() {
    let with_cost = |cost| {
        profile(&[
            ("work::merge", 10, &[]),
            (
                "_int_free'free'core::ptr::drop_in_place'json::format'json::write'work::merge",
                cost,
                &[],
            ),
            ("sip::hash'hashbrown::map::insert'work::merge", 7, &[]),
        ])
    };
    let blame = compare(Some(&[with_cost(100)]), &[with_cost(300)], &own());
    let parts: Vec<_> =
        blame.functions[0].parts.iter().map(|(name, by)| (name.as_str(), by.by())).collect();
    assert_eq!(parts, [("json::format", 200.0), ("", 0.0), ("sip::hash", 0.0)]);
}

/// A task that waits more often runs mostly code of the runtime, which no function of the project has called.
#[test]
fn a_function_of_the_project_is_named_before_the_runtime_that_it_keeps_busy() {
    let with_costs = |load, parse, run, queue| {
        profile(&[
            ("work::load::{closure}'tokio::poll", load, &[]),
            ("work::parse", parse, &[]),
            ("tokio::Context::run", run, &[]),
            ("tokio::queue::push'tokio::Context::run", queue, &[]),
        ])
    };
    let names = |before, now: Profile| -> Vec<String> {
        let blame = compare(before, &[now], &own());
        blame.functions.into_iter().map(|function| function.name).collect()
    };
    let before = with_costs(100, 500, 1000, 400);
    let now = with_costs(500, 490, 9000, 2400);
    let runtime = ["tokio::Context::run", "tokio::queue::push"];
    let all = [&["work::load::{closure}"][..], &runtime, &["work::parse"]].concat();
    assert_eq!(names(Some(std::slice::from_ref(&before)), now), all);
    // A function that changes by less than a hundredth of the whole does not come first.
    let now = with_costs(190, 500, 9000, 2400);
    let small = [&runtime[..], &["work::load::{closure}", "work::parse"]].concat();
    assert_eq!(names(Some(std::slice::from_ref(&before)), now), small);
    // A function of the project that costs less does not explain why the whole costs more.
    let now = with_costs(100, 300, 9000, 400);
    assert_eq!(names(Some(std::slice::from_ref(&before)), now)[..2], [runtime[0], "work::parse"]);
    // Without a reference the order is that of the instructions.
    assert_eq!(names(None, before.clone())[0], runtime[0]);
}

#[test]
fn places_that_allocate_are_named_by_their_bytes_where_memory_is_red() {
    const COUNT: &str = "perf_budget::instrument::heap::count::h0123456789abcdef";
    let alloc = |by: &str| format!("__rustc::__rust_alloc'{by}");
    let count = |by: &str| format!("{COUNT}'{}", alloc(by));
    let bit = |bit: u32, by: &str| {
        format!("perf_budget::instrument::marked::bit_{bit}::h0123456789abcdef'{}", count(by))
    };
    let (often, rarely) = ("work::often", "work::rarely");
    let side = |times: u64, large: u32| {
        profile(&[
            (often, 1000, &[(2, times)]),
            (rarely, 50, &[(3, 1)]),
            (&alloc(often), 100, &[(4, times)]),
            (&alloc(rarely), 10, &[(5, 1)]),
            (&count(often), 900, &[(6, times), (7, times)]),
            (&count(rarely), 9, &[(8, 1)]),
            (&bit(3, often), 180, &[]),
            (&bit(4, often), 180, &[]),
            (&bit(large, rarely), 2, &[]),
        ])
    };
    let mut blame = compare(None, &[side(90, 20)], &own());
    let whole = Change { before: 0.0, now: blame.now };
    assert_eq!(
        whole,
        Change { before: 0.0, now: 1160.0 },
        "functions that tell sizes are left out"
    );
    assert_eq!(blame.allocations, Some(Change { before: 0.0, now: 91.0 }));
    assert_eq!(blame.allocated, Some(Change { before: 0.0, now: 1_050_736.0 }));
    blame.is_of_memory = true;
    // A number of allocations is explained by the place that allocates often.
    let lines = words::blame(&blame);
    assert_eq!(lines[0], "91 allocations of one operation, counted by callgrind 3.19.0");
    assert_eq!(lines[1], "90 in work::often  (2.16 KB)");
    blame.explain_bytes();
    let lines = words::blame(&blame);
    let whole =
        "1.05 MB allocated by one operation, freed again or not, counted by callgrind 3.19.0";
    assert_eq!(lines[0], whole);
    assert_eq!(lines[1], "1.05 MB in work::rarely  (in 1 allocation)");
    assert_eq!(lines[2], "2.16 KB in work::often  (in 90 allocations)");

    // The size of what C allocates is not known.
    let in_c = blame.sites.iter_mut().find(|site| site.name == "work::often").unwrap();
    in_c.bytes = None;
    let lines = words::blame(&blame);
    assert_eq!(lines[2], "an unknown size in work::often  (in 90 allocations)");

    // There are as many allocations as before, and they are larger.
    let mut blame = compare(Some(&[side(90, 19)]), &[side(90, 20)], &own());
    blame.is_of_memory = true;
    let left = "at the same places, counted by callgrind 3.19.0: only their sizes differ, or how long they live";
    assert_eq!(words::blame(&blame)[0], format!("the same 91 allocations {left}"));
    blame.explain_bytes();
    let lines = words::blame(&blame);
    assert!(
        lines[0].starts_with("526 KB -> 1.05 MB allocated by one operation, freed"),
        "{lines:?}"
    );
    assert!(
        lines[1].starts_with("+524 KB in work::rarely  (524 KB -> 1.05 MB, in 1 "),
        "{lines:?}"
    );
    // An older release at the base tells no sizes.
    let silent = profile(&[(often, 1000, &[(1, 90)]), (&alloc(often), 100, &[])]);
    let mut blame = compare(Some(&[silent]), &[side(90, 20)], &own());
    assert_eq!((blame.allocated, blame.sites[0].bytes), (None, None));
    blame.is_of_memory = true;
    blame.explain_bytes();
    let lines = words::blame(&blame);
    assert_eq!(lines[1], "+1 in work::rarely  (0 -> 1)");
    assert!(lines.iter().any(|line| line.contains("`perf_budget::Heap`")), "{lines:?}");
}

/// Without a function of its own, an operation is part of the function of this library that calls it, and what it calls is its own.
#[test]
fn an_operation_that_was_inlined_into_the_measuring_function_is_the_projects() {
    let closure = "perf_budget::run::methods::<impl perf_budget::run::Run>::iter::{{closure}}";
    let bencher = "criterion::bencher::Bencher<M>::iter::h0123456789abcdef";
    let profiled = |name: &str, own_cost: u64, other: u64| {
        let (below, moved) = (format!("malloc'{name}"), format!("work::merge'{name}"));
        profile(&[(name, own_cost, &[]), (&below, own_cost / 10, &[]), (&moved, other, &[])])
    };
    for (name, shown) in
        [(closure, "the closure of the operation"), (bencher, "criterion::bencher::Bencher::iter")]
    {
        let (was, is) = (profiled(name, 1000, 5000), profiled(name, 3000, 5100));
        let blame = compare(Some(&[was]), &[is], &own());
        let first = &blame.functions[0];
        assert_eq!((first.name.as_str(), first.own.by()), (shown, 2200.0), "{blame:#?}");
        assert_eq!(first.parts[1].0, "malloc");
        assert_eq!(blame.functions[1].name, "work::merge");
        let calls = blame.calls.as_ref().unwrap();
        let frames = calls.frames.iter().map(|frame| (frame.depth, calls.name(frame)));
        assert!(
            frames.clone().any(|frame| frame == (1, "malloc")),
            "{:?}",
            frames.collect::<Vec<_>>()
        );
    }
}
