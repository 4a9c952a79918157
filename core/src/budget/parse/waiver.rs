//! The reader of `waive`: until a given day, a broken limit is a warning for which an owner answers.

use toml::de::{DeTable, DeValue};

use super::collect::Mistakes;
use super::key;
use super::problem::Problem;
use super::read::{self, Entry};
use crate::budget::Waiver;
use crate::date::Date;

const EXAMPLE: &str = "waive = { until = \"2027-01-31\", owner = \"ann\", why = \"the new parser lands in January\" }";

/// Reads `waive` of a budget or of a limit, if it is there.
pub(super) fn read(table: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> Option<Waiver> {
    let entry = read::entry(table, "waive")?;
    let table = entry.table(mistakes, EXAMPLE)?;
    read::check_keys(table, "`waive`", key::WAIVE, mistakes);
    for key in key::WAIVE.iter().filter(|key| !table.contains_key(key.name)) {
        let title = format!("`waive` lacks the key `{}`", key.name);
        let problem = Problem::new(entry.value.span(), title).help(format!("write {EXAMPLE}"));
        mistakes.report_absence(problem);
    }
    let text = |name, example, mistakes: &mut Mistakes<'_>| {
        read::entry(table, name).and_then(|entry| entry.text(mistakes, example))
    };
    let until = read::entry(table, "until").and_then(|entry| date(&entry, mistakes));
    let owner = text("owner", "who answers for it, in quotes", mistakes);
    let why = text("why", "the reason in quotes", mistakes);
    Some(Waiver { until: until?, owner: owner?, why: why? })
}

/// Reads a day, which is written in quotes or as a TOML date.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other values of TOML are treated alike")]
pub(super) fn date(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Date> {
    let text = match entry.value.get_ref() {
        DeValue::String(text) => text.clone().into_owned(),
        DeValue::Datetime(time) => time.to_string(),
        _ => {
            let example = "a date such as \"2027-01-31\"";
            return read::mismatch(entry.key, entry.value, mistakes, "a date", example);
        }
    };
    let fault = match text.parse::<Date>() {
        Ok(date) => return Some(date),
        Err(fault) => super::printable::printable(&fault).replace('\n', " "),
    };
    let title = format!("`{}`: {fault}", entry.key);
    let problem = Problem::new(entry.value.span(), title);
    mistakes.report(problem.help("write the year, the month and the day: \"2027-01-31\""));
    None
}
