//! The insertion of a limit into a budget, in the form that the neighbouring limits have.
//!
//! A limit next to an inline table is put into its braces. Next to dotted keys it becomes a line with the same
//! prefix, and under a table header it becomes the last line. This file and `place` are the only ones that use the
//! parser with spans.

use std::ops::Range;

use toml_edit::{Item, Table, TableLike, Value};

use super::place::Tree;
use super::{Splices, line_end};

/// Returns the text with `metric = value` added to `side` of a budget. Where that is not possible, the error says
/// what to write by hand.
pub(crate) fn limit(
    text: &str,
    budget: &str,
    side: &str,
    metric: &str,
    value: &str,
) -> Result<String, String> {
    let tree = Tree::parse(text)?;
    let insertion = Insertion { text, tree: &tree };
    let by_hand = || format!("write `{side}.{metric} = {value}` under `{budget}` by hand");
    let item = tree.at(&["budget", budget]).ok_or_else(by_hand)?;
    let mut splices = Splices::default();
    let inserted = match (item, item.as_table_like().and_then(|table| table.get(side))) {
        (_, Some(Item::Value(Value::InlineTable(limits)))) if !limits.is_dotted() => insertion
            .in_braces(item_span(item, side), limits, &format!("{metric} = {value}"), &mut splices),
        (Item::Value(Value::InlineTable(body)), None) => {
            let entry = format!("{side} = {{ {metric} = {value} }}");
            insertion.in_braces(body.span(), body, &entry, &mut splices)
        }
        (Item::Table(_), Some(Item::Table(limits))) if limits.is_dotted() => {
            insertion.after_last_line(limits, &format!("{metric} = {value}"), &mut splices)
        }
        (Item::Table(_), Some(Item::Table(limits))) if limits.is_implicit() => {
            let name = toml_edit::Key::new(budget).display_repr().into_owned();
            let nl = line_end(text);
            let section = format!("{nl}[budget.{name}.{side}.{metric}]{nl}limit = {value}");
            insertion.after_line(end(limits, true), &section, &mut splices)
        }
        (Item::Table(_), Some(Item::Table(limits))) => {
            let at = end(limits, false).or(limits.span().map(|span| span.end));
            insertion.after_line(at, &format!("{metric} = {value}"), &mut splices)
        }
        (Item::Table(body), None) if body.is_dotted() => {
            insertion.after_last_line(body, &format!("{side}.{metric} = {value}"), &mut splices)
        }
        (Item::Table(body), None) if !body.is_implicit() => {
            let at = end(body, false).or(body.span().map(|span| span.end));
            insertion.after_line(at, &format!("{side}.{metric} = {value}"), &mut splices)
        }
        _ => None,
    };
    inserted.ok_or_else(by_hand)?;
    Ok(splices.apply(text))
}

/// Returns whether a new limit belongs in braces that exist (`p99 = …`), and not on a line of its own (`max.p99 = …`).
pub(crate) fn is_in_braces(text: &str, budget: &str, side: &str) -> bool {
    let Ok(tree) = Tree::parse(text) else { return false };
    matches!(tree.at(&["budget", budget, side]), Some(Item::Value(Value::InlineTable(_))))
        || matches!(tree.at(&["budget", budget]), Some(Item::Value(_)))
}

fn item_span(budget: &Item, side: &str) -> Option<Range<usize>> {
    budget.as_table_like()?.get(side)?.span()
}

struct Insertion<'a> {
    text: &'a str,
    tree: &'a Tree<'a>,
}

impl Insertion<'_> {
    /// Inserts the entry as the last one between braces.
    fn in_braces(
        &self,
        span: Option<Range<usize>>,
        table: &dyn TableLike,
        entry: &str,
        splices: &mut Splices,
    ) -> Option<()> {
        let span = self.tree.bytes(span?);
        if let Some(last) = end(table, true) {
            let at = self.tree.bytes(last..last).start;
            splices.replace(at..at, format!(", {entry}"));
        } else {
            splices.replace(span, format!("{{ {entry} }}"));
        }
        Some(())
    }

    /// Inserts a line with the same prefix as the last line of a table of dotted keys.
    fn after_last_line(&self, table: &Table, entry: &str, splices: &mut Splices) -> Option<()> {
        let starts = table.iter().filter_map(|(key, _)| table.key(key)?.span());
        let last = starts.max_by_key(|span| span.start)?;
        let at = self.tree.bytes(last).start;
        let line = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let before = self.text[line..at].trim_start_matches(super::MARK);
        self.after_line(end(table, true), &format!("{before}{entry}"), splices)
    }

    /// Inserts whole lines after the line that contains this byte.
    fn after_line(&self, byte: Option<usize>, lines: &str, splices: &mut Splices) -> Option<()> {
        let byte = self.tree.bytes(byte?..byte?).start;
        let nl = line_end(self.text);
        match self.text[byte..].find('\n') {
            Some(end) => splices.replace(byte + end + 1..byte + end + 1, format!("{lines}{nl}")),
            None => splices.replace(self.text.len()..self.text.len(), format!("{nl}{lines}")),
        }
        Some(())
    }
}

