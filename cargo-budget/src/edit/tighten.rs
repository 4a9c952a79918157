//! `cargo budget tighten` moves limits nearer to what was measured, and never loosens one.
//!
//! The module is pure: it takes the text, the budgets and the outcomes, and returns a new text with a sentence about
//! each limit.

#[cfg(test)]
#[path = "tighten_tests.rs"]
mod tests;

use perf_budget_core::budget::{Bound, Budget, Budgets, Limit, Reference};
use perf_budget_core::metric::{Better, Values};
use perf_budget_core::outcome::Outcome;
use perf_budget_core::quantity::{Quantity, Unit};

use super::headroom::{self, SuggestedLimit};
use super::number::{Rounding, Written, within_quotes};
use super::place::{Place, Tree};
use super::{Splices, diff};
use crate::failure::Failure;
use perf_budget_core::suite::names;

/// The planned new file.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The text with every limit tightened.
    pub(crate) text: String,
    /// The rows of the limits of the selected budgets, in the order of the file.
    pub(crate) rows: Vec<Row>,
}

/// One limit, and what is done with it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// The name of the limit, such as `merge::p99`.
    pub(crate) name: String,
    /// Whether the limit is tightened, with the reason.
    pub(crate) decision: Decision,
}

/// Whether a limit is tightened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Decision {
    /// The limit is tightened.
    Tightened {
        /// The sentence with the old and the new limit, and what the new one was derived from.
        sentence: String,
        /// Whether the new limit is so close that every run will warn.
        warns: bool,
    },
    /// The limit is already as tight as the measurement allows.
    Kept(String),
    /// There is no measurement by which it could be tightened.
    Skipped(String),
}

/// Plans to tighten the limits of the budgets in `names`, or all of them where `names` is empty. `clock` is the time
/// that a reading of the clock takes, in seconds; limits on single operations stay well above it.
pub(crate) fn plan(
    text: &str,
    budgets: &Budgets,
    outcomes: &[Outcome],
    names: &[String],
    headroom: Option<f64>,
    clock: f64,
) -> Result<Plan, Failure> {
    let tree = Tree::parse(text).map_err(Failure::usage)?;
    let (mut splices, mut rows) = (Splices::default(), Vec::new());
    for budget in selected(budgets, names)? {
        let slopes = budget.scaling.iter().flat_map(|scaling| &scaling.limits);
        for limit in budget.limits.iter().chain(slopes) {
            let edit = Edit { text, tree: &tree, budgets, budget, limit };
            let decision = match edit.suggested_limit(outcomes, headroom) {
                Ok(goal) => {
                    let goal = match (headroom, limit.warn) {
                        (None, None) => {
                            let (unit, warn_at) = (limit.number().1, budgets.settings.warn_at);
                            headroom::clear_of_warning(limit.bound, unit, goal, warn_at)
                        }
                        _ => goal,
                    };
                    let goal = headroom::clear_of_clock(&limit.metric, limit.bound, goal, clock);
                    edit.make(goal, &mut splices)?
                }
                Err(reason) => Decision::Skipped(reason),
            };
            rows.push(Row { name: names::limit(budget, limit), decision });
        }
    }
    let text = splices.apply(text);
    verify(&text, budgets)?;
    Ok(Plan { text, rows })
}

/// Returns the budgets with these names, or all of them where no name is given.
pub(crate) fn selected<'b>(
    budgets: &'b Budgets,
    names: &[String],
) -> Result<Vec<&'b Budget>, Failure> {
    let known = |name: &&String| budgets.budgets.iter().any(|budget| budget.name == **name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let all: Vec<&str> = budgets.budgets.iter().map(|budget| budget.name.as_str()).collect();
        return Err(Failure::usage(format!(
            "there is no budget `{unknown}` in `{}`; there are: {}",
            budgets.path.display(),
            all.join(", ")
        )));
    }
    let is_selected = |budget: &&Budget| names.is_empty() || names.contains(&budget.name);
    Ok(budgets.budgets.iter().filter(is_selected).collect())
}

/// Verifies that the edit did not break the file, and did not make any limit easier to hold.
fn verify(text: &str, before: &Budgets) -> Result<(), Failure> {
    let after = before.reparse(text).map_err(|e| {
        Failure::unmeasured(format!(
            "the edited file would not be valid, so nothing is written; please report this:\n{e}"
        ))
    })?;
    let changes = diff::compare(Some(before), Some(&after));
    match changes.iter().find(|change| change.kind != diff::Kind::Tightened) {
        None => Ok(()),
        Some(change) => Err(Failure::unmeasured(format!(
            "the edit would do more than tighten, so nothing is written; please report this: {}",
            change.sentence()
        ))),
    }
}

struct Edit<'a> {
    text: &'a str,
    tree: &'a Tree<'a>,
    budgets: &'a Budgets,
    budget: &'a Budget,
    limit: &'a Limit,
}

