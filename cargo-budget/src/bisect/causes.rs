//! The question whether the sources or the lock file made a limit red: each of the two is swapped for the base's.

use std::collections::BTreeSet;

use perf_budget_core::outcome::Outcome;

use super::asked::Asked;
use super::locked::Locked;
use super::range::{self, Range};
use super::rules::rules;
use super::running::Running;
use super::search::{Answer, Found, Search};
use super::series::Series as _;
use super::setup::{locked, prepare};
use super::snapshot;
use super::state::State;
use super::step::Comparison;
use crate::base::Beside;
use crate::failure::Failure;
use crate::file;
use crate::interrupt::Interrupt;
use crate::project::Project;

/// How many reds are explained; each takes several comparisons.
const MOST: usize = 3;

/// Returns what is to blame for the reds against the base, in words: the sources, the lock file with its package, or both
/// together. `base` is the commit that they were compared with. `asked` says how they are compared.
pub(crate) fn causes(
    project: &Project,
    base: &str,
    reds: &[Outcome],
    asked: &Asked<'_>,
    tell: &dyn Fn(&str),
) -> Result<String, Failure> {
    let compared = reds.iter().filter(|red| red.relative_to.as_deref() == Some("base"));
    let mut named: Vec<&Outcome> = Vec::new();
    for red in compared {
        if named.len() < MOST && named.iter().all(|known| known.budget != red.budget) {
            named.push(red);
        }
    }
    if named.is_empty() {
        return Ok("no limit against the base is red, so no cause is looked for\n".to_owned());
    }
    let bad = snapshot::commit(&project.root)?;
    let range = range::range(&project.root, &format!("{base}..{bad}"))?;
    let interrupt = Interrupt::watched();
    let beside = Beside::new(project, "causes", &range.good)?;
    let locked = match locked(project, &range, &beside)? {
        Ok(locked) => locked,
        Err(why) => return Ok(format!("the sources did it: {why}\n")),
    };
    let mut text = String::new();
    for red in named {
        let one = Asked { name: &red.test, ..*asked };
        // The other causes that are known are reported all the same.
        let caused = cause(project, &range, &one, &beside, &locked, &interrupt, tell);
        interrupt.check()?;
        let caused = caused
            .unwrap_or_else(|failure| format!("`{}`: no cause was found: {failure}\n", red.test));
        text.push_str(&caused);
    }
    Ok(text)
}

fn cause(
    project: &Project,
    range: &Range,
    asked: &Asked<'_>,
    beside: &Beside,
    locked: &Locked,
    interrupt: &Interrupt,
    tell: &dyn Fn(&str),
) -> Result<String, Failure> {
    let path = project.file();
    let rules = rules(&file::read(&path)?, &path, asked.name, None, &BTreeSet::new())?;
    let prepare = prepare(project, range, &rules, beside, asked.prepare)?;
    let mut running = Running {
        alpha: asked.alpha,
        effort: asked.effort,
        comparison: Comparison {
            beside,
            rules: &rules,
            target: asked.target,
            root: &project.root,
            prepare: prepare.as_deref(),
            layouts: asked.layouts,
            interrupt,
        },
        series: locked,
        good: &range.good,
        state: State::unkept(),
        most: 2 + Search::most(locked.len()),
        tell,
    };
    tell(&format!("looking for the cause of `{}` ({})", rules.test, rules.limit));
    let mut answer = |at: usize| running.answer(&locked.name(at), &locked.shown(at), Some(at));
    let [sources, lock] = [answer(0)?, answer(locked.len())?];
    let words = match (sources, lock) {
        (Answer::Unknown, _) | (_, Answer::Unknown) => {
            "cannot be told apart, as one of them was not measured without the other".to_owned()
        }
        (Answer::Red, Answer::Green) => "the sources did it".to_owned(),
        (Answer::Red, Answer::Red) => {
            "the sources did it, and so does the lock file alone".to_owned()
        }
        (Answer::Green, lock) => {
            let with = if lock == Answer::Red { "" } else { ", together with the sources" };
            match running.ask()? {
                Found::One(at) => format!("the lock file did it{with}: {}", locked.shown(at)),
                Found::Range(from, to) => {
                    let names: Vec<String> = (from..=to).map(|at| locked.shown(at)).collect();
                    format!("the lock file did it{with}: one of {}", names.join(", "))
                }
                Found::Holds => {
                    "it was not red when it was measured again, so no cause is named".to_owned()
                }
                Found::Unknown if lock == Answer::Red => {
                    "the lock file did it; its packages were not told apart".to_owned()
                }
                Found::Unknown => {
                    "cannot be told, as both together were not measured again".to_owned()
                }
            }
        }
    };
    Ok(format!("`{}`: {words}\n", rules.test))
}
