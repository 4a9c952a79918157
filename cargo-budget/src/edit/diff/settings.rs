//! The comparison of `[settings]`: how much evidence each verdict needs.

use std::time::Duration;

use perf_budget_core::budget::{BaseLimits, Budgets, CodegenUnits, Inconclusive, Settings};
use perf_budget_core::quantity::{Quantity, Unit};

use super::change::{Change, Kind, same};

/// Compares the settings of two states of the file.
pub(super) fn compare(before: &Budgets, after: &Budgets, changes: &mut Vec<Change>) {
    let (old, new) = (&before.settings, &after.settings);
    let mut add = |what: &str, order: Option<Direction>, texts: (String, String)| {
        let Some(direction) = order else { return };
        changes.push(Change {
            kind: direction.kind(),
            what: format!("[settings] {what}"),
            before: Some(texts.0),
            after: Some(texts.1),
            weakens: direction == Direction::Weaker,
            why: None,
            line: None,
        });
    };
    add("effort", effort(old.effort, new.effort), times(old.effort, new.effort));
    add("timeout", timeout(old.timeout, new.timeout), times(old.timeout, new.timeout));
    let times_of = times(old.build_timeout, new.build_timeout);
    add("build_timeout", timeout(old.build_timeout, new.build_timeout), times_of);
    let lock_times = times(old.lock_timeout, new.lock_timeout);
    add("lock_timeout", timeout(old.lock_timeout, new.lock_timeout), lock_times);
    // A smaller chance of a false red means that more evidence is needed before anything is red.
    let alphas = (old.alpha.to_string(), new.alpha.to_string());
    add("alpha", direction(old.alpha, new.alpha, Stricter::Greater), alphas);
    let shares = (share(old.warn_at), share(new.warn_at));
    add("warn_at", direction(old.warn_at, new.warn_at, Stricter::Smaller), shares);
    // Without `base`, only limits that name the base themselves are compared with it. For the other limits, that is as if
    // any change were allowed.
    let limit = |settings: &Settings| settings.base.as_ref().map(|base| base.limit);
    let (from, to) = (limit(old).unwrap_or(f64::MAX), limit(new).unwrap_or(f64::MAX));
    let text = |settings: &Settings| limit(settings).map_or("none".to_owned(), share);
    add("base", direction(from, to, Stricter::Smaller), (text(old), text(new)));
    add("base except", exceptions(old, new), (excepted(old), excepted(new)));
    // A measurement that is cut off is red or a warning. So less time is not stricter: it may leave more limits undecided.
    let total = |settings: &Settings| settings.total.map_or(f64::MAX, |time| time.as_secs_f64());
    let text =
        |settings: &Settings| settings.total.map_or("none".to_owned(), |time| times(time, time).0);
    add("total", direction(total(old), total(new), Stricter::Greater), (text(old), text(new)));
    let (from, to) = (f64::from(old.layouts), f64::from(new.layouts));
    let counts = (old.layouts.to_string(), new.layouts.to_string());
    add("layouts", direction(from, to, Stricter::Greater), counts);
    let listed = |globs: &[String]| globs.join(", ");
    let more = new.inert.iter().any(|glob| !old.inert.contains(glob));
    let fewer = old.inert.iter().any(|glob| !new.inert.contains(glob));
    // Changes of listed files are ignored, so a longer list is weaker.
    let inert = if more { Some(Direction::Weaker) } else { fewer.then_some(Direction::Stronger) };
    add("inert", inert, (listed(&old.inert), listed(&new.inert)));
    let units = |units: CodegenUnits| match units {
        CodegenUnits::AsBuilt => (0.0, "as built"),
        CodegenUnits::One => (1.0, "one"),
    };
    let (from, to) = (units(old.codegen_units), units(new.codegen_units));
    let words = (from.1.to_owned(), to.1.to_owned());
    // With `as built`, a red may be due to how the compiler happened to divide the code, and the tolerance has to allow
    // for that.
    add("codegen_units", direction(from.0, to.0, Stricter::Greater), words);
    let (from, to) = (strictness(old.inconclusive), strictness(new.inconclusive));
    let words = (from.1.to_owned(), to.1.to_owned());
    add("inconclusive", direction(from.0, to.0, Stricter::Greater), words);
}

/// Whether a change makes the gate stricter or weaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Stronger,
    Weaker,
}

impl Direction {
    pub(super) fn kind(self) -> Kind {
        match self {
            Direction::Stronger => Kind::Tightened,
            Direction::Weaker => Kind::Loosened,
        }
    }
}

/// Which of two values is stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stricter {
    Greater,
    Smaller,
}

/// Returns the direction of a change; `None` where the value stayed the same.
pub(super) fn direction(before: f64, after: f64, stricter: Stricter) -> Option<Direction> {
    if same(before, after) {
        return None;
    }
    let stronger = (after > before) == (stricter == Stricter::Greater);
    Some(if stronger { Direction::Stronger } else { Direction::Weaker })
}

/// Compares two efforts: with less time to measure, less is found.
pub(super) fn effort(before: Duration, after: Duration) -> Option<Direction> {
    direction(before.as_secs_f64(), after.as_secs_f64(), Stricter::Greater)
}

/// Compares two timeouts: a longer one is weaker, since something slow is red later.
pub(super) fn timeout(before: Duration, after: Duration) -> Option<Direction> {
    direction(before.as_secs_f64(), after.as_secs_f64(), Stricter::Smaller)
}

/// Returns two times as they are shown.
pub(super) fn times(before: Duration, after: Duration) -> (String, String) {
    let shown = |time: Duration| Quantity::new(time.as_secs_f64(), Unit::Seconds).to_string();
    (shown(before), shown(after))
}

fn share(value: f64) -> String {
    Quantity::new(value, Unit::Share).to_string()
}

/// Returns the tests that `base` leaves out, as text.
fn excepted(settings: &Settings) -> String {
    let all: Vec<&str> = settings.base.iter().flat_map(BaseLimits::excepted).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

/// Returns the direction of a change of the exceptions from `base`. A new exception weakens the gate even if another one was
/// removed. If one of the states has no `base`, there is nothing to compare.
fn exceptions(old: &Settings, new: &Settings) -> Option<Direction> {
    let (Some(before), Some(after)) = (&old.base, &new.base) else { return None };
    let added = after.except.iter().any(|pattern| !before.except.contains(pattern));
    let dropped = before.except.iter().any(|pattern| !after.except.contains(pattern));
    match (added, dropped) {
        (true, _) => Some(Direction::Weaker),
        (false, true) => Some(Direction::Stronger),
        (false, false) => None,
    }
}

/// Returns how strict a setting of `inconclusive` is, and its word.
fn strictness(inconclusive: Inconclusive) -> (f64, &'static str) {
    let rank = match inconclusive {
        Inconclusive::Warn => 0.0,
        Inconclusive::Fail => 1.0,
    };
    (rank, inconclusive.name())
}
