//! The text of `budgets.lock`. It has one block for each value, sorted by name; comments that people wrote are kept.

use std::collections::BTreeMap;

use perf_budget_core::budget::lock::{Locked, UNITS, VERSION};
use perf_budget_core::quantity::Quantity;
use toml_edit::{DocumentMut, InlineTable, Item, Table, Value};

use crate::failure::Failure;

/// The first line of a new file.
const HEADER: &str = "\
# The values last accepted, one block each, written by `cargo budget accept`. Keep it under version control.
";

/// Returns the text with the blocks of these accepted values added or replaced; all other blocks stay as they are.
pub(crate) fn write(
    text: Option<&str>,
    accepted: &BTreeMap<String, Locked>,
) -> Result<String, Failure> {
    let old = text.map_or_else(|| format!("{HEADER}version = {VERSION}\n"), str::to_owned);
    if accepted.is_empty() {
        return Ok(text.unwrap_or_default().to_owned());
    }
    let mut file: DocumentMut = old
        .parse()
        .map_err(|e| Failure::usage(format!("failed to read the accepted values: {e}")))?;
    for (name, locked) in accepted {
        let mut block = block(locked);
        match file.get(name).and_then(Item::as_table) {
            Some(old) => keep_comments(old, &mut block),
            None => block.decor_mut().set_prefix("\n"),
        }
        file.insert(name, Item::Table(block));
    }
    let mut names: Vec<String> =
        file.iter().filter(|(_, item)| item.is_table()).map(|(name, _)| name.to_owned()).collect();
    names.sort_unstable();
    for (place, name) in (0..).zip(&names) {
        if let Some(table) = file.get_mut(name).and_then(Item::as_table_mut) {
            table.set_position(Some(place));
        }
    }
    Ok(file.to_string())
}

/// Returns the text without these blocks and their comments.
pub(crate) fn remove(text: &str, names: &[String]) -> Result<String, Failure> {
    let mut file: DocumentMut = text
        .parse()
        .map_err(|e| Failure::usage(format!("failed to read the accepted values: {e}")))?;
    for name in names {
        file.remove(name);
    }
    Ok(file.to_string())
}

/// Returns a value with its interval, as people read it.
pub(crate) fn display_locked(locked: &Locked) -> String {
    let value = Quantity::new(locked.value, locked.unit);
    match (locked.low, locked.high) {
        (Some(low), Some(high)) => {
            let end = |v: f64| Quantity::new(v, locked.unit).at_scale_of(value);
            format!("{value}, between {} and {}", end(low), end(high))
        }
        _ => value.to_string(),
    }
}

fn block(locked: &Locked) -> Table {
    let mut block = Table::new();
    let mut value = number(locked.value);
    value.decor_mut().set_suffix(format!(" # {}", display_locked(locked)));
    block.insert("value", Item::Value(value));
    for (name, end) in [("low", locked.low), ("high", locked.high)] {
        if let Some(end) = end {
            block.insert(name, Item::Value(number(end)));
        }
    }
    let unit = UNITS.iter().find(|unit| unit.1 == locked.unit).map_or("number", |unit| unit.0);
    block.insert("unit", unit.into());
    block.insert("date", locked.date.to_string().into());
    if let Some(commit) = &locked.commit {
        block.insert("commit", commit.as_str().into());
    }
    if let Some(counter) = &locked.counter {
        block.insert("counter", counter.as_str().into());
    }
    let place = &locked.environment;
    let mut environment = InlineTable::new();
    environment.insert("platform", place.platform.as_str().into());
    if !place.processor.is_empty() {
        environment.insert("processor", place.processor.as_str().into());
    }
    environment.insert("cores", i64::try_from(place.cores).unwrap_or(i64::MAX).into());
    environment.insert("profile", place.profile.as_str().into());
    block.insert("environment", environment.into());
    block
}

/// Returns a number as TOML: without a decimal point where it is whole, and otherwise with all its digits.
fn number(number: f64) -> Value {
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < WHOLE {
        Value::from(number as i64)
    } else {
        Value::from(number)
    }
}

/// Keeps the comments above the block and above its keys. A comment behind a value belongs to the old value, so it is
/// dropped.
fn keep_comments(old: &Table, new: &mut Table) {
    *new.decor_mut() = old.decor().clone();
    let keys: Vec<String> = new.iter().map(|(key, _)| key.to_owned()).collect();
    for key in keys {
        if let (Some(old), Some(mut new)) = (old.key(&key), new.key_mut(&key)) {
            *new.leaf_decor_mut() = old.leaf_decor().clone();
        }
    }
}
