//! Tests of the format of `outcomes.jsonl`, of reading lines of other versions, and of damaged lines.

use super::*;
use crate::budget::Bound;
use crate::exact::frozen::{frozen, refused};
use crate::outcome::noise::{Clock, StallShare};
use crate::outcome::{Doubt, Effect, Estimate};
use crate::quantity::Unit;
use crate::verdict::Verdict;

/// A deterministic limit that passes.
const PASS: &str = r#"{"test":"module::gzip","budget":"module","case":"","metric":"gzip","subject":"pkg/app.wasm","verdict":"pass","reason":"97.3 KB of 100 KB","against":{"bound":"max","limit":100000.0,"warn":90000.0,"tolerance":0.0,"unit":"B"},"relative_to":null,"estimate":{"value":97300.0,"low":null,"high":null},"evidence":null,"shape":null,"doubt":null,"inconclusive":"warn","noise":null,"cause":null,"output":null,"notes":[],"accepted":{"value":97100.0,"low":null,"high":null,"unit":"B","date":"2026-11-01","commit":null,"elsewhere":null,"factor":1.02},"waived":null,"why":"phones","file":"budgets.toml","line":7,"seconds":0.012,"run":{"id":"1-2","began":1780000000,"tests":3,"budgets":2,"profile":"release","platform":"linux x86_64","processor":"A \"chip\"","cores":2,"version":"0.1.0","package":"kit","commit":"a1b2c3d"}}"#;

/// A limit on a time against the base that fails, with a waiver that has expired.
const FAIL: &str = r#"{"test":"sort::n=10::mean::x_base","budget":"sort","case":"n=10","metric":"mean","subject":"sort","verdict":"fail","reason":"1.31 x base","against":{"bound":"max","limit":1.03,"warn":1.02,"tolerance":0.010000000000000009,"unit":"ratio"},"relative_to":"base","estimate":{"value":1.3100000000000003,"low":1.29,"high":1.3333333333333333},"evidence":{"fail":9.210340371976182,"fail_at":7.600902459542082,"pass":-4.0,"pass_at":2.995732273553991,"detectable":1.07,"processes":6,"values":600,"waited":0.003,"preempted":4},"shape":{"of":"pairs","quantiles":[["p50",1.31],["max",1.4]],"bars":[{"low":1.2,"high":1.4,"count":600}]},"doubt":"noise","inconclusive":"fail","noise":{"outside":0.02,"steal":null,"pressure":{"cpu":0.01,"memory":null,"io":0.0},"throttled":0.0,"throttled_periods":0,"waited":0.003,"preempted":1.5,"clock":"less-waiting","pinned":"processor 1","processes":6},"cause":null,"output":null,"notes":["interleaved"],"accepted":null,"waived":{"until":"2026-12-31","owner":"ada","why":"to be mended","effect":"expired"},"why":null,"file":"budgets.toml","line":12,"seconds":1.25,"run":{"id":"1-2","began":1780000000,"tests":3,"budgets":2,"profile":"release","platform":"linux x86_64","processor":"","cores":2,"version":"0.1.0","package":"","commit":null}}"#;

/// A limit that could not be measured.
const UNMEASURED: &str = r#"{"test":"app::wall_p50","budget":"app","case":"","metric":"wall_p50","subject":"app --help","verdict":"unmeasured","reason":"`app` was ended by SIGSEGV","against":null,"relative_to":null,"estimate":null,"evidence":null,"shape":null,"doubt":null,"inconclusive":"warn","noise":null,"cause":"crashed","output":"line\n\u001b[31mred\tü","notes":[],"accepted":null,"waived":null,"why":null,"file":"","line":0,"seconds":0.0,"run":{"id":"","began":0,"tests":0,"budgets":0,"profile":"","platform":"","processor":"","cores":0,"version":"","package":"","commit":null}}"#;

