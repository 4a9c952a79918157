//! Tests of correct files, and of what is read from them.

use std::time::Duration;

use super::{fixture, parse};
use crate::budget::{
    Bound, Budgets, Cache, Inconclusive, Param, Ready, Reference, Subject, Target, Waiver,
};
use crate::metric::Metric;
use crate::quantity::{Quantity, Unit};

fn read(text: &str) -> Budgets {
    parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn labels(budgets: &Budgets, name: &str) -> Vec<String> {
    let budget = budgets.budgets.iter().find(|b| b.name == name).unwrap();
    let scaling = budget.scaling.iter().flat_map(|scaling| &scaling.limits);
    budget.limits.iter().chain(scaling).map(|limit| limit.label.clone()).collect()
}

#[test]
fn a_usual_file_is_read() {
    let read = read(&fixture("design.toml"));
    let names: Vec<_> = read.budgets.iter().map(|b| b.name.as_str()).collect();
    let want = ["wasm", "merge", "sync", "records", "cold_start", "read_unsized", "read_sized"];
    assert_eq!(names, want);
    assert_eq!(read.settings, crate::budget::Settings::default());
    assert_eq!(labels(&read, "wasm"), ["gzip", "brotli"]);
    assert_eq!(labels(&read, "records"), ["rss", "scaling_rss"]);
    assert_eq!(labels(&read, "read_sized"), ["throughput::x_read_unsized", "p99", "p99::x_base"]);
    let merge = &read.budgets[1];
    assert_eq!((merge.line, merge.limits[0].line), (13, 16));
    assert_eq!(merge.cases[0].params, [("ops".to_owned(), Param::Int(10_000))]);
    assert_eq!(merge.cases[0].label, "");
    let Target::Absolute(limit) = merge.limits[0].target else { panic!("{merge:?}") };
    assert_eq!(limit, Quantity::new(0.01, Unit::Seconds));
    let cases: Vec<_> = read.budgets[3].cases.iter().map(|c| c.label.as_str()).collect();
    assert_eq!(cases, ["records=1000", "records=10000", "records=50000", "records=100000"]);
}

#[test]
fn unsure_is_read_as_inconclusive_with_a_note() {
    let old = |word: &str| {
        let text = "\n[budget.a]\nworkload = \"a\"\nmax = { p99 = \"1 ms\" }\n";
        let read = read(&format!("[settings]\nunsure = \"{word}\"{text}"));
        assert_eq!(read.notes.len(), 1);
        (read.settings.inconclusive, read.notes[0].clone())
    };
    let (blind, note) = old("blind");
    assert_eq!(blind, Inconclusive::Warn);
    assert_eq!(
        note,
        "note: `unsure` is now called `inconclusive`\n  --> budgets.toml:2:1\n  |\n\
         2 | unsure = \"blind\"\n  | ^^^^^^ read as `inconclusive = \"warn\"`\n  |\n  \
         = help: what evidence cannot settle is a warning; write `inconclusive = \"fail\"` to make it red\n"
    );
    assert_eq!(old("warn").0, Inconclusive::Warn);
    assert_eq!(old("fail").0, Inconclusive::Fail);
    assert_eq!(read(&fixture("full.toml")).notes, Vec::<String>::new());
}

#[test]
fn every_key_is_read() {
    let read = read(&fixture("full.toml"));
    let settings = &read.settings;
    assert_eq!(
        (settings.effort, settings.timeout),
        (Duration::from_secs(20), Duration::from_secs(120))
    );
    assert_eq!(
        (settings.alpha, settings.warn_at, settings.inconclusive),
        (0.05, 0.8, Inconclusive::Fail)
    );
    let base = settings.base.as_ref().unwrap();
    assert_eq!((base.limit, base.except[0].as_str(), settings.layouts), (0.05, "*::p99", 8));
    assert_eq!(settings.total, Some(Duration::from_secs(600)));
    assert!(!read.budgets[0].base && read.budgets[1].base);
    assert_eq!(
        labels(&read, "web/app.js"),
        [
            "size::max",
            "gzip",
            "gzip::max::x_lock",
            "gzip::x_base",
            "brotli",
            "size::min",
            "gzip::min::x_lock"
        ]
        .map(str::to_owned)
        .to_vec()
    );
    let app = &read.budgets[0];
    assert_eq!(app.limits[0].warn, Some(Quantity::new(900_000.0, Unit::Bytes)));
    assert_eq!(app.limits[0].why.as_deref(), Some("parse time"));
    let waived = |waiver: &Option<Waiver>| {
        waiver.clone().map(|waiver| format!("{} {}: {}", waiver.until, waiver.owner, waiver.why))
    };
    assert_eq!(waived(&app.waiver).as_deref(), Some("2027-01-31 bob: the new font"));
    let waivers: Vec<_> = app.limits.iter().filter_map(|limit| waived(&limit.waiver)).collect();
    assert_eq!(waivers, ["2026-12-31 ann: the new parser"]);
    assert_eq!(
        (app.effort, app.timeout),
        (Some(Duration::from_secs(1)), Some(Duration::from_secs(300)))
    );
    assert_eq!(app.limits[5].bound, Bound::Min);
    let image = &read.budgets[1].build;
    let opt = ["-Oz", "--strip-debug"];
    assert_eq!((&image.features, &image.profile), (&Some(Vec::new()), &None));
    assert_eq!(
        (image.command.join(" "), image.wasm_opt.as_slice()),
        ("make image".to_owned(), &opt.map(str::to_owned)[..])
    );
    assert_eq!(image.timeout, Some(Duration::from_secs(600)));
    assert_eq!(read.settings.build_timeout, Duration::from_secs(90 * 60));
    let server = &read.budgets[3].build;
    assert_eq!(server.profile.as_deref(), Some("dist"));
    assert_eq!(server.features.as_ref().map(Vec::len), Some(2));
    assert_eq!(app.build, crate::budget::Build::default());
    let grep = &read.budgets[2];
    let Subject::Command(command) = &grep.subject else { panic!("{grep:?}") };
    assert_eq!(
        (command.argv.len(), &command.ready, command.cache),
        (5, &Ready::Exit, Cache::Evicted)
    );
    assert_eq!(command.env[1], ("EMPTY".to_owned(), String::new()));
    assert_eq!(
        (command.cwd.as_deref(), command.stdin.as_deref()),
        (Some("texts"), Some("texts/{size}.txt"))
    );
    assert_eq!((command.prepare.join(" "), command.cleanup.len()), ("sync".to_owned(), 3));
    let constraint = command.constraint;
    assert_eq!((constraint.memory, constraint.processors), (Some(512 << 20), Some(1)));
    assert_eq!(read.settings.lock_timeout, Duration::from_secs(20 * 60));
    let cases: Vec<_> = grep.cases.iter().map(|c| c.label.as_str()).collect();
    let want = ["pattern=a,size=1", "pattern=a,size=2.5", "pattern=a,size=10"];
    assert_eq!(cases[..3], want);
    assert_eq!(cases[3], "pattern=b.c,size=1");
    let slope = &grep.scaling.as_ref().unwrap().limits[0];
    assert_eq!(slope.metric.name(), "scaling_wall_mean");
    let ready = |i: usize| {
        let Subject::Command(command) = &read.budgets[i].subject else { panic!("{i}") };
        command.ready.clone()
    };
    assert_eq!(ready(3), Ready::Port(8080));
    assert_eq!(ready(4), Ready::Stderr("ready".to_owned()));
    assert_eq!(ready(5), Ready::File("run/daemon.pid".into()));
    let search = &read.budgets[6];
    assert_eq!(search.limits[0].metric, Metric::recorded("accuracy"));
    assert!(search.limits.iter().any(|l| l.label == "utilization::max"));
    // Without `unit` this name would be taken for `allocs`.
    assert!(search.limits.iter().any(|l| l.metric == Metric::recorded("allocations")));
    let constraint = search.constraint;
    assert_eq!((constraint.memory, constraint.processors), (Some(512_000_000), Some(2)));
    let load = |i: usize| read.budgets[i].load.as_ref().map(ToString::to_string);
    assert_eq!(load(6), None);
    let spike = "spike of 100 op/s to 1 K op/s for 50 ms every 1 s, 16 in flight";
    assert_eq!(load(8).as_deref(), Some(spike));
    assert_eq!(load(9).as_deref(), Some("ramp of 0.50 op/s to 1 K op/s every 2 s"));
}

#[test]
fn every_spelling_is_read_alike() {
    let spellings = [
        "[budget.a]\nworkload = \"w\"\nparams = { n = [1, 2] }\nmax = { p99 = { limit = \"1 ms\", why = \"y\" } }",
        "[budget.a]\nworkload = \"w\"\nparams.n = [1, 2]\nmax.p99.limit = \"1 ms\"\nmax.p99.why = \"y\"",
        "[budget.a.max.p99]\nlimit = \"1 ms\"\nwhy = \"y\"\n[budget.a.params]\nn = [1, 2]\n[budget.a]\nworkload = \"w\"",
        "budget.a.workload = 'w'\nbudget.a.params.n = [1, 2]\nbudget.a.max.p99 = { why = 'y', limit = '1ms' }",
        "budget = { a = { workload = \"w\", params = { n = [\n1, # one\n2,\n] }, max = { p99 = { limit = \"1 ms\", why = \"y\" } } } }",
        "\u{feff}[budget.a]\r\nworkload = \"w\"\r\nparams = { n = [1, 2] }\r\nmax = { p99 = { limit = \"0.001 s\", why = \"\"\"\r\ny\"\"\" } }\r\n",
    ];
    let shape = |text: &str| {
        let mut budget = read(text).budgets.remove(0);
        budget.line = 0;
        budget.limits.iter_mut().for_each(|limit| std::sync::Arc::make_mut(limit).line = 0);
        format!("{budget:?}")
    };
    for text in spellings {
        assert_eq!(shape(text), shape(spellings[0]), "{text}");
    }
}

#[track_caller]
fn check(limit: &str, want: &Target) {
    let text = format!(
        "[budget.b]\nworkload = 'w'\nmax.p50 = '1 s'\n[budget.a]\nworkload = 'w'\nmax = {{ p99 = {limit} }}"
    );
    assert_eq!(read(&text).budgets[1].limits[0].target, *want, "{limit}");
}

#[test]
fn targets_are_read() {
    let seconds = |s| Target::Absolute(Quantity::new(s, Unit::Seconds));
    let times = |factor, reference| Target::Relative { factor, reference };
    check("'10 ms'", &seconds(0.01));
    check("' 2s '", &seconds(2.0));
    check("'1.05 x base'", &times(1.05, Reference::Base));
    check("'1x lock'", &times(1.0, Reference::Lock));
    check("'1_0.5  x  b'", &times(10.5, Reference::Budget("b".to_owned())));
}

/// Two cases of one budget never have the same name.
#[test]
fn labels_of_cases_are_unique() {
    let text = "[budget.a]\nworkload = 'w'\nparams = { a = [1, 2.0, 'x'], b = [true, 'True'] }\nmax.p99 = '1 s'";
    let read = read(text);
    let mut labels: Vec<_> = read.budgets[0].cases.iter().map(|c| &c.label).collect();
    labels.dedup();
    assert_eq!(labels.len(), 6);
}

#[track_caller]
fn refuses(name: &str, bytes: Option<&[u8]>, want: &str) {
    let dir = std::env::temp_dir().join(format!("perf-budget-file-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join(name);
    if let Some(bytes) = bytes {
        std::fs::write(&path, bytes).unwrap();
    }
    let error = crate::budget::load(&path).expect_err(name);
    std::fs::remove_dir_all(&dir).unwrap();
    assert!(error.is_config(), "{error}");
    let text = error.to_string();
    assert!(text.contains(want) && text.contains("failed to read"), "{text}");
}

#[test]
fn files_that_are_not_text_are_refused() {
    refuses("missing.toml", None, "there is no such file");
    refuses("", None, "it is a directory");
    refuses("latin.toml", Some(b"a\nb\xe4\n"), "line 2 is not UTF-8");
    refuses("utf16.toml", Some(b"\xff\xfea\0"), "it is UTF-16");
    refuses("huge.toml", Some(&vec![b'\n'; 4 * 1024 * 1024 + 1]), "larger than 4 MiB");
}

#[test]
fn paths_start_where_the_file_is() {
    let path = super::repository("fixtures/cases/config/design.toml");
    let read = crate::budget::load(&path).unwrap();
    assert_eq!(read.root, path.parent().unwrap());
    assert_eq!(parse(&fixture("design.toml")).unwrap().root.to_str(), Some("."));
}

/// Invisible characters are replaced in messages: a caret below nothing would not show what is wrong, and a control
/// character would ring the terminal's bell.
#[test]
fn invisible_characters_are_replaced() {
    for unseen in ["\u{200b}", "\u{2060}", "\u{feff}", "\u{ad}", "\u{7}"] {
        let error = super::parse(&format!("[budget.a]\nworkload = {unseen}\n")).unwrap_err();
        let text = error.to_string();
        assert!(!text.contains(unseen) && text.contains('^'), "{text:?}");
    }
}

/// Each limit is for the cases that its values name, and `_` stands for the others.
#[test]
fn a_limit_is_only_for_its_cases() {
    let read = read(&fixture("full.toml"));
    let grep = &read.budgets[2];
    let written_limits = |case: &str| -> Vec<String> {
        let case = grep.cases.iter().find(|known| known.label == case).unwrap();
        let limits = grep.limits.iter().filter(|limit| limit.metric.name() == "written_bytes");
        limits
            .filter(|limit| limit.cases.has(case))
            .map(|limit| limit.number().0.to_string())
            .collect()
    };
    assert_eq!(written_limits("pattern=a,size=1"), ["5000"]);
    assert_eq!(written_limits("pattern=b.c,size=2.5"), ["6000"]);
    assert_eq!(written_limits("pattern=a,size=10"), ["7000"]);
    assert_eq!(written_limits("pattern=b.c,size=10"), ["8000", "1.1"]);
    let shown: Vec<String> = grep.limits.iter().map(|limit| limit.cases.to_string()).collect();
    assert!(shown.contains(&"size=10,pattern=b.c".to_owned()), "{shown:?}");
    let other = grep.limits.iter().find(|limit| limit.metric.name() == "wall_p50").unwrap();
    assert!(other.cases.is_all() && grep.cases.iter().all(|case| other.cases.has(case)));
    let suite = crate::suite::Suite::of(&read, true);
    let named = |name: &str| suite.tests.iter().filter(|test| test.name == name).count();
    assert_eq!(named("grep::pattern=b.c,size=10::written_bytes"), 1);
    assert_eq!(named("grep::pattern=b.c,size=10::written_bytes::x_base"), 1);
    assert_eq!(named("grep::pattern=a,size=10::written_bytes::x_base"), 0);
}
