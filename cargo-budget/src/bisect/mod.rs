//! The search for what made a limit red: the commit, or the dependency.
//!
//! Each step is a comparison with the good commit, by the same program and the same tests as `check --base`. A comparison
//! is run again until its evidence settles it, and its chance of a wrong answer is a part of that of the whole search.
//! The module decides which comparison comes next and when it is settled. It measures nothing and judges no values.

mod causes;
mod commits;
mod evidence;
mod locked;
mod range;
mod render;
mod rules;
mod running;
mod search;
mod series;
mod snapshot;
mod state;
mod step;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use perf_budget_core::outcome::Outcome;

use self::commits::Commits;
use self::locked::Locked;
use self::range::Range;
use self::rules::{Rules, rules};
use self::running::Running;
use self::search::Found;
use self::series::Series;
use self::state::State;
use self::step::Comparison;
use crate::base::{Beside, Target};
use crate::child;
use crate::failure::Failure;
use crate::file;
use crate::interrupt::Interrupt;
use crate::project::{Project, latest};

pub(crate) use self::causes::causes;
pub(crate) use self::render::Report;

/// The chance of a wrong answer in a whole search, where nobody asks for another.
pub(crate) const ALPHA: f64 = 0.01;
/// How long one comparison is measured at most, where nobody says.
pub(crate) const EFFORT: Duration = Duration::from_secs(600);

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// A budget or a test.
    pub(crate) name: &'a str,
    /// `GOOD..BAD`.
    pub(crate) range: &'a str,
    /// How much worse than at the good commit the metric may be, in place of the limit in the file.
    pub(crate) by: Option<f64>,
    /// The chance of a wrong answer in the whole search.
    pub(crate) alpha: f64,
    /// How long one comparison is measured at most.
    pub(crate) effort: Duration,
    pub(crate) prepare: Option<&'a str>,
    pub(crate) layouts: Option<u32>,
    pub(crate) target: &'a Target,
    /// Whether what an interrupted search has settled is forgotten.
    pub(crate) is_fresh: bool,
    /// Whether the packages of the lock file are searched, and not the commits.
    pub(crate) lock: bool,
}

/// Searches the commits of a range.
pub(crate) fn bisect(
    project: &Project,
    asked: &Asked<'_>,
    tell: &dyn Fn(&str),
) -> Result<Report, Failure> {
    let range = range::range(&project.root, asked.range)?;
    let path = project.file();
    let text = file::read(&path)?;
    let rules = rules(&text, &path, asked.name, asked.by, &reds(project))?;
    if range.is_merge_base {
        tell(&format!(
            "the good commit is not an ancestor of the bad one, so the search begins at their merge base {}",
            crate::text::short(&range.good)
        ));
    }
    let interrupt = Interrupt::watched();
    let beside = Beside::new(project, "bisect", &range.good)?;
    let prepare = prepare(project, &range, &rules, &beside, asked.prepare)?;
    let comparison = Comparison {
        beside: &beside,
        rules: &rules,
        target: asked.target,
        root: &project.root,
        prepare: prepare.as_deref(),
        layouts: asked.layouts,
        interrupt: &interrupt,
    };
    let commits = Commits { range: &range };
    let locked = if asked.lock { Some(locked(project, &range, &beside)?) } else { None };
    let series: &dyn Series = locked.as_ref().map_or(&commits, |locked| locked);
    let searches = beside.place.parent().unwrap_or(&beside.place);
    let mut running = Running {
        alpha: asked.alpha,
        effort: asked.effort,
        comparison,
        series,
        good: &range.good,
        state: State::read(searches, &identity(project, asked, &rules, &range), asked.is_fresh),
        most: 0,
        tell,
    };
    let found = running.search()?;
    let most = running.most;
    let tried = running.tried();
    let (mut own, mut commit) = (None, None);
    if let (Found::One(at) | Found::Range(_, at), None) = (found, &locked) {
        commit = Some(range::commit(&project.root, &range.commits[at])?);
    }
    if let (Found::One(at), None) = (found, &locked) {
        own = running.beside_parent(at)?;
    }
    running.state.forget();
    Ok(Report {
        test: rules.test.clone(),
        limit: rules.limit.clone(),
        good: range.good.clone(),
        bad: range.commits.last().cloned().unwrap_or_default(),
        entries: (0..series.len()).map(|at| (series.name(at), series.shown(at))).collect(),
        is_lock: asked.lock,
        is_compared: rules.is_compared,
        is_certain: tried.iter().all(|tried| tried.evidence.is_none()),
        alpha: asked.alpha,
        most,
        found,
        tried,
        commit,
        own,
    })
}

