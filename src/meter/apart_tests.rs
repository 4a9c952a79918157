//! Tests that a small red of a time is not due to the one link of each side, where the sides are programs that differ.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use perf_budget_core::budget::{Bound, Reference, Target};
use perf_budget_core::enforce::scripted::{limit, rules};
use perf_budget_core::enforce::{Inquiry, Origin, PendingLimit};
use perf_budget_core::metric::{Key, Metric, Statistic};
use perf_budget_core::outcome::{Doubt, Outcome};
use perf_budget_core::reading::ProcessRun;
use perf_budget_core::verdict::Verdict;
use perf_budget_core::verdict::judge::Carried;

use super::{Apart, Coin, Source, Versus};

const WALL: Metric = Key::Wall.at(Statistic::P50);

/// One side: its program, the value of each of its runs, and how much of it was on a processor.
type Run = (PathBuf, f64, Option<f64>);

/// Two programs of one length in a directory of their own: the first and the second are equal, the third is not.
fn programs(name: &str) -> [PathBuf; 3] {
    let dir = std::env::temp_dir().join(format!("perf-budget-apart-{name}-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    [("one", "code"), ("same", "code"), ("other", "cod2")].map(|(name, text)| {
        let path = dir.join(name);
        fs::write(&path, text).unwrap();
        path
    })
}

fn remove(programs: &[PathBuf]) {
    fs::remove_dir_all(programs[0].parent().unwrap_or(Path::new(""))).unwrap();
}

/// Returns the outcome of a limit of 1.05 x base on this metric, for two sides of which every run is alike.
fn outcome(metric: &Metric, [subject, reference]: [&Run; 2]) -> Outcome {
    let side = |(program, value, on_processor): &Run| -> Box<dyn Source> {
        let process = ProcessRun {
            values: [(metric.clone(), *value)].into(),
            programs: vec![program.clone()],
            on_processor: *on_processor,
            elapsed: Duration::from_millis(100),
            ..ProcessRun::default()
        };
        Box::new(move || Ok(process.clone()))
    };
    let mut versus = Versus {
        subject: side(subject),
        reference: side(reference),
        metrics: vec![metric.clone()],
        coin: Coin::new(1),
        apart: Some(Apart::default()),
    };
    let target = Target::Relative { factor: 1.05, reference: Reference::Base };
    let limit = limit(metric.clone(), Bound::Max, target);
    let template = Outcome { metric: limit.metric.name(), ..Outcome::default() };
    let asked = PendingLimit { limit, template, carried: Carried::default(), unjudged: None };
    let mut inquiry = Inquiry::new(vec![asked], rules(), Origin::Measured);
    while !inquiry.is_done() {
        inquiry.add(versus.measure_process());
    }
    inquiry.outcomes()[0].clone()
}

#[track_caller]
fn check(outcome: &Outcome, verdict: Verdict, doubt: Option<Doubt>) {
    assert_eq!((outcome.verdict, outcome.doubt), (verdict, doubt), "{}", outcome.reason);
}

#[test]
fn a_small_red_of_two_programs_is_no_fail() {
    let programs = programs("small");
    let [one, same, other] = programs.clone();
    let cpu = Metric::from(Key::Cpu);
    let base = (one.clone(), 1.0, Some(1.0));
    for metric in [&WALL, &cpu] {
        let luck = outcome(metric, [&(other.clone(), 1.2, Some(1.2)), &base]);
        check(&luck, Verdict::Inconclusive, Some(Doubt::Layout));
        let words = "but with one link of each side: layout alone can make 25 %";
        assert!(luck.reason.ends_with(words), "{}", luck.reason);
        let larger = outcome(metric, [&(other.clone(), 1.4, Some(1.4)), &base]);
        check(&larger, Verdict::Fail, None);
        // In one program, functions lie alike on both sides.
        let equal = outcome(metric, [&(same.clone(), 1.2, Some(1.2)), &base]);
        check(&equal, Verdict::Fail, None);
        assert!(equal.notes.iter().all(|note| !note.contains("link")), "{:?}", equal.notes);
    }
    remove(&programs);
}

#[test]
fn layout_takes_no_part_of_what_a_command_waits() {
    let programs = programs("waits");
    let [one, _, other] = programs.clone();
    let base = |on_processor| (one.clone(), 1.0, on_processor);
    // It sleeps for a fifth longer: of a time on the processor of 3 % layout cannot make that.
    let sleeps = outcome(&WALL, [&(other.clone(), 1.2, Some(0.03)), &base(Some(0.03))]);
    check(&sleeps, Verdict::Fail, None);
    // A processor is busy for a part of it, and with several threads for more than all of it.
    let partly = outcome(&WALL, [&(other.clone(), 1.2, Some(0.4)), &base(Some(0.4))]);
    check(&partly, Verdict::Fail, None);
    let threads = outcome(&WALL, [&(other.clone(), 1.2, Some(3.0)), &base(Some(3.0))]);
    check(&threads, Verdict::Inconclusive, Some(Doubt::Layout));
    // Where it is not known, it counts as all of it.
    let unknown = outcome(&WALL, [&(other, 1.2, None), &base(None)]);
    check(&unknown, Verdict::Inconclusive, Some(Doubt::Layout));
    remove(&programs);
}

#[test]
fn counts_and_memory_of_two_programs_are_judged_as_before() {
    let programs = programs("counts");
    let [one, _, other] = programs.clone();
    for key in [Key::PeakRss, Key::PageFaults, Key::ContextSwitches] {
        let more = outcome(&key.into(), [&(other.clone(), 1.2e8, None), &(one.clone(), 1e8, None)]);
        check(&more, Verdict::Fail, None);
        assert!(more.notes.iter().all(|note| !note.contains("link")), "{:?}", more.notes);
    }
    remove(&programs);
}