impl Edit<'_> {
    /// Returns the limit that the measurements suggest: that of the worst case.
    fn suggested_limit(
        &self,
        outcomes: &[Outcome],
        headroom: Option<f64>,
    ) -> Result<SuggestedLimit, String> {
        let Limit { metric, bound, .. } = self.limit;
        match self.limit.reference() {
            Some(reference @ (Reference::Base | Reference::Lock)) => {
                return Err(format!(
                    "it is a tolerance against `{reference}`, which changes by itself"
                ));
            }
            Some(Reference::Budget(_)) | None => {}
        }
        if metric.values() == Values::Code {
            return Err("an exit code cannot be tightened".to_owned());
        }
        if *bound == Bound::Min && metric.better() == Better::Lower {
            return Err(
                "it is a lower bound that only detects a measurement that went wrong".to_owned()
            );
        }
        let mut goal: Option<SuggestedLimit> = None;
        for name in self.tests(outcomes) {
            let outcome = outcomes.iter().find(|outcome| outcome.test == name);
            let outcome = outcome.ok_or_else(|| {
                format!("`{name}` is not in the last run; run `cargo test --release`")
            })?;
            if outcome.subject != names::subject(&self.budget.subject) {
                let was = &outcome.subject;
                return Err(format!("the last run measured `{was}`; run `cargo test --release`"));
            }
            let case_goal = headroom::suggested_limit(outcome, headroom)
                .map_err(|why| if name.contains('=') { format!("{name}: {why}") } else { why })?;
            if outcome.against.is_some_and(|against| against.unit != self.limit.number().1) {
                return Err(
                    "in the last run its limit had another unit; run the tests again".into()
                );
            }
            goal = Some(goal.map_or(case_goal, |goal| goal.looser(case_goal, *bound)));
        }
        goal.ok_or_else(|| match self.budget.pattern() {
            Some(_) => {
                "no benchmark of it is in the last run; run `cargo test --release`".to_owned()
            }
            None => "it has no test".to_owned(),
        })
    }

    /// Returns the names of the tests, one for each case. Only the run knows which benchmarks a pattern stands for.
    fn tests(&self, outcomes: &[Outcome]) -> Vec<String> {
        if self.budget.pattern().is_some() {
            let own = |outcome: &&Outcome| {
                let name = names::test(self.budget, &outcome.case, self.limit);
                outcome.budget == self.budget.name && outcome.test == name
            };
            return outcomes.iter().filter(own).map(|outcome| outcome.test.clone()).collect();
        }
        let cases = names::cases(self.budget, self.limit).into_iter();
        cases.map(|case| names::test(self.budget, case, self.limit)).collect()
    }

    /// Changes the limit to the goal, where that is tighter.
    fn make(&self, goal: SuggestedLimit, splices: &mut Splices) -> Result<Decision, Failure> {
        let (current, unit) = self.limit.number();
        let bound = self.limit.bound;
        let place = self.tree.place(self.budget, self.limit).ok_or_else(|| {
            Failure::unmeasured(format!(
                "failed to find where `{}` is written, in line {}; edit it by hand",
                names::limit(self.budget, self.limit),
                self.limit.line
            ))
        })?;
        let rounding = Rounding { bound, tolerance: goal.rounding_share(), whole: goal.is_whole() };
        let old = decoded(&self.text[place.target.clone()]);
        let new = Written::parse(&old).with(goal.limit, rounding);
        let value = Written::value(&new);
        let basis = headroom::basis(goal, bound, unit);
        let tighter = match bound {
            Bound::Max => value < current,
            Bound::Min => value > current,
        };
        if !tighter {
            let reason = format!("{basis} would give {new}, and the limit is {old}");
            return Ok(Decision::Kept(reason));
        }
        if self.limit.metric.values() == Values::Size && value < 1.0 {
            return Ok(Decision::Kept(format!("{basis}, which is less than one byte")));
        }
        splices.replace(place.target.clone(), encoded(&self.text[place.target.clone()], &new));
        self.move_warning(&place, value, splices);
        let remark = self.remark_on_warning(goal.value, value);
        let sentence = format!("{old} -> {new}: {basis}{remark}");
        Ok(Decision::Tightened { sentence, warns: !remark.is_empty() })
    }

    /// Moves a warning that would come after the new limit. It keeps its ratio to the limit.
    fn move_warning(&self, place: &Place, limit: f64, splices: &mut Splices) {
        let (Some(at), Some(warn)) = (&place.warn, self.limit.warn) else { return };
        let (late, side) = match self.limit.bound {
            Bound::Max => (warn.value > limit, Bound::Min),
            Bound::Min => (warn.value < limit, Bound::Max),
        };
        if late {
            let goal = limit * warn.value / self.limit.number().0;
            let rounding = Rounding { bound: side, tolerance: 0.01, whole: false };
            let raw = &self.text[at.clone()];
            let new = Written::parse(&decoded(raw)).with(goal, rounding);
            splices.replace(at.clone(), encoded(raw, &new));
        }
    }

    /// Returns what to add to the sentence if the new limit will warn; otherwise an empty text.
    fn remark_on_warning(&self, measured: f64, limit: f64) -> String {
        let (bound, unit) = (self.limit.bound, self.limit.number().1);
        let beyond = Limit::warns_by_default(limit, unit, bound, self.budgets.settings.warn_at);
        let (warns, used) = match bound {
            Bound::Max => (measured > beyond, measured / limit),
            Bound::Min => (measured < beyond, limit / measured),
        };
        if self.limit.warn.is_some() || !warns {
            return String::new();
        }
        format!("; {} of it is used, which warns", Quantity::new(used, Unit::Share))
    }
}

/// Returns the text of a written value, without its quotes.
fn decoded(raw: &str) -> String {
    let plain = ["0x", "0o", "0b"].iter().any(|radix| raw.starts_with(radix));
    match raw.parse::<toml_edit::Value>() {
        Ok(toml_edit::Value::String(text)) => text.value().clone(),
        Ok(toml_edit::Value::Integer(number)) if plain => number.value().to_string(),
        _ => raw.to_owned(),
    }
}

/// Returns a new value in the quotes of the old one.
fn encoded(raw: &str, new: &str) -> String {
    let at = within_quotes(raw);
    if at.start == 0 {
        return new.to_owned();
    }
    // Where the old text had escapes, the text after the number may need them too.
    if raw[at.clone()] == decoded(raw) {
        return format!("{}{new}{}", &raw[..at.start], &raw[at.end..]);
    }
    toml_edit::Value::from(new).to_string()
}
