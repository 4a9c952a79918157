//! The comparison of budgets: which budgets there are, what each measures, and every limit.

use std::borrow::Cow;
use std::cmp::Ordering;

use perf_budget_core::budget::{
    Bound, Budget, Budgets, Build, Case, CaseFilter, Limit, Load, Settings, Waiver,
};
use perf_budget_core::metric::Metric;
use perf_budget_core::quantity::Quantity;

use super::change::{Change, Kind, same};
use super::settings::{self, Direction};
use super::shown;
use perf_budget_core::suite::names;

/// Compares the budgets of two states of the file.
pub(super) fn compare(
    before: Option<&Budgets>,
    after: Option<&Budgets>,
    changes: &mut Vec<Change>,
) {
    let defaults = Settings::default();
    let old: &[Budget] = before.map_or(&[], |file| &file.budgets);
    let new: &[Budget] = after.map_or(&[], |file| &file.budgets);
    let mut removed: Vec<&Budget> =
        old.iter().filter(|b| !new.iter().any(|n| n.name == b.name)).collect();
    for budget in new {
        let same_name = old.iter().find(|old| old.name == budget.name);
        // A removed budget that measures the same is the same budget under another name.
        let alike = |old: &&Budget| old.subject == budget.subject && old.cases == budget.cases;
        let old = match same_name {
            Some(old) => Some(old),
            None => removed.iter().position(alike).map(|at| removed.remove(at)),
        };
        let Some(old) = old else {
            changes.extend(limits(budget).map(|limit| only_in_one(Kind::Added, budget, limit)));
            continue;
        };
        let pair = Pair {
            old,
            new: budget,
            settings: (
                before.map_or(&defaults, |file| &file.settings),
                after.map_or(&defaults, |file| &file.settings),
            ),
        };
        pair.compare(changes);
    }
    for budget in removed {
        changes.extend(limits(budget).map(|limit| only_in_one(Kind::Removed, budget, limit)));
    }
}

/// Returns every limit of a budget; limits on slopes come last.
fn limits(budget: &Budget) -> impl Iterator<Item = &Limit> {
    let slopes = budget.scaling.iter().flat_map(|scaling| &scaling.limits);
    budget.limits.iter().chain(slopes).map(AsRef::as_ref)
}

/// Returns the change for a limit that only one of the states has.
fn only_in_one(kind: Kind, budget: &Budget, limit: &Limit) -> Change {
    let text = Some(shown::limit(limit));
    let removed = kind == Kind::Removed;
    let (before, after) = if removed { (text, None) } else { (None, text) };
    let line = (!removed).then_some(limit.line);
    let what = names::limit(budget, limit);
    Change { kind, what, before, after, weakens: removed, why: None, line }
}

/// A budget that both states have.
struct Pair<'a> {
    old: &'a Budget,
    new: &'a Budget,
    settings: (&'a Settings, &'a Settings),
}

