//! The cause of a red on the page: the sentence, the functions with the greatest changes, and the calls.

use maud::{Markup, html};
use perf_budget_core::outcome::{Blame, Blamed, Counter, words};

use super::escape::Text;
use super::flame;

/// The most functions and places that a table has.
const ROWS: usize = 20;

/// Renders the cause.
pub(crate) fn render(blame: &Blame) -> Markup {
    let lines = words::blame(blame);
    html! {
        h4 { "Blame" }
        @if let Some((first, rest)) = lines.split_first() {
            p.sentence { (Text(first)) }
            ul.notes aria-label="Functions to blame" { @for line in rest { li { (Text(line)) } } }
        }
        (flame::render(blame))
        details.more {
            summary { "The functions, with the foreign code below each" }
            (functions(blame))
        }
        @if !blame.sites.is_empty() {
            details.more { summary { "Where it allocates" } (sites(blame)) }
        }
    }
}

fn functions(blame: &Blame) -> Markup {
    let is_change = blame.before.is_some();
    let is_sampled = blame.counter == Counter::Samples;
    html! {
        @if is_sampled { p.hint { "Nanoseconds of one operation, by samples, with the 90 % interval of the change." } }
        div.functions tabindex="0" role="group" aria-label="The functions" {
            table {
                thead { tr {
                    th scope="col" { "Function" }
                    @if is_change { th scope="col" { "Before" } }
                    th scope="col" { "Now" }
                    @if is_change { th scope="col" { "Change" } }
                    th scope="col" { "With all it calls" }
                    th scope="col" { @if is_sampled { "90 % interval" } @else { "Calls" } }
                } }
                tbody {
                    @for function in blame.functions.iter().take(ROWS) {
                        tr {
                            th scope="row" { (Text(&function.name)) }
                            @if is_change { td { (grouped(function.own.before)) } }
                            td { (grouped(function.own.now)) }
                            @if is_change { td { (signed(function.own.by())) } }
                            td { (grouped(function.inclusive.now)) }
                            td { (calls_or_interval(function)) }
                        }
                    }
                }
            }
        }
    }
}

/// Returns how often a function is called; for samples, the interval of its change.
fn calls_or_interval(function: &Blamed) -> String {
    match function.interval {
        Some((low, high)) => format!("{} to {}", signed(low), signed(high)),
        None => grouped(function.calls.now),
    }
}

fn sites(blame: &Blame) -> Markup {
    let is_change = blame.before.is_some();
    let has_bytes = blame.allocated.is_some();
    html! {
        div.functions tabindex="0" role="group" aria-label="The places that allocate" {
            table {
                // On a narrow screen the amounts are seen first, so what they go through is last.
                thead { tr {
                    th scope="col" { "Function" }
                    @if has_bytes && is_change { th scope="col" { "Bytes before" } }
                    @if has_bytes { th scope="col" { "Bytes now" } }
                    @if is_change { th scope="col" { "Allocations before" } }
                    th scope="col" { @if is_change { "Now" } @else { "Allocations" } }
                    th.name scope="col" { "Through" }
                } }
                tbody {
                    @for site in blame.sites.iter().take(ROWS) {
                        tr {
                            th scope="row" { (Text(&site.name)) }
                            @if has_bytes {
                                @if is_change { td { (bytes(site.bytes.map(|bytes| bytes.before))) } }
                                td { (bytes(site.bytes.map(|bytes| bytes.now))) }
                            }
                            @if is_change { td { (grouped(site.allocations.before)) } }
                            td { (grouped(site.allocations.now)) }
                            td.name { (Text(&site.through)) }
                        }
                    }
                }
            }
        }
    }
}

/// Returns an amount of bytes, if it is known.
fn bytes(amount: Option<f64>) -> String {
    amount.map_or_else(|| "unknown".to_owned(), grouped)
}

/// Returns a whole number whose digits are in groups of three, by narrow blanks.
fn grouped(amount: f64) -> String {
    let digits = format!("{:.0}", amount.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

fn signed(amount: f64) -> String {
    let sign = if amount < 0.0 { "−" } else { "+" };
    if amount == 0.0 { "0".to_owned() } else { format!("{sign}{}", grouped(amount)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped() {
        let shown = [0.0, 999.0, 1000.0, 1_234_567.0].map(grouped);
        assert_eq!(shown, ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
        assert_eq!([signed(-1000.0), signed(0.0)], ["−1\u{202f}000", "0"]);
    }
}
