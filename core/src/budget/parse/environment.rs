//! The reader of `[env.NAME]`: which environments a file has, which of them this process is in, and what an environment
//! changes in a budget or in the settings.
//!
//! A table of an environment is laid over the table of the same name, and the result is read as if it were in the
//! file. So all rules hold for it, and the mistakes of every environment are found on every machine.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::budget_table::{self, BudgetTables, Draft};
use super::case;
use super::collect::Mistakes;
use super::key;
use super::name::name_fault;
use super::printable::quoted;
use super::problem::Problem;
use super::read::{self, Entry, Value};
use super::{reference, settings};
use crate::budget::environment::{
    ARCHITECTURES, Ci, Declared, EnvironmentFacts, MOST_CORES, NONE, NamedBy, SERVICES, SYSTEMS,
    VARIABLE, When, in_force,
};
use crate::budget::{Settings, spelling};

/// One `[env.NAME]`.
pub(super) struct Environment<'t> {
    pub name: &'t str,
    /// The place of its name.
    pub at: Range<usize>,
    table: &'t DeTable<'t>,
    when: Option<When>,
}

/// Reads the name and the condition of each environment, in the order of the file.
pub(super) fn read<'t>(tree: &'t DeTable<'t>, mistakes: &mut Mistakes<'_>) -> Vec<Environment<'t>> {
    let Some(entry) = read::entry(tree, "env") else { return Vec::new() };
    let Some(table) = entry.table(mistakes, "[env.NAME]") else { return Vec::new() };
    read::entries(table).iter().filter_map(|entry| environment(entry, mistakes)).collect()
}

