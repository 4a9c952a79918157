//! The reader of `[settings]`.

use glob::Pattern;
use toml::de::{DeTable, DeValue};

use super::collect::Mistakes;
use super::key;
use super::printable::quoted;
use super::problem::Problem;
use super::read::{self, Entry};
use crate::budget::{BaseLimits, CodegenUnits, Inconclusive, Settings};

/// The words for [`Inconclusive`], each with what it means.
pub(super) const INCONCLUSIVE: &[(&str, &str, Inconclusive)] = &[
    ("warn", "a warning, and the test is ok", Inconclusive::Warn),
    ("fail", "red", Inconclusive::Fail),
];

/// The words for [`CodegenUnits`], each with what it means.
pub(super) const CODEGEN_UNITS: &[(&str, &str, CodegenUnits)] = &[
    ("one", "one for each package of the workspace, on both sides", CodegenUnits::One),
    ("as built", "as many as the profile says", CodegenUnits::AsBuilt),
];

/// The greatest `alpha`. Beyond it a verdict would be less certain than the toss of a coin.
pub(super) const MOST_ALPHA: f64 = 0.5;

/// The most `layouts`, and also the most links that follow later. More of them would take long and show little more.
pub(super) const MOST_LAYOUTS: u32 = 128;

/// Reads the table. A setting with a mistake keeps its default.
pub(super) fn read(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Settings {
    let mut settings = Settings::default();
    let Some(table) = entry.table(mistakes, "[settings]") else { return settings };
    read::check_keys_but(table, "[settings]", key::SETTINGS, &["unsure"], mistakes);
    if let Some(time) = read::entry(table, "effort").and_then(|e| e.duration(mistakes)) {
        settings.effort = time;
    }
    if let Some(time) = read::entry(table, "timeout").and_then(|e| e.duration(mistakes)) {
        settings.timeout = time;
    }
    if let Some(time) = read::entry(table, "build_timeout").and_then(|e| e.duration(mistakes)) {
        settings.build_timeout = time;
    }
    if let Some(time) = read::entry(table, "lock_timeout").and_then(|e| e.duration(mistakes)) {
        settings.lock_timeout = time;
    }
    if let Some(share) = read::entry(table, "alpha").and_then(|e| e.share(mistakes, MOST_ALPHA)) {
        settings.alpha = share;
    }
    if let Some(share) = read::entry(table, "warn_at").and_then(|e| e.share(mistakes, 1.0)) {
        settings.warn_at = share;
    }
    if let Some(word) = inconclusive(table, mistakes) {
        settings.inconclusive = word;
    }
    settings.base = read::entry(table, "base").and_then(|entry| base(&entry, mistakes));
    settings.total = read::entry(table, "total").and_then(|entry| entry.duration(mistakes));
    if let Some(count) = read::entry(table, "layouts").and_then(|e| e.count(mistakes, MOST_LAYOUTS))
    {
        settings.layouts = count;
    }
    if let Some(globs) = read::entry(table, "inert").and_then(|e| globs(&e, mistakes)) {
        settings.inert = globs;
    }
    let units = read::entry(table, "codegen_units");
    if let Some(word) = units.and_then(|e| e.choice(mistakes, CODEGEN_UNITS)) {
        settings.codegen_units = word;
    }
    settings
}

/// The choices of `unsure`, the old name of `inconclusive`. "blind" made a limit red if the run could not have seen a
/// violation.
const OLD_CHOICES: &[(&str, &str, Inconclusive)] = &[
    ("blind", "", Inconclusive::Warn),
    ("warn", "", Inconclusive::Warn),
    ("fail", "", Inconclusive::Fail),
];

/// Reads `inconclusive`, or its old name `unsure`, for which a note is added.
fn inconclusive(table: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> Option<Inconclusive> {
    let new = read::entry(table, "inconclusive");
    let old = read::entry(table, "unsure");
    if let (Some(new), Some(old)) = (&new, &old) {
        let both = "`unsure` is the old name of `inconclusive`, and both are set";
        mistakes.report(
            Problem::new(old.at.clone(), both)
                .also(new.at.clone(), "set here too")
                .help("remove `unsure`"),
        );
    }
    let chosen = new.and_then(|entry| entry.choice(mistakes, INCONCLUSIVE));
    let Some(old) = old else { return chosen };
    let word = old.choice(mistakes, OLD_CHOICES)?;
    let note = Problem::new(old.at, "`unsure` is now called `inconclusive`")
        .label(format!("read as `inconclusive = \"{}\"`", word.name()))
        .help("what evidence cannot settle is a warning; write `inconclusive = \"fail\"` to make it red");
    mistakes.note(note);
    Some(word)
}

/// Reads a share, or a table of a share and the tests that it does not hold for.
fn base(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<BaseLimits> {
    let DeValue::Table(table) = entry.value.get_ref() else {
        return Some(BaseLimits { limit: entry.share(mistakes, 1.0)?, except: Vec::new() });
    };
    read::check_keys(table, "`base`", key::BASE, mistakes);
    let texts = read::entry(table, "except").map(|entry| {
        let texts = entry.texts(mistakes, "[\"*::p99\"]").unwrap_or_default();
        (texts, entry.value.span())
    });
    let (texts, at) = texts.unwrap_or_default();
    let mut except = Vec::new();
    for text in texts {
        match Pattern::new(&text) {
            Ok(pattern) => except.push(pattern),
            Err(error) => {
                let title = format!("{} is not a pattern of tests: {}", quoted(&text), error.msg);
                let help = "write names with `*` for any letters, as \"merge::*\" or \"*::p99\"";
                mistakes.report(Problem::new(at.clone(), title).help(help));
            }
        }
    }
    let Some(limit) = read::entry(table, "limit") else {
        let help = "write base = { limit = \"5 %\", except = [\"*::p99\"] }";
        mistakes.report_absence(Problem::new(entry.at.clone(), "`base` has no `limit`").help(help));
        return None;
    };
    Some(BaseLimits { limit: limit.share(mistakes, 1.0)?, except })
}

/// Reads a list of globs. Each invalid glob is a problem of its own.
fn globs(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Vec<String>> {
    let globs = entry.texts(mistakes, "[\"docs/**\", \"*.svg\"]")?;
    let DeValue::Array(items) = entry.value.get_ref() else { return None };
    let mut are_valid = true;
    for (glob, item) in globs.iter().zip(items) {
        if let Err(why) = Pattern::new(glob) {
            let title = format!("`inert` has `{glob}`, which is not a glob: {}", why.msg);
            mistakes
                .report(Problem::new(item.span(), title).help("write a glob such as \"docs/**\""));
            are_valid = false;
        }
    }
    are_valid.then_some(globs)
}
