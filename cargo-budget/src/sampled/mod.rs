//! The functions of samples: what a red's worker has copied of its stacks, unwound and named, in the place of a profile. And the
//! inlined functions of a profile.

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

/// Names the functions of samples. `counted` is what instructions say of the same red.
///
/// # Errors
/// If the samples, or a program that they are of, are not there any more.
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
        modules.for_each(Module::forget);
        stacks = stacks_of(&sides)?;
    }
    let inlined = || sides.iter().flat_map(|(_, modules)| modules).flat_map(|of| &of.inlined);
    if inlined().any(|inlined| inlined.bodies.are_missing()) {
        inlined().for_each(|inlined| inlined.bodies.forget());
        stacks = stacks_of(&sides)?;
    }
    let own = sampled.own.iter().cloned().collect();
    let has_lines = sides.iter().all(|(_, modules)| {
        modules.iter().any(|module| module.inlined.as_ref().is_ok_and(|of| of.knows(&own)))
    });
    let unread = sides.iter().flat_map(|(_, modules)| modules).find_map(Module::unread);
    let mut found = blame::sampled(stacks.get(1), &stacks[0], sampled);
    found.inlined = match unread {
        _ if has_lines => Some(Inlined::Named),
        Some(why) => {
            found.remarks.push(format!("inlined functions are counted in their callers: {why}"));
            None
        }
        None => Some(Inlined::Unknown),
    };
    if let Some(same) = counted.and_then(|counted| words::blame(counted).into_iter().next()) {
        found.remarks.insert(0, same);
    }
    found.is_of_memory = false;
    Ok(found)
}

/// Returns the stacks of each side.
fn stacks_of(sides: &[(Samples, Vec<Module>)]) -> Result<Vec<Stacks>, String> {
    sides.iter().map(|(samples, modules)| unwind::stacks(samples, modules)).collect()
}

/// Whether something of an outcome waits for its names.
pub(crate) fn is_unnamed(outcome: &Outcome) -> bool {
    let waits = |blame: &Blame| matches!(blame.inlined, Some(Inlined::Waiting(_)));
    outcome.sampled.is_some() || outcome.blame.as_deref().is_some_and(waits)
}

/// Names the functions of these outcomes' samples, and those that were inlined, and writes the outcomes to the record again, so that a
/// reader elsewhere needs neither the samples nor the programs. The record is that of the project, whose samples are beside it. What
/// cannot be named stays as it is, since another release of the command may be able to. Returns what there is to say about each.
///
/// # Errors
/// If the record cannot be written.
pub(crate) fn complete(outcomes: &mut [Outcome], path: &Path) -> Result<String, Failure> {
    let folder = Folder::beside(path);
    let mut said = String::new();
    let mut done = Vec::new();
    for outcome in outcomes {
        match name_inlined(outcome.blame.as_deref_mut(), &folder) {
            Some(Ok(file)) => {
                let _ = writeln!(said, "{} with inlined functions:", text::line(&outcome.test));
                for line in outcome.blame.iter().flat_map(|blame| words::blame(blame)) {
                    let _ = writeln!(said, "  {}", text::line(&line));
                }
                record::append(path, outcome)?;
                done.push(file);
            }
            Some(Err(why)) => {
                let _ = writeln!(said, "{}: {}", text::line(&outcome.test), text::line(&why));
            }
            None => {}
        }
        let Some(sampled) = outcome.sampled.take() else { continue };
        let _ = writeln!(said, "{} by samples:", text::line(&outcome.test));
        match name_functions(&sampled, outcome.blame.as_deref(), &folder) {
            Ok(blame) => {
                for line in words::blame(&blame) {
                    let _ = writeln!(said, "  {}", text::line(&line));
                }
                outcome.blame = Some(Box::new(blame));
                record::append(path, outcome)?;
                done.extend([sampled.now].into_iter().chain(sampled.before));
            }
            Err(why) => {
                let why = format!("its samples have no names: {why}");
                let _ = writeln!(said, "  {}", text::line(&why));
                outcome.notes.push(why);
            }
        }
    }
    // Limits of one case share their samples. A stack may contain anything that the program had in memory.
    for file in &done {
        folder.remove(file);
    }
    Ok(said)
}

/// Names the inlined functions of a blame whose counts by address wait for that, and returns their file. A blame that cannot
/// be completed says why, here; in the record it stays as it is.
fn name_inlined(blame: Option<&mut Blame>, folder: &Folder) -> Option<Result<String, String>> {
    let blame = blame?;
    let Some(Inlined::Waiting(waiting)) = blame.inlined.clone() else { return None };
    Some(match counted::name_functions(blame, &waiting, folder) {
        Ok(found) => {
            *blame = found;
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
