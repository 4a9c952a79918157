//! The names of functions in samples and in counts. The stacks that a worker has copied for a red limit are unwound and
//! named, and take the place of a profile. In a profile by counts, the inlined functions are named.

mod bodies;
mod code;
mod counted;
mod folder;
mod inlined;
mod unwind;

use std::fmt::Write as _;
use std::path::Path;

use perf_budget_core::blame::{self, Stacks};
use perf_budget_core::outcome::{Blame, Inlined, Outcome, Sampled, words};
use perf_budget_core::profile::Profile;
use perf_budget_core::record;
use perf_budget_core::samples::{Code, Samples};

use self::code::Module;
use self::folder::{Folder, GONE};
use crate::failure::Failure;
use crate::text;

/// Names the functions of samples. `counted` is the blame by instructions for the same red.
///
/// # Errors
/// If the samples, or a program that was sampled, are gone or have changed.
fn name_functions(
    sampled: &Sampled,
    counted: Option<&Blame>,
    folder: &Folder,
) -> Result<Blame, String> {
    let side = |path: &str| {
        let samples = Samples::read(&folder.file(path)?).map_err(|e| e.to_string())?;
        let modules = unwind::modules(&samples)?;
        Ok::<_, String>((samples, modules))
    };
    let written = Code::state(&folder.file(&sampled.now)?).map(|(_, at)| at);
    if written != Some(sampled.at) {
        return Err(GONE.to_owned());
    }
    let mut sides = vec![side(&sampled.now)?];
    sides.extend(sampled.before.as_deref().map(side).transpose()?);
    let mut stacks = stacks_of(&sides)?;
    if sides.iter().flat_map(|(_, modules)| modules).any(Module::is_late) {
        // A function that has a name on one side only would look as if it had changed.
        let modules = sides.iter_mut().flat_map(|(_, modules)| modules);
        modules.for_each(Module::forget_inlined);
        stacks = stacks_of(&sides)?;
    }
    let inlined = || sides.iter().flat_map(|(_, modules)| modules).flat_map(|m| &m.inlined);
    if inlined().any(|inlined| inlined.bodies.are_missing()) {
        inlined().for_each(|inlined| inlined.bodies.forget());
        stacks = stacks_of(&sides)?;
    }
    let own = sampled.own.iter().cloned().collect();
    let has_lines = sides.iter().all(|(_, modules)| {
        let mut inlined = modules.iter().flat_map(|module| &module.inlined);
        inlined.any(|inlined| inlined.has_tables_of(&own))
    });
    let unread = sides.iter().flat_map(|(_, modules)| modules).find_map(Module::unread);
    let mut blame = blame::sampled(stacks.get(1), &stacks[0], sampled);
    blame.inlined = match unread {
        _ if has_lines => Some(Inlined::Named),
        Some(why) => {
            blame.remarks.push(format!("inlined functions are counted in their callers: {why}"));
            None
        }
        None => Some(Inlined::Unknown),
    };
    if let Some(same) = counted.and_then(|counted| words::blame(counted).into_iter().next()) {
        blame.remarks.insert(0, same);
    }
    blame.is_of_memory = false;
    Ok(blame)
}

/// Returns the stacks of each side.
fn stacks_of(sides: &[(Samples, Vec<Module>)]) -> Result<Vec<Stacks>, String> {
    sides.iter().map(|(samples, modules)| unwind::stacks(samples, modules)).collect()
}

/// Whether an outcome has samples or counts whose functions have no names yet.
pub(crate) fn is_unnamed(outcome: &Outcome) -> bool {
    let waits = |blame: &Blame| matches!(blame.inlined, Some(Inlined::Waiting(_)));
    outcome.sampled.is_some() || outcome.blame.as_deref().is_some_and(waits)
}

/// Names the sampled and the inlined functions of these outcomes, and appends the outcomes to the record again. So a reader
/// on another machine needs neither the samples nor the programs. The record is that of the project, and the samples are in a
/// folder beside it. In the record, functions that cannot be named stay as they are, since another release of the command may
/// be able to name them. Returns the lines to show about each outcome.
///
/// # Errors
/// If the record cannot be written.
pub(crate) fn complete(outcomes: &mut [Outcome], path: &Path) -> Result<String, Failure> {
    let folder = Folder::beside(path);
    let mut shown = String::new();
    let mut done = Vec::new();
    for outcome in outcomes {
        match name_inlined(outcome.blame.as_deref_mut(), &folder) {
            Some(Ok(file)) => {
                let _ = writeln!(shown, "{} with inlined functions:", text::line(&outcome.test));
                for line in outcome.blame.iter().flat_map(|blame| words::blame(blame)) {
                    let _ = writeln!(shown, "  {}", text::line(&line));
                }
                record::append(path, outcome)?;
                done.push(file);
            }
            Some(Err(why)) => {
                let _ = writeln!(shown, "{}: {}", text::line(&outcome.test), text::line(&why));
            }
            None => {}
        }
        let Some(sampled) = outcome.sampled.take() else { continue };
        let _ = writeln!(shown, "{} by samples:", text::line(&outcome.test));
        match name_functions(&sampled, outcome.blame.as_deref(), &folder) {
            Ok(blame) => {
                for line in words::blame(&blame) {
                    let _ = writeln!(shown, "  {}", text::line(&line));
                }
                outcome.blame = Some(Box::new(blame));
                record::append(path, outcome)?;
                done.extend([sampled.now].into_iter().chain(sampled.before));
            }
            Err(why) => {
                let why = format!("its samples have no names: {why}");
                let _ = writeln!(shown, "  {}", text::line(&why));
                outcome.notes.push(why);
            }
        }
    }
    // The files are removed last, since limits of one case share their samples. They do not stay, since a stack may contain
    // anything that the program had in memory.
    for file in &done {
        folder.remove(file);
    }
    Ok(shown)
}

/// Names the inlined functions of a blame whose counts by address still lack them, and returns the file of the counts. If
/// that fails, this blame gets a remark that says why; the one in the record stays as it is.
fn name_inlined(blame: Option<&mut Blame>, folder: &Folder) -> Option<Result<String, String>> {
    let blame = blame?;
    let Some(Inlined::Waiting(waiting)) = blame.inlined.clone() else { return None };
    Some(match counted::name_functions(blame, &waiting, folder) {
        Ok(named) => {
            *blame = named;
            Ok(waiting.file)
        }
        Err(why) => {
            let why = format!("inlined functions are counted in their callers: {why}");
            // The counts no longer wait to be named, so that no message sends the user to the command that has just
            // failed.
            blame.inlined = None;
            blame.remarks.push(why.clone());
            Err(why)
        }
    })
}

/// Names the functions of profiles that were sampled. `path` is the file of the profiles, whose samples are beside it.
pub(crate) fn complete_profiles(profiles: &mut [Profile], path: &Path) {
    let folder = Folder::beside(path);
    for profile in profiles {
        if let Some(Ok(file)) = name_inlined(profile.blame.as_deref_mut(), &folder) {
            folder.remove(&file);
        }
        let Some(sampled) = profile.sampled.take() else { continue };
        match name_functions(&sampled, profile.blame.as_deref(), &folder) {
            Ok(blame) => profile.blame = Some(Box::new(blame)),
            Err(why) if profile.blame.is_none() => {
                profile.why = format!("its samples have no names: {why}");
            }
            Err(_) => {}
        }
        [Some(&sampled.now), sampled.before.as_ref()]
            .into_iter()
            .flatten()
            .for_each(|file| folder.remove(file));
    }
}