#[test]
fn the_format_of_a_line_stays_the_same() {
    let pass: Outcome = frozen(PASS);
    assert_eq!(pass.estimate, Some(Estimate { value: 97_300.0, low: None, high: None }));
    let accepted = pass.accepted.unwrap();
    assert_eq!((accepted.date.to_string().as_str(), accepted.unit), ("2026-11-01", Unit::Bytes));

    let fail: Outcome = frozen(FAIL);
    let against = fail.against.unwrap();
    assert_eq!((against.bound, against.tolerance), (Bound::Max, 1.03 - 1.02));
    assert_eq!(fail.estimate.unwrap().high, Some(4.0 / 3.0));
    assert_eq!((fail.verdict, fail.doubt), (Verdict::Fail, Some(Doubt::Noise)));
    assert_eq!(fail.noise.unwrap().clock, Some(Clock::LessWaiting));
    assert_eq!(fail.waived.unwrap().effect, Effect::Expired);

    let none: Outcome = frozen(UNMEASURED);
    assert_eq!(none.output.as_deref(), Some("line\n\u{1b}[31mred\tü"));
}

#[test]
fn only_a_limit_that_is_proven_has_a_proof() {
    let line = FAIL.replace(
        r#""cause":null"#,
        r#""proven":{"by":"sections","commit":"0123456789abcdef"},"cause":null"#,
    );
    let proven = frozen::<Outcome>(&line).proven.unwrap();
    assert_eq!(proven.describe(), "it runs the same machine code as at 0123456789ab");
    assert_eq!(frozen::<Outcome>(FAIL).proven, None);
}

#[test]
fn a_ratio_has_both_sides_and_a_run_its_base() {
    let line = FAIL
        .replace(
            r#""doubt":"noise""#,
            r#""sides":{"unit":"s","subject":{"value":0.0131,"bars":[{"low":0.01,"high":0.02,"count":6}]},"reference":{"value":0.01,"bars":[]}},"doubt":"noise""#,
        )
        .replace(
            r#""commit":null"#,
            r#""commit":null,"branch":"topic","base":{"name":"main","commit":"0123456789abcdef"}"#,
        );
    let outcome: Outcome = frozen(&line);
    let sides = outcome.sides.unwrap();
    assert_eq!((sides.unit, sides.reference.bars.len()), (Unit::Seconds, 0));
    assert_eq!(outcome.run.base.unwrap().short_name(), "main");
    assert_eq!(frozen::<Outcome>(FAIL).sides, None);
}

