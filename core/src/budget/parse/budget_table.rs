//! The reader of `[budget.NAME]`: the name of the budget, and the tables and keys below it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use toml::de::DeTable;

use super::case::Parameter;
use super::collect::Mistakes;
use super::declared::Declared;
use super::name::name_fault;
use super::printable::quoted;
use super::problem::Problem;
use super::read::{self, Entry};
use super::{build, case, key, limit, load, metric_name, scaling, subject, unit, waiver};
use crate::budget::{Budget, Build, Constraint, Subject, spelling};
use crate::metric::SubjectKind;

/// The budgets below `budget`.
#[derive(Default)]
pub(super) struct BudgetTables<'t> {
    /// The names of all budgets, each with its index in `budgets`. A budget with mistakes has no index.
    pub names: HashMap<&'t str, Option<usize>>,
    pub budgets: Vec<Draft>,
}

/// A budget, and the places of its limits in the text.
pub(super) struct Draft {
    pub budget: Budget,
    pub spans: Vec<std::ops::Range<usize>>,
}

/// The names that a budget cannot have, because they mean something else where a limit refers to a budget.
const RESERVED: [&str; 2] = ["base", "lock"];

/// Reads every budget.
pub(super) fn read<'t>(entry: &Entry<'t>, mistakes: &mut Mistakes<'_>) -> BudgetTables<'t> {
    let mut tables = BudgetTables::default();
    let Some(table) = entry.table(mistakes, "[budget.NAME]") else { return tables };
    let mut room = case::MOST_IN_FILE;
    let entries = read::entries(table);
    tables.names.reserve(entries.len());
    tables.budgets.reserve(entries.len());
    for entry in entries {
        let draft = budget(&entry, &mut room, mistakes);
        tables.names.insert(entry.key, draft.is_some().then_some(tables.budgets.len()));
        tables.budgets.extend(draft);
    }
    tables
}

/// Whether a budget on this kind of subject has units of its own, a load and a constraint on its process.
fn is_workload(kind: SubjectKind) -> bool {
    match kind {
        SubjectKind::Workload => true,
        SubjectKind::Artifact
        | SubjectKind::Command
        | SubjectKind::Criterion
        | SubjectKind::Divan
        | SubjectKind::Libtest
        | SubjectKind::Record => false,
    }
}

/// Reads one budget. `room` is how many more cases the file may have.
pub(super) fn budget(
    entry: &Entry<'_>,
    room: &mut usize,
    mistakes: &mut Mistakes<'_>,
) -> Option<Draft> {
    let name = entry.key;
    check_name(entry, mistakes);
    let table = entry.table(mistakes, "[budget.NAME]")?;
    let meant = check_keys(table, mistakes);
    let kind = subject::kind(table, &entry.at, &meant, mistakes);
    if let Some(kind) = kind {
        check_subject_keys(kind, table, mistakes);
    }
    let subject = kind.and_then(|kind| subject::read(kind, table, mistakes));
    let build = build::read(table, mistakes);
    if let Some(subject) = &subject {
        build::check(subject, &build, table, mistakes);
    }

    let params = read::entry(table, "params");
    let parameters = params.as_ref().map(|p| case::read(p, mistakes)).unwrap_or_default();
    let at = params.as_ref().map_or(&entry.at, |params| &params.at);
    let cases = case::cases(&parameters, at, room, mistakes);
    if let (Some(subject), Some(params)) = (&subject, &params) {
        check_use((subject, &build), &parameters, &params.at, mistakes);
    }

    let is_workload = kind.is_some_and(is_workload);
    let declared = if is_workload { unit::read(table, mistakes) } else { Declared::default() };
    let limits = kind
        .map(|kind| limit::read(kind, table, &parameters, &declared, mistakes))
        .unwrap_or_default();
    let growth = read::entry(table, "scaling");
    let scaling = kind
        .zip(growth.as_ref())
        .and_then(|(kind, entry)| scaling::read(kind, entry, &parameters, &declared, mistakes));
    unit::check(&declared, &limits, scaling.as_ref(), mistakes);
    check_some_limit(entry, table, &meant, mistakes);

    let load = read::entry(table, "load").filter(|_| is_workload);
    let load = load.and_then(|entry| load::read(&entry, &limits, scaling.as_ref(), mistakes));
    let constraint =
        if is_workload { subject::constraint(table, mistakes) } else { Constraint::default() };
    let why = read::entry(table, "why").and_then(|e| e.text(mistakes, "the reason in quotes"));
    let waiver = waiver::read(table, mistakes);
    let effort = read::entry(table, "effort").and_then(|e| e.duration(mistakes));
    let timeout = read::entry(table, "timeout").and_then(|e| e.duration(mistakes));
    let base = read::entry(table, "base").and_then(|e| e.truth(mistakes)).unwrap_or(true);
    let (spans, limits) = limits.into_iter().map(|draft| (draft.at, Arc::new(draft.limit))).unzip();
    let line = mistakes.line(&entry.at);
    let name = name.to_owned();
    let subject = subject?;
    let budget = Budget {
        name,
        subject,
        build,
        cases,
        limits,
        load,
        constraint,
        scaling,
        why,
        waiver,
        base,
        effort,
        timeout,
        line,
    };
    Some(Draft { budget, spans })
}