/// Returns where the last value of a table ends. `deep` includes the values of inner tables that have their own
/// header.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other items of TOML are treated alike")]
fn end(table: &dyn TableLike, deep: bool) -> Option<usize> {
    let end_of_item = |item: &Item| match item {
        Item::Value(Value::InlineTable(inner)) if inner.is_dotted() => end(inner, deep),
        Item::Value(value) => value.span().map(|span| span.end),
        Item::Table(inner) if deep || inner.is_dotted() => end(inner, deep),
        Item::ArrayOfTables(list) if deep => list.iter().filter_map(|table| end(table, deep)).max(),
        _ => None,
    };
    table.iter().filter_map(|(_, item)| end_of_item(item)).max()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[track_caller]
    fn check(before: &str, want: &str) {
        let got = limit(before, "b", "max", "p50", "\"2 s\"").unwrap();
        assert_eq!(got, want);
        let budgets = perf_budget_core::budget::parse(&got, Path::new("budgets.toml")).unwrap();
        assert!(budgets.budgets[0].limits.iter().any(|limit| limit.label == "p50"), "{got}");
    }

    #[test]
    fn a_limit_takes_the_form_of_its_neighbours() {
        let w = "[budget.b]\nworkload = \"w\"\n";
        check(
            &format!("{w}max = {{ p99 = \"1 s\" }} # c\n"),
            &format!("{w}max = {{ p99 = \"1 s\", p50 = \"2 s\" }} # c\n"),
        );
        check(
            &format!("{w}max = {{ p99 = {{ limit = \"1 s\" }} }}"),
            &format!("{w}max = {{ p99 = {{ limit = \"1 s\" }}, p50 = \"2 s\" }}"),
        );
        check(
            &format!("{w}  max.p99 = \"1 s\" # c\nwhy = \"x\"\n"),
            &format!("{w}  max.p99 = \"1 s\" # c\n  max.p50 = \"2 s\"\nwhy = \"x\"\n"),
        );
        check(
            &format!("{w}max.p99 = \"1 s\""),
            &format!("{w}max.p99 = \"1 s\"\nmax.p50 = \"2 s\""),
        );
        check(
            &format!("{w}[budget.b.max]\np99 = \"1 s\"\n\n# end\n"),
            &format!("{w}[budget.b.max]\np99 = \"1 s\"\np50 = \"2 s\"\n\n# end\n"),
        );
        check(
            &format!("{w}[budget.b.max.p99]\nlimit = \"1 s\"\n"),
            &format!(
                "{w}[budget.b.max.p99]\nlimit = \"1 s\"\n\n[budget.b.max.p50]\nlimit = \"2 s\"\n"
            ),
        );
        check(
            "[budget.b]\r\nworkload = \"w\"\r\nmin.throughput = \"1 op/s\"\r\n\r\n",
            "[budget.b]\r\nworkload = \"w\"\r\nmin.throughput = \"1 op/s\"\r\nmax.p50 = \"2 s\"\r\n\r\n",
        );
        check(
            "\u{feff}budget.b.workload = \"w\"\nbudget.b.max.p99 = \"1 s\"\n",
            "\u{feff}budget.b.workload = \"w\"\nbudget.b.max.p99 = \"1 s\"\nbudget.b.max.p50 = \"2 s\"\n",
        );
        check(
            "budget.b.workload = \"w\"\nbudget.b.min.throughput = \"1 op/s\"",
            "budget.b.workload = \"w\"\nbudget.b.min.throughput = \"1 op/s\"\nbudget.b.max.p50 = \"2 s\"",
        );
        check(
            "[budget]\nb = { workload = \"w\", min = { throughput = \"1 op/s\" } }\n",
            "[budget]\nb = { workload = \"w\", min = { throughput = \"1 op/s\" }, max = { p50 = \"2 s\" } }\n",
        );
    }
}