fn environment<'t>(entry: &Entry<'t>, mistakes: &mut Mistakes<'_>) -> Option<Environment<'t>> {
    let name = entry.key;
    let fault = (name == NONE).then_some("means that no environment is in force");
    if let Some(fault) = name_fault(name).or(fault) {
        let title = format!("{} cannot be the name of an environment: it {fault}", quoted(name));
        mistakes.report(Problem::new(entry.at.clone(), title).help("write another name"));
    }
    let table = entry.table(mistakes, "[env.NAME]")?;
    read::check_keys(table, "an environment", key::ENVIRONMENTS, mistakes);
    if table.keys().all(|key| *key.get_ref() == "when") {
        let title = format!("the environment {} changes nothing", quoted(name));
        let help =
            format!("write [env.{name}.budget.NAME] with the limits that differ, or remove it");
        mistakes.report_absence(Problem::new(entry.at.clone(), title).help(help));
    }
    let when = read::entry(table, "when").and_then(|entry| when(&entry, mistakes));
    Some(Environment { name, at: entry.at.clone(), table, when })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all other values of TOML are treated alike")]
fn when(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<When> {
    let example = "{ ci = true }, or ci = \"github\", os = \"linux\", arch = \"aarch64\"";
    let table = entry.table(mistakes, example)?;
    read::check_keys(table, "`when`", key::WHEN, mistakes);
    if table.is_empty() {
        let help = format!("write {example}, or remove it: the name can be given by `{VARIABLE}`");
        mistakes.report_absence(Problem::new(entry.value.span(), "`when` says nothing").help(help));
        return None;
    }
    let problems_before = mistakes.problems.len();
    let ci = read::entry(table, "ci").and_then(|entry| match entry.value.get_ref() {
        DeValue::Boolean(any) => Some(Ci::Any(*any)),
        _ => entry.known(mistakes, SERVICES.iter().map(|service| service.0)).map(Ci::Service),
    });
    let os = read::entry(table, "os").and_then(|e| e.known(mistakes, SYSTEMS.iter().copied()));
    let arch = read::entry(table, "arch");
    let arch = arch.and_then(|e| e.known(mistakes, ARCHITECTURES.iter().copied()));
    let processor = read::entry(table, "processor").and_then(|e| e.text(mistakes, "\"EPYC\""));
    let cores = read::entry(table, "cores").and_then(|entry| cores(&entry, mistakes));
    // A condition that has a mistake does not count as true.
    (mistakes.problems.len() == problems_before).then_some(When { ci, os, arch, processor, cores })
}

/// The most numbers of processors that one environment may name.
const MOST_COUNTS: usize = 16;

/// Reads a number of processors, or a list of such numbers that is not empty.
fn cores(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Vec<u32>> {
    let DeValue::Array(array) = entry.value.get_ref() else {
        return entry.count(mistakes, MOST_CORES).map(|count| vec![count]);
    };
    if array.is_empty() {
        let empty = Problem::new(entry.value.span(), "`cores` is an empty list");
        mistakes.report(empty.help("write a number such as 8, or [4, 8]"));
        return None;
    }
    if array.len() > MOST_COUNTS {
        let title = format!("`cores` has {} numbers, and may have {MOST_COUNTS}", array.len());
        let many = Problem::new(entry.value.span(), title);
        mistakes.report(many.help("name the machines by `processor` or PERF_BUDGET_ENV"));
        return None;
    }
    let each = array.iter().map(|value| Entry { key: entry.key, at: value.span(), value });
    let counts: Vec<Option<u32>> = each.map(|one| one.count(mistakes, MOST_CORES)).collect();
    counts.into_iter().collect()
}

/// Returns the index of the environment that is in force: the one that is named, or else the first whose `when` is true.
pub(super) fn chosen(
    all: &[Environment<'_>],
    here: &EnvironmentFacts,
    mistakes: &mut Mistakes<'_>,
) -> Option<usize> {
    let Some((name, by)) = &here.named else {
        return in_force(all.iter().map(|one| one.when.as_ref()), here);
    };
    let found = all.iter().position(|environment| environment.name == name);
    let by = match by {
        _ if found.is_some() || name == NONE => return found,
        NamedBy::Variable => VARIABLE,
        NamedBy::Option => "--env",
        NamedBy::Record => return None,
    };
    let Some(first) = all.first() else {
        let title = format!("`{by}` names the environment {}, and the file has none", quoted(name));
        let help = format!("its limits are the same everywhere; write [env.{name}] for others");
        mistakes.note(Problem::new(0..0, title).help(help));
        return None;
    };
    let names = || all.iter().map(|environment| environment.name);
    let near = spelling::nearest(name, names());
    let label = near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
    let known: Vec<_> = names().map(|name| format!("`{name}`")).collect();
    let help = format!("the file has {}; `{NONE}` is for none of them", known.join(", "));
    let title = format!("there is no environment {}, which `{by}` names", quoted(name));
    mistakes.report(Problem::new(first.at.clone(), title).label(label).help(help));
    None
}

impl Environment<'_> {
    /// Returns its name, its condition and its line, without what it changes.
    pub(super) fn declared(&self, mistakes: &Mistakes<'_>) -> Declared {
        let line = mistakes.line(&self.at);
        Declared { name: self.name.to_owned(), when: self.when.clone(), line }
    }

    /// Reads the settings in this environment. `below` are those of the file. `None` if the environment has no settings.
    pub(super) fn settings(
        &self,
        below: Option<&Entry<'_>>,
        mistakes: &mut Mistakes<'_>,
    ) -> Option<Settings> {
        let own = key::ENVIRONMENTS
            .iter()
            .map(|key| key.name)
            .filter(|&name| !NO_SETTINGS.contains(&name));
        let own: Vec<_> = own.filter_map(|name| self.table.get_key_value(name)).collect();
        if own.is_empty() {
            return None;
        }
        let mut table = match below.map(|entry| entry.value.get_ref()) {
            Some(DeValue::Table(table)) => table.clone(),
            _ => DeTable::new(),
        };
        for (key, value) in own {
            put(&mut table, key, value);
        }
        let value = Spanned::new(self.at.clone(), DeValue::Table(table));
        let entry = Entry { key: "settings", at: self.at.clone(), value: &value };
        Some(Self::report_new(mistakes, |mistakes| settings::read(&entry, mistakes)))
    }

    /// Reads the budgets that are different in this environment, each with its index in `tables`.
    pub(super) fn budgets(
        &self,
        below: &DeTable<'_>,
        tables: &BudgetTables<'_>,
        mistakes: &mut Mistakes<'_>,
    ) -> Vec<(usize, Draft)> {
        let Some(entry) = read::entry(self.table, "budget") else { return Vec::new() };
        let place = format!("[env.{}.budget.NAME]", self.name);
        let Some(table) = entry.table(mistakes, &place) else { return Vec::new() };
        if table.is_empty() {
            let title = format!("`env.{}.budget` has no budget", self.name);
            let help = format!("write {place} with the limits that differ");
            mistakes.report_absence(Problem::new(entry.at, title).help(help));
        }
        let mut drafts = Vec::new();
        for over in read::entries(table) {
            let Some(table) = over.table(mistakes, &place) else { continue };
            read::check_keys(
                table,
                "a budget in an environment",
                key::BUDGET_IN_ENVIRONMENT,
                mistakes,
            );
            if table.is_empty() {
                let title = format!("nothing of {} is changed", quoted(over.key));
                let help = "write max = { METRIC = LIMIT }, min, effort or timeout";
                mistakes.report_absence(Problem::new(over.at.clone(), title).help(help));
            }
            let Some(below) = read::entry(below, over.key) else {
                unknown(&over, tables, mistakes);
                continue;
            };
            let DeValue::Table(of_file) = below.value.get_ref() else { continue };
            let value = Spanned::new(below.value.span(), DeValue::Table(laid_over(of_file, table)));
            let laid = Entry { key: below.key, at: below.at, value: &value };
            let read = Self::report_new(mistakes, |mistakes| {
                // The cases are those of the budget itself, and are counted there.
                let mut draft = budget_table::budget(&laid, &mut { case::MOST_IN_FILE }, mistakes)?;
                mark(&mut draft, table, self.name);
                reference::check_draft(&draft, tables, mistakes);
                Some(draft)
            });
            let index = tables.names.get(over.key).copied().flatten();
            drafts.extend(index.zip(read));
        }
        drafts
    }

    /// Calls `read`, and drops the problems that it reports for the second time: the parts of the file that an environment
    /// does not change have the same mistakes in each environment.
    fn report_new<T>(mistakes: &mut Mistakes<'_>, read: impl FnOnce(&mut Mistakes<'_>) -> T) -> T {
        let (problems, notes) = (mistakes.problems.len(), mistakes.notes.len());
        let value = read(mistakes);
        mistakes.notes.truncate(notes);
        let new = mistakes.problems.split_off(problems);
        for problem in new {
            let same = |old: &Problem| old.at == problem.at && old.title == problem.title;
            if !mistakes.problems.iter().any(same) {
                mistakes.report(problem);
            }
        }
        value
    }
}

/// The keys of an environment that are not settings.
const NO_SETTINGS: [&str; 2] = ["when", "budget"];

fn unknown(over: &Entry<'_>, tables: &BudgetTables<'_>, mistakes: &mut Mistakes<'_>) {
    let names = tables.names.keys().copied();
    let near = if mistakes.is_shown() { spelling::nearest(over.key, names) } else { None };
    let label = near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
    let title = format!("there is no budget {}", quoted(over.key));
    let help = "an environment changes budgets of the file; write [budget.NAME] first";
    mistakes.report_absence(Problem::new(over.at.clone(), title).label(label).help(help));
}

/// Returns a budget's table with the other one laid over it. In `max` and `min` the other table replaces the limits of
/// each metric that it names, and elsewhere whole keys.
fn laid_over<'t>(below: &DeTable<'t>, over: &DeTable<'t>) -> DeTable<'t> {
    let mut table = below.clone();
    for (key, value) in over {
        let side = ["max", "min"].contains(&key.get_ref().as_ref());
        let mine = table.get_mut(key.get_ref().as_ref()).map(Spanned::get_mut);
        match (value.get_ref(), mine) {
            (DeValue::Table(new), Some(DeValue::Table(mine))) if side => {
                new.iter().for_each(|(metric, limit)| put(mine, metric, limit));
            }
            _ => put(&mut table, key, value),
        }
    }
    table
}

/// Puts a value into a table. The key, with its place, replaces an equal key.
fn put<'t>(table: &mut DeTable<'t>, key: &Spanned<std::borrow::Cow<'t, str>>, value: &Value<'t>) {
    table.remove(key.get_ref().as_ref());
    table.insert(key.clone(), value.clone());
}

/// Marks the limits that an environment sets.
fn mark(draft: &mut Draft, over: &DeTable<'_>, name: &str) {
    let name: Arc<str> = name.into();
    for limit in &mut draft.budget.limits {
        let side = read::entry(over, limit.bound.side());
        let Some(DeValue::Table(side)) = side.as_ref().map(|entry| entry.value.get_ref()) else {
            continue;
        };
        if side.contains_key(limit.metric.name().as_str()) {
            Arc::make_mut(limit).environment = Some(Arc::clone(&name));
        }
    }
}