/// Reports parameters that the subject does not use, since every case would then be the same.
fn check_use(
    (subject, build): (&Subject, &Build),
    parameters: &[Parameter],
    at: &Range<usize>,
    mistakes: &mut Mistakes<'_>,
) {
    let what = match subject {
        Subject::Command(_) => "argument or variable of the command",
        Subject::Artifact(_) => "path of the artifact",
        // A workload asks for its parameters while it runs, so their use cannot be seen here.
        Subject::Workload(_) | Subject::Benchmark(..) | Subject::Record(_) => return,
    };
    let texts: Vec<&String> = subject.texts().into_iter().chain(&build.command).collect();
    for parameter in parameters {
        let mark = format!("{{{}}}", parameter.name);
        if !texts.iter().any(|text| text.contains(&mark)) {
            let title = format!("no {what} contains `{mark}`");
            let help =
                format!("write `{mark}` where the value belongs, or remove `{}`", parameter.name);
            mistakes.report(Problem::new(at.clone(), title).help(help));
        }
    }
}

/// Reports a budget without any limit. `meant` are the keys that misspelt ones were probably meant to be.
fn check_some_limit(
    entry: &Entry<'_>,
    table: &DeTable<'_>,
    meant: &[&str],
    mistakes: &mut Mistakes<'_>,
) {
    let has_limit = read::entry(table, "scaling").is_some() || holds_limit(table);
    if !has_limit && !meant.contains(&"max") && !meant.contains(&"min") {
        let title = format!("the budget {} has no limit", quoted(entry.key));
        mistakes.report_absence(
            Problem::new(entry.at.clone(), title).help("write max = { METRIC = LIMIT }, or min"),
        );
    }
}

/// Whether `max` or `min` has an entry, or has a mistake that is reported elsewhere.
fn holds_limit(table: &DeTable<'_>) -> bool {
    let sides = ["max", "min"].into_iter().filter_map(|side| read::entry(table, side));
    sides.into_iter().any(|side| side.value.get_ref().as_table().is_none_or(|t| !t.is_empty()))
}

fn check_name(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) {
    let name = entry.key;
    let fault = name_fault(name)
        .or(name.starts_with('-').then_some("starts with `-`, as options of the test runner do"))
        .or(RESERVED.contains(&name).then_some("is a word for something else in a limit"));
    if let Some(fault) = fault {
        let title = format!("{} cannot be the name of a budget: it {fault}", quoted(name));
        mistakes.report(Problem::new(entry.at.clone(), title).help("write another name"));
    }
}

/// Reports unknown keys. Returns the keys that misspelt ones were probably meant to be.
fn check_keys(table: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> Vec<&'static str> {
    let mut meant = Vec::new();
    for entry in read::unordered(table) {
        let word = entry.key;
        if key::BUDGET.iter().any(|key| key.name == word) {
            continue;
        }
        if metric_name::is_metric(word) {
            let title = format!("`{word}` is a metric, and belongs in `max` or `min`");
            mistakes.report(Problem::new(entry.at, title).help(format!("write max.{word} = ...")));
            meant.push("max");
            continue;
        }
        let near = spelling::nearest(word, key::BUDGET.iter().map(|key| key.name));
        let label = near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
        let all: Vec<_> = key::BUDGET.iter().map(|key| key.name).collect();
        let title = format!("unknown key {} in a budget", quoted(word));
        let help = format!("a budget has {}", all.join(", "));
        mistakes.report(Problem::new(entry.at, title).label(label).help(help));
        meant.extend(near);
    }
    meant
}

/// Reports keys that belong to another kind of subject.
fn check_subject_keys(kind: SubjectKind, table: &DeTable<'_>, mistakes: &mut Mistakes<'_>) {
    for entry in read::unordered(table) {
        let belongs_to_others =
            |key: &&key::Key| key.name == entry.key && !key.kinds.contains(&kind);
        let is_subject = subject::KEYS.iter().any(|subject| subject.0 == entry.key);
        if let Some(key) = key::BUDGET.iter().find(belongs_to_others).filter(|_| !is_subject) {
            let owners: Vec<_> = key.kinds.iter().map(|&kind| metric_name::noun(kind)).collect();
            let title = format!("`{}` is not for {}", key.name, metric_name::noun(kind));
            let help = match owners.split_last() {
                Some((last, [_, _, ..])) => {
                    format!("{} or {last}", owners[..owners.len() - 1].join(", "))
                }
                _ => owners.join(" or "),
            };
            let help = format!("remove it: it belongs to {help}");
            mistakes.report(Problem::new(entry.at, title).help(help));
        }
    }
}