impl Pair<'_> {
    fn compare(&self, changes: &mut Vec<Change>) {
        let (old, new) = (self.old, self.new);
        if old.name != new.name {
            let (from, to) = (Some(old.name.clone()), Some(new.name.clone()));
            changes.push(self.change(Kind::Renamed, "budget".to_owned(), (from, to), false));
        }
        if old.subject != new.subject {
            let texts = (Some(shown::subject(&old.subject)), Some(shown::subject(&new.subject)));
            changes.push(self.change(Kind::Changed, self.part("subject"), texts, true));
        }
        self.build(changes);
        if old.load != new.load {
            let text = |load: &Option<Load>| load.as_ref().map(ToString::to_string);
            let texts = (text(&old.load), text(&new.load));
            changes.push(self.change(Kind::Changed, self.part("load"), texts, true));
        }
        self.cases(changes);
        let (before, after) = self.settings;
        let (from, to) = (old.build.timeout, new.build.timeout);
        if from != to {
            let (from, to) =
                (from.unwrap_or(before.build_timeout), to.unwrap_or(after.build_timeout));
            let texts = settings::times(from, to);
            self.shift("build_timeout", settings::timeout(from, to), texts, changes);
        }
        if old.effort != new.effort {
            let (from, to) =
                (old.effort.unwrap_or(before.effort), new.effort.unwrap_or(after.effort));
            self.shift("effort", settings::effort(from, to), settings::times(from, to), changes);
        }
        if old.timeout != new.timeout {
            let (from, to) =
                (old.timeout.unwrap_or(before.timeout), new.timeout.unwrap_or(after.timeout));
            self.shift("timeout", settings::timeout(from, to), settings::times(from, to), changes);
        }
        if old.base != new.base {
            let word = |compared: bool| compared.to_string();
            let direction = if new.base { Direction::Stronger } else { Direction::Weaker };
            let texts = (word(old.base), word(new.base));
            self.shift("base", Some(direction), texts, changes);
        }
        if let (Some(from), Some(to)) = (&old.scaling, &new.scaling)
            && from.over != to.over
        {
            let texts = (Some(from.over.clone()), Some(to.over.clone()));
            changes.push(self.change(Kind::Changed, self.part("scaling over"), texts, true));
        }
        waiver((&old.waiver, &new.waiver), self.part("waive"), new.line, changes);
        self.limits(changes);
    }

    /// Compares how artifacts are built. A different build measures something else.
    fn build(&self, changes: &mut Vec<Change>) {
        let (old, new) = (&self.old.build, &self.new.build);
        let features = |build: &Build| match build.features.as_deref() {
            None => "the default ones".to_owned(),
            Some([]) => "none".to_owned(),
            Some(features) => features.join(", "),
        };
        let words = |words: &[String]| {
            if words.is_empty() { "none".to_owned() } else { words.join(" ") }
        };
        let profile = |build: &Build| build.profile.clone().unwrap_or_else(|| "release".to_owned());
        for (name, before, after) in [
            ("features", features(old), features(new)),
            ("profile", profile(old), profile(new)),
            ("wasm-opt", words(&old.wasm_opt), words(&new.wasm_opt)),
            ("build", words(&old.command), words(&new.command)),
        ] {
            if before != after {
                let texts = (Some(before), Some(after));
                changes.push(self.change(Kind::Changed, self.part(name), texts, true));
            }
        }
    }

    fn part(&self, name: &str) -> String {
        format!("{}: {name}", self.new.name)
    }

    fn change(
        &self,
        kind: Kind,
        what: String,
        (before, after): (Option<String>, Option<String>),
        weakens: bool,
    ) -> Change {
        let why = reason(self.old.why.as_deref(), self.new.why.as_deref());
        Change { kind, what, before, after, weakens, why, line: Some(self.new.line) }
    }

    /// Adds the change of a setting that is stricter in one direction; nothing if the setting stayed the same.
    fn shift(
        &self,
        name: &str,
        direction: Option<Direction>,
        (from, to): (String, String),
        changes: &mut Vec<Change>,
    ) {
        let Some(direction) = direction else { return };
        let weaker = direction == Direction::Weaker;
        let texts = (Some(from), Some(to));
        changes.push(self.change(direction.kind(), self.part(name), texts, weaker));
    }

    /// Compares the parameters. A removed case weakens the file, since it promised something; a case with other values
    /// makes another promise.
    fn cases(&self, changes: &mut Vec<Change>) {
        let (old, new) = (&self.old.cases, &self.new.cases);
        let has = |cases: &[Case], label: &str| cases.iter().any(|case| case.label == label);
        if !old.iter().any(|case| has(new, &case.label)) {
            let text =
                |cases: &[Case]| cases.iter().map(shown::params).collect::<Vec<_>>().join("; ");
            let texts = (Some(text(old)), Some(text(new)));
            changes.push(self.change(Kind::Changed, self.part("params"), texts, true));
            return;
        }
        for case in old {
            match new.iter().find(|other| other.label == case.label) {
                None => {
                    let what = format!("{}::{}", self.new.name, case.label);
                    let texts = (Some("this case".to_owned()), None);
                    changes.push(self.change(Kind::Removed, what, texts, true));
                }
                Some(other) if other.params != case.params => {
                    let texts = (Some(shown::params(case)), Some(shown::params(other)));
                    changes.push(self.change(Kind::Changed, self.part("params"), texts, true));
                }
                Some(_) => {}
            }
        }
        for case in new.iter().filter(|case| !has(old, &case.label)) {
            let what = format!("{}::{}", self.new.name, case.label);
            let texts = (None, Some("this case".to_owned()));
            changes.push(self.change(Kind::Added, what, texts, false));
        }
    }

    fn limits(&self, changes: &mut Vec<Change>) {
        let alike =
            |a: &Limit, b: &Limit| a.metric == b.metric && a.bound == b.bound && a.cases == b.cases;
        let (old, new) = (self.by_case(self.old), self.by_case(self.new));
        let mut removed: Vec<&Limit> = old.iter().map(AsRef::as_ref).collect();
        let mut added: Vec<&Limit> = Vec::new();
        for limit in new.iter().map(AsRef::as_ref) {
            let same = |old: &&Limit| alike(old, limit) && old.reference() == limit.reference();
            match removed.iter().position(same) {
                Some(at) => self.limit(removed.remove(at), limit, changes),
                None => added.push(limit),
            }
        }
        for limit in added {
            // The limit has another reference now, so the two limits cannot be compared.
            let Some(at) = removed.iter().position(|old| alike(old, limit)) else {
                changes.push(only_in_one(Kind::Added, self.new, limit));
                continue;
            };
            let old = removed.remove(at);
            changes.push(self.limit_change(Kind::Changed, old, limit, true));
        }
        for limit in removed {
            let why = reason(self.old.why.as_deref(), self.new.why.as_deref());
            changes.push(Change { why, ..only_in_one(Kind::Removed, self.new, limit) });
        }
    }

    /// Returns the limits of one state. If either state has limits on a metric for some cases only, each limit on this
    /// metric is split into one for each case that both states have, so that the limits can be compared.
    fn by_case<'l>(&self, budget: &'l Budget) -> Vec<Cow<'l, Limit>> {
        let has_some = |metric: &Metric| {
            let mut both = limits(self.old).chain(limits(self.new));
            both.any(|limit| limit.metric == *metric && !limit.cases.is_all())
        };
        let is_in =
            |budget: &Budget, case: &Case| budget.cases.iter().any(|own| own.label == case.label);
        let mut by_case = Vec::new();
        for limit in limits(budget) {
            if !has_some(&limit.metric) {
                by_case.push(Cow::Borrowed(limit));
                continue;
            }
            let of = budget.cases.iter().filter(|case| limit.cases.has(case));
            for case in of.filter(|case| is_in(self.old, case) && is_in(self.new, case)) {
                by_case.push(Cow::Owned(Limit { cases: CaseFilter::of(case), ..limit.clone() }));
            }
        }
        by_case
    }

    /// Compares a limit that both states have.
    fn limit(&self, old: &Limit, new: &Limit, changes: &mut Vec<Change>) {
        let ((from, unit), (to, other)) = (old.number(), new.number());
        if unit != other {
            changes.push(self.limit_change(Kind::Changed, old, new, true));
            return;
        }
        let name = format!("{} waive", names::limit(self.new, new));
        waiver((&old.waiver, &new.waiver), name, new.line, changes);
        let stays = same(from, to);
        if !stays {
            let weaker = (to > from) == (new.bound == Bound::Max);
            let kind = if weaker { Kind::Loosened } else { Kind::Tightened };
            changes.push(self.limit_change(kind, old, new, weaker));
        }
        let (Some(early), Some(late)) = (self.warning(old, 0), self.warning(new, 1)) else {
            return;
        };
        if old.warn.is_none() && new.warn.is_none() || same(early, late) {
            return;
        }
        let weaker = (late > early) == (new.bound == Bound::Max);
        if weaker || stays {
            let kind = if weaker { Kind::Loosened } else { Kind::Tightened };
            let text = |value| Some(Quantity::new(value, unit).to_string());
            let mut change = self.limit_change(kind, old, new, weaker);
            change.what += " warn";
            (change.before, change.after) = (text(early), text(late));
            changes.push(change);
        }
    }

    /// Returns the value beyond which a limit warns. `None` if it has a reference, since it then has no `warn`.
    fn warning(&self, limit: &Limit, state: usize) -> Option<f64> {
        let settings = [self.settings.0, self.settings.1][state];
        limit.reference().is_none().then(|| limit.warns_beyond(settings.warn_at))
    }

    fn limit_change(&self, kind: Kind, old: &Limit, new: &Limit, weakens: bool) -> Change {
        let (mut before, mut after) = (shown::limit(old), shown::limit(new));
        if before == after {
            let exact = |limit: &Limit| format!("{before} ({} in base units)", limit.number().0);
            (before, after) = (exact(old), exact(new));
        }
        let effective =
            |limit: &Limit, budget: &Budget| limit.why.clone().or_else(|| budget.why.clone());
        let (why_before, why_after) = (effective(old, self.old), effective(new, self.new));
        Change {
            kind,
            what: names::limit(self.new, new),
            before: Some(before),
            after: Some(after),
            weakens,
            why: reason(why_before.as_deref(), why_after.as_deref()),
            line: Some(new.line),
        }
    }
}

