//! The places of limits in the text of `budgets.toml`: the bytes of each target and of its `warn`.
//!
//! A limit may have any form: an inline table, dotted keys, a table of its own, the long form, or a list. This file
//! and `insert` are the only ones that use the parser with spans.

use std::ops::Range;

use perf_budget_core::budget::{Budget, Limit};
use toml_edit::{Document, Item, TableLike, Value};

use super::MARK;

/// The place of a limit in the text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    /// The value of the limit, with its quotes.
    pub(crate) target: Range<usize>,
    /// The value of `warn`, where there is one.
    pub(crate) warn: Option<Range<usize>>,
}

/// The text as a tree with spans.
pub(crate) struct Tree<'t> {
    document: Document<&'t str>,
    /// The length of the byte order mark in bytes. The mark is not part of the TOML.
    before: usize,
}

impl<'t> Tree<'t> {
    /// Parses a text that was already found to be valid.
    pub(crate) fn parse(text: &'t str) -> Result<Tree<'t>, String> {
        let body = text.trim_start_matches(MARK);
        let document = Document::parse(body).map_err(|e| e.to_string())?;
        Ok(Tree { document, before: text.len() - body.len() })
    }

    /// Returns the item at a path of keys.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Item> {
        path.iter().try_fold(self.document.as_item(), |item, key| item.as_table_like()?.get(key))
    }

    /// Returns the bytes of the file that a span of the tree stands for.
    pub(crate) fn bytes(&self, span: Range<usize>) -> Range<usize> {
        span.start + self.before..span.end + self.before
    }

    /// Returns the place of a limit; `None` where it is not found.
    pub(crate) fn place(&self, budget: &Budget, limit: &Limit) -> Option<Place> {
        let side = limit.bound.side();
        let place = if let Some(sloped) = limit.metric.slope_of() {
            in_item(self.at(&["budget", &budget.name, "scaling", side, &sloped.name()])?)?
        } else {
            let metric = limit.metric.name();
            // An environment replaces all limits of the metrics that it names.
            let item = match limit.environment.as_deref() {
                Some(name) => self.at(&["env", name, "budget", &budget.name, side, &metric])?,
                None => self.at(&["budget", &budget.name, side, &metric])?,
            };
            let mut places = Vec::new();
            all_in_item(item, budget, &mut places);
            // The reader of the file keeps the order of the text.
            places.sort_by_key(|place| place.target.start);
            let limits = budget.limits.iter().map(AsRef::as_ref);
            let same = |other: &&Limit| other.metric == limit.metric && other.bound == limit.bound;
            places.into_iter().nth(limits.filter(same).position(|other| other == limit)?)?
        };
        let warn = place.warn.map(|span| self.bytes(span));
        Some(Place { target: self.bytes(place.target), warn })
    }
}

/// Adds the place of every limit in an item. The item may be one limit, a list of limits, or a table with a limit for each
/// value of a parameter.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other items of TOML are treated alike")]
fn all_in_item(item: &Item, budget: &Budget, places: &mut Vec<Place>) {
    match item {
        Item::Value(Value::Array(list)) => {
            for value in list {
                match value.as_inline_table() {
                    Some(table) => all_in_table(table, budget, places),
                    None => places.extend(in_value(value)),
                }
            }
        }
        Item::ArrayOfTables(list) => {
            list.iter().for_each(|table| all_in_table(table, budget, places));
        }
        _ => match item.as_table_like() {
            Some(table) => all_in_table(table, budget, places),
            None => places.extend(in_item(item)),
        },
    }
}

fn all_in_table(table: &dyn TableLike, budget: &Budget, places: &mut Vec<Place>) {
    let is_parameter = |key: &str| {
        let mut names = budget.cases.iter().flat_map(|case| &case.params);
        !table.contains_key("limit") && names.any(|(name, _)| name == key)
    };
    let by_value = table.iter().find(|(key, _)| is_parameter(key));
    match by_value.and_then(|(_, values)| values.as_table_like()) {
        Some(values) => values.iter().for_each(|(_, item)| all_in_item(item, budget, places)),
        None => places.extend(in_table(table)),
    }
}

fn in_item(item: &Item) -> Option<Place> {
    match item {
        Item::Value(value) => in_value(value),
        Item::Table(table) => in_table(table),
        Item::ArrayOfTables(_) | Item::None => None,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all other values of TOML are treated alike")]
fn in_value(value: &Value) -> Option<Place> {
    match value {
        Value::InlineTable(table) => in_table(table),
        value => Some(Place { target: value.span()?, warn: None }),
    }
}

fn in_table(table: &dyn TableLike) -> Option<Place> {
    let target = table.get("limit")?.as_value()?.span()?;
    Some(Place { target, warn: table.get("warn").and_then(Item::span) })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Checks the targets of all limits of the budget `b`, as they are written.
    #[track_caller]
    fn check(text: &str, want: &[&str]) {
        let budgets = perf_budget_core::budget::parse(text, Path::new("budgets.toml")).unwrap();
        let tree = Tree::parse(text).unwrap();
        let budget = &budgets.budgets[0];
        let scaling = budget.scaling.iter().flat_map(|scaling| &scaling.limits);
        let got: Vec<&str> = budget
            .limits
            .iter()
            .chain(scaling)
            .map(|limit| &text[tree.place(budget, limit).unwrap().target])
            .collect();
        assert_eq!(got, want, "{text}");
    }

    #[test]
    fn every_form_of_a_limit_is_found() {
        let w = "[budget.b]\nworkload = \"w\"\n";
        check(&format!("{w}max = {{ p99 = \"1 s\", allocs = 3 }}"), &["\"1 s\"", "3"]);
        check(&format!("{w}max.p99 = '1 s' # why\nmax.\"allocs\" = 3\r\n"), &["'1 s'", "3"]);
        check(&format!("{w}[budget.b.max]\np99 = \"1 s\"\n"), &["\"1 s\""]);
        check(&format!("{w}[budget.b.max.p99]\nlimit = \"1 s\"\n"), &["\"1 s\""]);
        check(&format!("{w}max.p99.limit = \"1 s\"\nmax.p99.warn = \"0.5 s\""), &["\"1 s\""]);
        check(&format!("{w}max.p99 = {{ warn = \"0.5 s\", limit = \"1 s\" }}"), &["\"1 s\""]);
        check(&format!("{w}max.p99 = [\"1 s\", \"1.1 x base\"]"), &["\"1 s\"", "\"1.1 x base\""]);
        let list = "max.p99 = [{ limit = \"1 s\" }, \"1.1 x lock\"]";
        check(&format!("{w}{list}"), &["\"1 s\"", "\"1.1 x lock\""]);
        check(&format!("{w}[[budget.b.max.p99]]\nlimit = \"1 s\"\n"), &["\"1 s\""]);
        check("budget.b = { workload = \"w\", max = { p99 = \"1 s\" } }", &["\"1 s\""]);
        check("\u{feff}budget.b.workload = \"w\"\nbudget.b.max.p99 = \"1 s\"", &["\"1 s\""]);
        check(
            "[budget.\"a.b\\\"c\"]\nworkload = \"w\"\nmax.p99 = \"\"\"1 s\"\"\"",
            &["\"\"\"1 s\"\"\""],
        );
        let slope = "params = { n = [1, 2, 3] }\nscaling = { over = \"n\", max = { rss = 1.1 } }";
        check(&format!("{w}{slope}"), &["1.1"]);
    }
}