#[test]
fn a_line_of_another_version_is_read() {
    let changed = [
        (r#","package":"","commit":null"#, ""),
        (r#","pressure":{"cpu":0.01,"memory":null,"io":0.0}"#, ""),
        (r#","processes":6},"cause""#, r#"},"cause""#),
        (r#""relative_to":"base","#, ""),
        (r#""doubt":"noise","#, r#""new":{"deep":[1.5,"x"]},"#),
    ];
    let old = changed.into_iter().fold(FAIL.to_owned(), |line, (from, to)| {
        assert!(line.contains(from), "{from}");
        line.replace(from, to)
    });
    let read: Outcome = crate::exact::read(old.as_bytes()).unwrap();
    assert_eq!((read.relative_to, read.doubt), (None, None));
    assert_eq!((read.run.package.as_str(), read.run.commit), ("", None));
    let noise = read.noise.unwrap();
    assert_eq!((noise.pressure, noise.processes), (StallShare::default(), 0));
}

/// Before version 0.1 some fields had other names, and a limit that could not be settled was red.
#[test]
fn a_line_in_older_words_is_read() {
    let changed = [
        (r#""verdict":"fail""#, r#""verdict":"unsure""#),
        (r#""doubt":"noise","inconclusive":"fail","noise""#, r#""doubt":"blind","ledger""#),
        (r#""tolerance""#, r#""slack""#),
        (r#""processes""#, r#""forks""#),
        (r#","budgets":2"#, ""),
    ];
    let old = changed.into_iter().fold(FAIL.to_owned(), |line, (from, to)| {
        assert!(line.contains(from), "{from}");
        line.replace(from, to)
    });
    let read: Outcome = crate::exact::read(old.as_bytes()).unwrap();
    assert_eq!((read.verdict, read.doubt), (Verdict::Inconclusive, Some(Doubt::Underpowered)));
    assert!(read.is_red() && read.noise.is_some());
    assert_eq!((read.evidence.unwrap().processes, read.run.budgets), (6, 0));
    let near: Outcome =
        crate::exact::read(old.replace(r#""blind""#, r#""near""#).as_bytes()).unwrap();
    assert_eq!(near.doubt, Some(Doubt::NearLimit));
    // The line is written anew with the names of today.
    assert!(frozen_words(&read));
}

fn frozen_words(outcome: &Outcome) -> bool {
    let line = serde_json::to_string(outcome).unwrap();
    ["slack", "forks", "ledger", "unsure", "blind"].iter().all(|old| !line.contains(old))
}

#[test]
fn a_line_that_is_not_an_outcome_is_refused_with_the_reason() {
    #[track_caller]
    fn check(line: &str, want: &str) {
        let why = refused::<Outcome>(line);
        assert!(why.contains(want), "{why}");
    }
    check("{}", "`test`");
    check(&PASS.replace(r#""line":7,"#, ""), "`line`");
    check(&PASS.replace(r#""verdict":"pass""#, r#""verdict":"fine""#), "fine");
    check(&PASS.replace("2026-11-01", "2026-02-30"), "2026-02-30");
    check(&PASS.replace(r#""line":7"#, r#""line":-7"#), "-7");
    check(&PASS.replace(r#""seconds":0.012"#, r#""seconds":null"#), "null");
    check(&PASS[..PASS.len() - 1], "EOF");
    refused::<Outcome>("7");
}

#[test]
fn the_message_names_the_file_the_line_and_the_remedy() {
    let path = std::env::temp_dir().join(format!("perf-budget-record-{}", std::process::id()));
    std::fs::write(&path, format!("{PASS}\n\n{UNMEASURED}\n")).unwrap();
    assert_eq!(read(&path).unwrap().outcomes.len(), 2);
    std::fs::write(&path, format!("{PASS}\n\n{{\"test\":7}}\n")).unwrap();
    let why = read(&path).unwrap_err().to_string();
    assert!(
        why.starts_with(&format!(
            "failed to read `{}`: line 3 is not an outcome: ",
            path.display()
        )),
        "{why}"
    );
    assert!(why.ends_with("; remove the line"), "{why}");
    std::fs::remove_file(&path).unwrap();
}

/// The line with which a process begins: it runs one test, and a filter left out another.
const BEGUN: &str = r#"{"begun":[{"test":"module::gzip","budget":"module","case":"","metric":"gzip","subject":"pkg/app.wasm","line":7}],"filtered":1,"ignored":0,"shared":false,"file":"budgets.toml","run":{"id":"1-2","began":1780000000,"tests":3,"budgets":2,"profile":"release","platform":"linux x86_64","processor":"","cores":2,"version":"0.1.0","package":"kit","target":"budgets","checkout":"0123456789abcdef","commit":null}}"#;

#[test]
fn the_format_of_a_beginning_stays_the_same() {
    let begun: Begun = frozen(BEGUN);
    assert_eq!((begun.begun[0].test.as_str(), begun.filtered), ("module::gzip", 1));
    assert_eq!((begun.run.target.as_str(), begun.run.cores), ("budgets", 2));
}

/// A record in a file of its own.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let name = format!("perf-budget-record-{name}-{}.jsonl", std::process::id());
        Scratch(std::env::temp_dir().join(name))
    }

    fn write(&self, text: &str) -> Record {
        std::fs::write(&self.0, text).unwrap();
        read(&self.0).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
        let _ = std::fs::remove_file(older_file(&self.0));
    }
}

/// Returns an outcome of this test in this run.
fn outcome(test: &str, run: &str) -> Outcome {
    let run = Run { id: run.to_owned(), ..Run::default() };
    Outcome { test: test.to_owned(), verdict: Verdict::Pass, run, ..Outcome::default() }
}

/// Returns the beginning of a process of this run that selects these tests.
fn beginning(tests: &[&str], run: &str) -> Begun {
    let test = |test: &&str| Test { test: (*test).to_owned(), ..Test::default() };
    let run = Run { id: run.to_owned(), ..Run::default() };
    Begun { begun: tests.iter().map(test).collect(), run, ..Begun::default() }
}

fn verdicts(record: &Record) -> Vec<(&str, Verdict)> {
    record.outcomes.iter().map(|outcome| (outcome.test.as_str(), outcome.verdict)).collect()
}

#[test]
fn a_test_that_began_and_has_no_outcome_is_red() {
    let scratch = Scratch::new("lost");
    begin(&scratch.0, &beginning(&["a::p50", "a::p99"], "first")).unwrap();
    append(&scratch.0, &outcome("a::p50", "first")).unwrap();
    begin(&scratch.0, &beginning(&["a::p99"], "second")).unwrap();
    append(&scratch.0, &outcome("a::p99", "second")).unwrap();
    let record = read(&scratch.0).unwrap();
    let want =
        [("a::p99", Verdict::Unmeasured), ("a::p50", Verdict::Pass), ("a::p99", Verdict::Pass)];
    assert_eq!(verdicts(&record), want);
    assert_eq!(record.begun.len(), 2);
    assert!(record.outcomes[0].reason.contains("no outcome of this test"));

    // Nextest tries a red test again in another process.
    std::fs::remove_file(&scratch.0).unwrap();
    for _ in 0..2 {
        begin(&scratch.0, &beginning(&["a::p50"], "third")).unwrap();
    }
    assert_eq!(verdicts(&read(&scratch.0).unwrap()), [("a::p50", Verdict::Unmeasured)]);
}

#[test]
fn a_line_that_was_cut_off_spoils_no_other() {
    let scratch = Scratch::new("cut");
    begin(&scratch.0, &beginning(&["a::p50", "a::p99"], "first")).unwrap();
    append(&scratch.0, &outcome("a::p50", "first")).unwrap();
    append(&scratch.0, &outcome("a::p99", "first")).unwrap();
    let text = std::fs::read_to_string(&scratch.0).unwrap();
    let record = scratch.write(&text[..text.len() - 30]);
    let lost = [("a::p99", Verdict::Unmeasured), ("a::p50", Verdict::Pass)];
    assert_eq!((verdicts(&record), &record.damaged[..]), (lost.to_vec(), &[3][..]));
    begin(&scratch.0, &beginning(&["b::p50"], "second")).unwrap();
    append(&scratch.0, &outcome("b::p50", "second")).unwrap();
    let record = read(&scratch.0).unwrap();
    assert_eq!((record.outcomes.len(), &record.damaged[..]), (3, &[3][..]));
    // A line may end within a character.
    let mut bytes = text.clone().into_bytes();
    bytes.truncate(bytes.len() - 30);
    bytes.push("ü".as_bytes()[0]);
    std::fs::write(&scratch.0, bytes).unwrap();
    assert_eq!(read(&scratch.0).unwrap().damaged, [3]);
}

/// A damaged line that may have been anything can only be mended by hand.
#[test]
fn a_damaged_line_of_which_nothing_is_known_is_refused() {
    let scratch = Scratch::new("unknown");
    let refused = |text: &str, line: usize| {
        std::fs::write(&scratch.0, text).unwrap();
        let why = read(&scratch.0).unwrap_err().to_string();
        assert!(why.contains(&format!("line {line} is not an outcome: ")), "{why}");
    };
    // A record of an earlier release does not say which tests there were.
    refused(&format!("{UNMEASURED}\n{}", &PASS[..PASS.len() - 30]), 2);
    refused("this is no record\n", 1);
    // The last process was cut off when it began, so the lines before belong to another run.
    let begun = BEGUN.replace("1-2", "0-1");
    let green = PASS.replace("1-2", "0-1");
    refused(&format!("{begun}\n{green}\n{}", &BEGUN[..BEGUN.len() - 9]), 3);
    refused(&format!("{begun}\n{green}\n{{\"be"), 3);
    // An earlier release wrote the next line directly after one that was cut off.
    refused(&format!("{}{PASS}\n{PASS}\n", &UNMEASURED[..99]), 1);
}

#[test]
fn a_large_record_is_renamed_between_runs_only() {
    let scratch = Scratch::new("large");
    let mut first = outcome("a::p50", "first");
    let line = |value: &Outcome| serde_json::to_string(value).unwrap();
    std::fs::write(&scratch.0, format!("{}\n", line(&first))).unwrap();
    let begin = |tests: &[&str], run: &str| begin_within(9, &scratch.0, &beginning(tests, run));
    begin(&["b::p50"], "first").unwrap();
    append(&scratch.0, &outcome("b::p50", "first")).unwrap();
    assert!(!older_file(&scratch.0).exists());
    begin(&["c::p50"], "second").unwrap();
    assert!(older_file(&scratch.0).exists());
    append(&scratch.0, &outcome("c::p50", "second")).unwrap();
    assert_eq!(verdicts(&read(&scratch.0).unwrap()), [("c::p50", Verdict::Pass)]);
    // The first run was still going on.
    first.test = "d::p50".to_owned();
    append(&scratch.0, &first).unwrap();
    let record = read(&scratch.0).unwrap();
    let tests: Vec<&str> = record.outcomes.iter().map(|outcome| outcome.test.as_str()).collect();
    assert_eq!(tests, ["a::p50", "b::p50", "d::p50", "c::p50"]);
}

/// A report adds to the outcome of an older run the statements of its samples.
#[test]
fn an_outcome_that_is_added_to_an_older_run_stays_before_the_next_run() {
    let scratch = Scratch::new("added");
    for run in ["first", "second"] {
        begin(&scratch.0, &beginning(&["a::p50"], run)).unwrap();
        append(&scratch.0, &outcome("a::p50", run)).unwrap();
    }
    append(&scratch.0, &outcome("a::p50", "first")).unwrap();
    let runs = |record: &Record| -> Vec<String> {
        record.outcomes.iter().map(|outcome| outcome.run.id.clone()).collect()
    };
    let mut record = read(&scratch.0).unwrap();
    assert_eq!(runs(&record), ["first", "first", "second"]);
    record.add(vec![outcome("a::p50", "first"), outcome("a::p50", "second")]);
    assert_eq!(runs(&record), ["first", "first", "first", "second", "second"]);
    assert_eq!(last_run(&scratch.0, |_| true).unwrap().id, "second");
}

#[test]
fn the_last_run_is_found_from_the_end() {
    let scratch = Scratch::new("tail");
    let lines: Vec<String> = (0..400).map(|n| PASS.replace("1-2", &n.to_string())).collect();
    std::fs::write(&scratch.0, lines.join("\n")).unwrap();
    let last =
        |wanted: &str| last_run(&scratch.0, |run| run.id.ends_with(wanted)).map(|run| run.id);
    assert_eq!(last("").as_deref(), Some("399"));
    assert_eq!(last("7").as_deref(), Some("397"));
    assert_eq!(last("x"), None);
    // It is not among the last lines.
    assert_eq!(last_run(&scratch.0, |run| run.id == "0").unwrap().id, "0");
}
