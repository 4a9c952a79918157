//! Tests of `budgets.lock`: what is read from it, and every message about a mistake in it.

use std::fmt::Write as _;
use std::path::Path;

use super::snapshot;
use crate::budget::lock::{self, Environment, UNITS};
use crate::budget::parse;
use crate::budget::parse::collect::Mistakes;
use crate::budget::parse::source::Source;
use crate::quantity::Unit;

const BLOCK: &str = "value = 1\nunit = \"s\"\ndate = \"2026-11-01\"\nenvironment = { platform = \"linux \
                     x86_64\", cores = 2, profile = \"release\" }";

/// Whole files, each with different mistakes.
pub(super) const FILES: &[&str] = &[
    "",
    "version = 2\n[\"a::p99\"]\nvalue = \"later\"",
    "version = \"one\"",
    "version = 1\n<<<<<<< HEAD\n[\"a::p99\"]\nvalue = 1\n=======\n[\"a::p99\"]\nvalue = 2\n>>>>>>> b\n",
    "version = 1\nbudgets = 3\n[a]\nvalue = 1",
    "version = 1\n[\"a::p99\"]\n",
    "version = 1\n[\"a::p99\"]\nvalue = \"1 s\"\nlow = inf\nunit = \"ms\"\ndate = \"2026-02-30\"\n\
     commit = \"\"\nenvironment = \"here\"\nvalu = 1",
    "version = 1\n[\"a::p99\"]\nvalue = 1\nlow = 2\nhigh = 1\nunit = \"s\"\ndate = 2026-11-01\n\
     environment = { platfrom = \"linux\", cores = \"two\" }",
    "version = 1\n[\"a::p99\"]\nvalue = 1\n[\"a::p99\"]\nvalue = 2\n",
];

pub(super) fn reading(text: &str) -> Mistakes<'_> {
    let mut reading = Mistakes::new(Source::new(Path::new("budgets.lock"), text));
    parse::lock::check(&mut reading);
    reading
}

#[test]
fn every_message_reads_well() {
    let mut shown = String::new();
    for text in FILES {
        let error = lock::parse(text, Path::new("budgets.lock")).expect_err(text);
        assert!(error.is_config());
        let _ = writeln!(shown, "{}\n", "-".repeat(80));
        let _ = writeln!(shown, "{error}");
    }
    snapshot("fixtures/cases/config/lock_problems.txt", &shown);
}

#[test]
fn a_block_is_read() {
    let text =
        format!("# ours\nversion = 1\n\n[\"a::p99\"]\nlow = 0.5\n{BLOCK}\ncommit = \"a1b2c3d\"\n");
    let lock = lock::parse(&text, Path::new("budgets.lock")).unwrap();
    let locked = &lock.values["a::p99"];
    assert_eq!((locked.value, locked.low, locked.high), (1.0, Some(0.5), None));
    assert_eq!((locked.unit, locked.line), (Unit::Seconds, 4));
    assert_eq!(locked.date.to_string(), "2026-11-01");
    assert_eq!(locked.commit.as_deref(), Some("a1b2c3d"));
    let (platform, profile) = ("linux x86_64".to_owned(), "release".to_owned());
    let environment = Environment { processor: String::new(), cores: 2, platform, profile };
    assert_eq!(locked.environment, environment);
    assert_eq!(environment.to_string(), "2 cores, linux x86_64, release");
}

#[test]
fn every_unit_has_its_word() {
    for (word, unit) in UNITS {
        let text =
            format!("version = 1\n[\"a::x\"]\n{}", BLOCK.replace("\"s\"", &format!("\"{word}\"")));
        let lock = lock::parse(&text, Path::new("budgets.lock")).unwrap();
        assert_eq!(lock.values["a::x"].unit, unit);
        assert_eq!(serde_json::to_string(&unit).unwrap(), format!("\"{word}\""));
    }
}

#[test]
fn without_a_file_nothing_is_accepted() {
    assert!(lock::load(Path::new("no such directory/budgets.lock")).unwrap().values.is_empty());
    let error = lock::load(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap_err();
    assert!(error.to_string().contains("it is a directory"), "{error}");
}
