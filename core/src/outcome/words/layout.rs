//! The words about links: with how many links of each side a ratio was measured, and what a single link leaves open.

use crate::outcome::Outcome;
use crate::quantity::{Quantity, Unit};
use crate::verdict::Verdict;

/// How much longer or shorter the same code may take in another link, as a share. Between published versions of crates
/// in which nothing relevant had changed, equal to the last instruction, single links read up to 24 % slower and 19 %
/// faster, and once 37 % faster (`docs/real.md` has such pairs).
pub const LAYOUT: f64 = 0.25;

/// The links that a ratio was measured with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Linked {
    /// The number of links of each side.
    pub links: usize,
    /// The number of pairs of processes.
    pub pairs: usize,
    /// The largest share by which memory layout can change the ratio: [`LAYOUT`], or less if the operation waits.
    pub layout: f64,
}

impl Linked {
    /// Whether no two pairs had the same link of a side.
    fn are_own(self) -> bool {
        self.links == self.pairs
    }

    fn words(self) -> String {
        match self.links {
            1 => "one link of each side".to_owned(),
            links => format!("{links} links of each side"),
        }
    }
}

/// Returns a share as people read it. It may be less than a percent, if an operation waits most of the time.
fn percent(share: f64) -> Quantity {
    Quantity::new(share, Unit::Share)
}

/// Returns the note that says whether a ratio is about a typical link, or only about the links that there were.
pub fn linked(outcome: &Outcome, linked: Linked) -> String {
    let Linked { links, pairs, layout } = linked;
    let words = linked.words();
    if linked.are_own() && links > 1 {
        return format!(
            "the ratio of a typical link: the middle of {pairs} pairs, each with a link of either side that no other \
             pair had"
        );
    }
    let percent = percent(layout);
    let shared = if links == 1 {
        format!("measured with {words}")
    } else {
        format!("measured with {words}, which {pairs} pairs shared, as there were no more")
    };
    match outcome.verdict {
        Verdict::Fail => format!(
            "{shared}: where functions lie can make up to {percent}, and this is beyond the limit by more"
        ),
        Verdict::Pass
        | Verdict::Warn
        | Verdict::Inconclusive
        | Verdict::Unmeasured
        | Verdict::Skipped => format!(
            "{shared}: where functions lie can make up to {percent}, so a difference of that size may be hidden, and is not an \
             improvement"
        ),
    }
}

/// Returns the sentence of a limit that layout keeps from being settled: it is broken by less than layout can make, or
/// there were not enough links to show anything.
pub(super) fn unsettled(
    outcome: &Outcome,
    value: &str,
    side: &str,
    bound: &str,
    linked: Linked,
) -> String {
    let (Linked { pairs, layout, .. }, links) = (linked, linked.words());
    let begins =
        format!("no verdict: {} is {value} after {pairs} pairs of processes", outcome.metric);
    if outcome.evidence.is_some_and(|evidence| evidence.fail >= evidence.fail_at) {
        let percent = percent(layout);
        return format!(
            "{begins}, {side} the limit of {bound}, but with {links}: layout alone can make {percent}"
        );
    }
    let worst = outcome
        .worst()
        .map_or(String::new(), |(end, worst)| format!(" and may be as {end} as {worst}"));
    format!(
        "{begins}{worst}, with a limit of {bound}, and {links} were not enough: a limit farther from the value would settle \
         it, or more links where there can be more (`layouts`)"
    )
}
