//! The reader of `params`: the values of parameters, and one case for each combination of the listed values.

use std::collections::HashSet;

use toml::de::DeValue;

use super::collect::Mistakes;
use super::name::name_fault;
use super::printable::quoted;
use super::problem::Problem;
use super::read::{self, Entry, Value};
use crate::budget::{Case, Param};

/// The most cases of one budget. Each limit has a test for each case.
const MOST: usize = 1000;

/// The most cases of all budgets together.
pub(super) const MOST_IN_FILE: usize = 100_000;

/// A parameter with its values.
pub(super) struct Parameter {
    pub name: String,
    /// The values of the list, or the one value.
    pub values: Vec<Param>,
    /// Whether the values were written as a list. Then they are in the name of the case.
    pub listed: bool,
}

/// Reads `params`. A parameter with a mistake is reported and left out.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other values of TOML are treated alike")]
pub(super) fn read(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Vec<Parameter> {
    let Some(table) = entry.table(mistakes, "params = { records = [1000, 10_000] }") else {
        return Vec::new();
    };
    let mut parameters = Vec::new();
    for entry in read::entries(table) {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if entry.key.is_empty() || !entry.key.chars().all(is_name) {
            let title = format!("{} cannot be the name of a parameter", quoted(entry.key));
            mistakes.report(
                Problem::new(entry.at, title).help("write letters, digits, `_` and `-` only"),
            );
            continue;
        }
        let (values, listed) = match entry.value.get_ref() {
            DeValue::Array(_) => (list(&entry, mistakes), true),
            _ => (scalar(entry.key, entry.value, mistakes).into_iter().collect(), false),
        };
        if !values.is_empty() {
            parameters.push(Parameter { name: entry.key.to_owned(), values, listed });
        }
    }
    parameters
}

/// Returns every combination of values. The last parameter changes fastest. `room` is the number of cases that the file
/// may still have.
pub(super) fn cases(
    parameters: &[Parameter],
    at: &std::ops::Range<usize>,
    room: &mut usize,
    mistakes: &mut Mistakes<'_>,
) -> Vec<Case> {
    let count = parameters.iter().try_fold(1_usize, |n, p| n.checked_mul(p.values.len()));
    let most = MOST.min(*room);
    let Some(count) = count.filter(|&n| n <= most) else {
        let (title, help) = if most == MOST {
            (format!("the lists make more than {MOST} cases"), "list fewer values")
        } else {
            (format!("the budgets make more than {MOST_IN_FILE} cases"), "use several files")
        };
        mistakes.report(Problem::new(at.clone(), title).help(help));
        return Vec::new();
    };
    *room -= count;
    let case = |index: usize| {
        let (mut rest, mut params, mut label) = (index, Vec::new(), Vec::new());
        for parameter in parameters.iter().rev() {
            let value = &parameter.values[rest % parameter.values.len()];
            rest /= parameter.values.len();
            if parameter.listed {
                label.push(format!("{}={value}", parameter.name));
            }
            params.push((parameter.name.clone(), value.clone()));
        }
        params.reverse();
        label.reverse();
        Case { label: label.join(","), params }
    };
    (0..count).map(case).collect()
}

fn list(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Vec<Param> {
    let DeValue::Array(list) = entry.value.get_ref() else { return Vec::new() };
    if list.is_empty() {
        let title = format!("the list of `{}` is empty, so nothing would be measured", entry.key);
        mistakes.report(Problem::new(entry.value.span(), title).help("list at least one value"));
    }
    let (mut values, mut seen) = (Vec::new(), HashSet::new());
    for item in list {
        let Some(value) = scalar(entry.key, item, mistakes) else { continue };
        let text = value.to_string();
        let fault = name_fault(&text).or(text.contains(',').then_some("has a comma"));
        if let (Param::Text(_), Some(fault)) = (&value, fault) {
            let title = format!("{} cannot be in the name of a test: it {fault}", quoted(&text));
            mistakes.report(Problem::new(item.span(), title).help("list a shorter name for it"));
        } else if seen.insert(text) {
            values.push(value);
        } else {
            // Two values are the same if their texts are, since the texts are in the names of the tests.
            let title = format!("`{}` lists {} twice", entry.key, quoted(&value.to_string()));
            mistakes.report(Problem::new(item.span(), title).help("keep one of the two"));
        }
    }
    values
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all other values of TOML are treated alike")]
fn scalar(name: &str, value: &Value<'_>, mistakes: &mut Mistakes<'_>) -> Option<Param> {
    match value.get_ref() {
        DeValue::String(text) => Some(Param::Text(text.clone().into_owned())),
        DeValue::Boolean(truth) => Some(Param::Bool(*truth)),
        DeValue::Integer(integer) => {
            let parsed = i64::from_str_radix(integer.as_str(), integer.radix());
            if parsed.is_err() {
                let title = format!("{} does not fit 64 bits", quoted(&integer.to_string()));
                let help = "write a smaller number, or put it in quotes";
                mistakes.report(Problem::new(value.span(), title).help(help));
            }
            parsed.ok().map(Param::Int)
        }
        number @ DeValue::Float(float) => {
            let finite = read::number(number);
            if finite.is_none() {
                let title = format!("{} is not a finite number", quoted(float.as_str()));
                mistakes.report(Problem::new(value.span(), title).help("write a finite number"));
            }
            finite.map(Param::Float)
        }
        _ => {
            let example = "one value, or a list of values: 1000 or [1000, 10_000]";
            read::mismatch(name, value, mistakes, "a number, a string or a boolean", example)
        }
    }
}