/// Returns the command that prepares each checkout of the good commit: the user's, and where the good commit does not have
/// the budget yet, one that puts the rules there, as its own harness must know the name.
fn prepare(
    project: &Project,
    range: &Range,
    rules: &Rules,
    beside: &Beside,
    own: Option<&str>,
) -> Result<Option<String>, Failure> {
    let own = own.map(str::to_owned);
    let before = crate::git::Repository::of(&project.root)?.budgets(&range.good)?;
    let Some(before) = before.filter(|_| rules.is_compared) else { return Ok(own) };
    let known = perf_budget_core::budget::parse(&before, Path::new("budgets.toml"));
    // A file that today's rules cannot read is not asked for its names.
    if known.is_ok_and(|file| file.budgets.iter().all(|budget| budget.name != rules.budget)) {
        let path = beside.results.join("rules.toml");
        std::fs::write(&path, &rules.text).map_err(|e| Failure::io("write", &path, &e))?;
        let copy = child::copy(&path, "budgets.toml");
        return Ok(Some(own.map_or(copy.clone(), |own| format!("{copy} && {own}"))));
    }
    Ok(own)
}

/// Returns what differs in the lock files of both ends of a range.
fn locked(project: &Project, range: &Range, beside: &Beside) -> Result<Locked, Failure> {
    let mut above = project.root.ancestors().enumerate();
    let found = above.find(|(_, directory)| directory.join("Cargo.lock").is_file());
    let path = found
        .and_then(|(levels, _)| {
            let directory = beside.above(levels)?;
            Some(directory.strip_prefix(&beside.top).ok()?.join("Cargo.lock"))
        })
        .unwrap_or_else(|| PathBuf::from("Cargo.lock"));
    let bad = range.commits.last().unwrap_or(&range.good);
    let [before, now] =
        [&range.good, bad].map(|commit| range::file_at(&project.root, commit, &path));
    let locked = Locked::new([&range.good, bad], path.clone(), [&before?, &now?])?;
    if locked.changed.is_empty() {
        return Err(Failure::usage(format!(
            "no package of `{}` differs between {} and {bad}, so none of them did it; leave `--lock` out",
            path.display(),
            range.good
        )));
    }
    Ok(locked)
}

/// Returns the tests that are red as far as the last runs say. A record that cannot be read says nothing, and is not
/// what is asked for here.
fn reds(project: &Project) -> BTreeSet<String> {
    let record = project.record();
    let record = record.is_file().then(|| project.read_record(&record).ok()).flatten();
    let red = record.map(|record| latest(&record)).unwrap_or_default();
    red.into_iter().filter(Outcome::is_red).map(|outcome| outcome.test).collect()
}

/// Returns everything that the answers of a search depend on.
fn identity(project: &Project, asked: &Asked<'_>, rules: &Rules, range: &Range) -> String {
    let mut rustc = child::program("rustc");
    let rustc = rustc.arg("-vV").current_dir(&project.root).output();
    let rustc = rustc.map(|output| output.stdout).unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION");
    let Asked { alpha, prepare, layouts, target, lock, .. } = asked;
    format!(
        "{version} {rules:?} {range:?} {alpha} {prepare:?} {layouts:?} {target:?} {lock} {:?} {:?} {}",
        project.root,
        std::env::var_os("RUSTFLAGS"),
        String::from_utf8_lossy(&rustc)
    )
}