/// Compares a waiver. A new or longer waiver lets more pass, and it brings its own reason.
fn waiver(
    (old, new): (&Option<Waiver>, &Option<Waiver>),
    what: String,
    line: usize,
    changes: &mut Vec<Change>,
) {
    let until = |waiver: &Option<Waiver>| waiver.as_ref().map(|waiver| waiver.until);
    // `None` sorts before every date.
    let kind = match until(old).cmp(&until(new)) {
        Ordering::Less => Kind::Loosened,
        Ordering::Greater => Kind::Tightened,
        Ordering::Equal if old == new => return,
        Ordering::Equal => Kind::Changed,
    };
    let text = |waiver: &Option<Waiver>| {
        waiver.as_ref().map(|waiver| format!("until {} by {}", waiver.until, waiver.owner))
    };
    let why = |waiver: &Option<Waiver>| waiver.as_ref().map(|waiver| waiver.why.clone());
    changes.push(Change {
        kind,
        what,
        before: text(old),
        after: text(new),
        weakens: kind == Kind::Loosened,
        why: reason(why(old).as_deref(), why(new).as_deref()),
        line: Some(line),
    });
}

/// Returns the reason for a change: a `why` that is not the one from before.
fn reason(before: Option<&str>, after: Option<&str>) -> Option<String> {
    let after = after.map(str::trim).filter(|after| !after.is_empty())?;
    (before.map(str::trim) != Some(after)).then(|| after.to_owned())
}
