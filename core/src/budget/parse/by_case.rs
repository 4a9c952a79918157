//! The reader of limits for each case: a table from the values of a parameter to limits.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::case::Parameter;
use super::collect::Mistakes;
use super::key as keys;
use super::printable::quoted;
use super::problem::Problem;
use super::read::{self, Entry, Value};
use crate::budget::{CaseFilter, Param, spelling};

/// The key that stands for all values of a parameter that are not listed.
const REST: &str = "_";

/// The limits of some cases.
pub(super) struct Part<'t> {
    pub cases: CaseFilter,
    pub value: &'t Value<'t>,
}

/// Returns the parameter that a table has limits for, with the table of its values. `None` if the table is another form of
/// a limit. A parameter that is in `cases` already is not looked for again.
pub(super) fn parameter<'p, 't>(
    table: &'t DeTable<'t>,
    parameters: &'p [Parameter],
    cases: &CaseFilter,
) -> Option<(&'p Parameter, &'t Value<'t>)> {
    if table.contains_key("limit") {
        return None;
    }
    let is_used = |name: &str| cases.parameters().any(|(used, _)| used == name);
    let unused = parameters.iter().filter(|parameter| !is_used(&parameter.name));
    let with_values =
        |parameter: &'p Parameter| Some((parameter, read::entry(table, &parameter.name)?.value));
    unused.into_iter().find_map(with_values)
}

/// Reads a table of limits by the values of a parameter. A mistake is reported, and the other values are still read.
/// `cases` are those that the whole table is for.
pub(super) fn read<'t>(
    table: &'t DeTable<'t>,
    (parameter, values): (&Parameter, &'t Value<'t>),
    cases: &CaseFilter,
    mistakes: &mut Mistakes<'_>,
) -> Vec<Part<'t>> {
    let name = &parameter.name;
    for other in read::unordered(table).filter(|entry| entry.key != *name) {
        let title = format!("{} stands beside limits for each `{name}`", quoted(other.key));
        let help =
            format!("write only {{ {name} = {{ ... }} }}; further parameters go into its values");
        mistakes.report(Problem::new(other.at, title).help(help));
    }
    let texts: Vec<String> = parameter.values.iter().map(ToString::to_string).collect();
    let example = format!("write {name} = {{ {} = LIMIT, {REST} = LIMIT }}", key(&texts[0]));
    let DeValue::Table(by_value) = values.get_ref() else {
        let title = format!("`{name}` is a parameter, and has a limit for each of its values");
        mistakes.report(Problem::new(values.span(), title).help(example));
        return Vec::new();
    };
    let mut parts = Vec::new();
    let mut named: Vec<(String, Range<usize>)> = Vec::new();
    let mut rest = None;
    let mut all_known = true;
    for entry in read::entries(by_value) {
        if entry.key == REST {
            rest = Some(entry.value);
            continue;
        }
        let Some(text) = parameter_text(entry.key, parameter) else {
            all_known = false;
            let title = format!("`{name}` has no value {}", quoted(entry.key));
            let all: Vec<String> = texts.iter().map(|text| key(text)).collect();
            let help = format!("its values are {}; `{REST}` stands for the rest", all.join(", "));
            mistakes.report(Problem::new(entry.at, title).help(help));
            continue;
        };
        if let Some((_, first)) = named.iter().find(|(known, _)| *known == text) {
            let title = format!("`{name}` has two limits for {text}");
            let first = first.clone();
            mistakes
                .report(Problem::new(entry.at, title).also(first, "first here").help("keep one"));
            continue;
        }
        parts.push(Part { cases: cases.and(name, vec![text.clone()]), value: entry.value });
        named.push((text, entry.at));
    }
    let mut missing = texts;
    missing.retain(|text| !named.iter().any(|(known, _)| known == text));
    match rest {
        Some(value) if missing.is_empty() => {
            let title =
                format!("`{REST}` stands for no value: every value of `{name}` has its limit");
            mistakes.report(Problem::new(value.span(), title).help("remove it"));
        }
        Some(value) => parts.push(Part { cases: cases.and(name, missing), value }),
        None if !missing.is_empty() && all_known => {
            let title = format!("there is no limit for {name} = {}", missing.join(", "));
            let help = format!("add a limit for it, or {REST} = LIMIT for the rest");
            mistakes.report_absence(Problem::new(values.span(), title).help(help));
        }
        None => {}
    }
    parts
}

/// Returns the problem of a table that has limits for each value of what is no parameter of the budget. `None` if it has
/// none, and is another form of a limit.
pub(super) fn unknown_parameter(table: &DeTable<'_>, parameters: &[Parameter]) -> Option<Problem> {
    let is_known = |name: &str| {
        keys::LIMIT.iter().any(|key| key.name == name)
            || parameters.iter().any(|parameter| parameter.name == name)
    };
    let by_value = |entry: Entry<'_>| {
        let values = value_texts(entry.value.get_ref().as_table()?);
        Some((entry.key.to_owned(), entry.at, values))
    };
    let entries = read::entries(table).into_iter();
    let (name, at, values) = entries.filter(|entry| !is_known(entry.key)).find_map(by_value)?;
    let title = format!("there are limits for each {}, which is no parameter", quoted(&name));
    let names = || parameters.iter().map(|parameter| &*parameter.name);
    let near = spelling::nearest(&name, names());
    let label = near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
    let help = if parameters.is_empty() {
        format!("write params = {{ {name} = [{values}] }} as well")
    } else {
        format!("the parameters of this budget are {}", names().collect::<Vec<_>>().join(", "))
    };
    Some(Problem::new(at, title).label(label).help(help))
}

/// Returns the values of a parameter as they are written in a list, for a table that has a limit for each.
fn value_texts(by_value: &DeTable<'_>) -> String {
    let is_bare = |key: &str| key.replace('_', "").parse::<f64>().is_ok();
    let text = |key: &str| if is_bare(key) { key.to_owned() } else { format!("{key:?}") };
    let keys = read::entries(by_value).into_iter().map(|entry| entry.key);
    keys.filter(|key| *key != REST).map(text).collect::<Vec<_>>().join(", ")
}

/// Returns the text of the value that a key stands for. A number may be written in any way: `10_000` is `10000`.
fn parameter_text(key: &str, parameter: &Parameter) -> Option<String> {
    let number = key.replace('_', "");
    let is_meant = |value: &&Param| match value {
        Param::Int(own) => number.parse() == Ok(*own),
        Param::Float(own) => number.parse() == Ok(*own),
        Param::Text(own) => own == key,
        Param::Bool(own) => own.to_string() == key,
    };
    parameter.values.iter().find(is_meant).map(ToString::to_string)
}

/// Returns a value as a key is written in TOML.
fn key(text: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !text.is_empty() && text.bytes().all(is_bare) {
        text.to_owned()
    } else {
        format!("{text:?}")
    }
}
