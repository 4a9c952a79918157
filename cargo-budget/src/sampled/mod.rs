//! The functions of samples: what a red's worker has copied of its stacks, unwound and named, in the place of a profile.

mod code;
mod folder;
mod unwind;

use std::fmt::Write as _;
use std::path::Path;

use perf_budget_core::blame::{self, Stacks};
use perf_budget_core::outcome::{Blame, Outcome, Sampled, words};
use perf_budget_core::profile::Profile;
use perf_budget_core::record;
use perf_budget_core::samples::{Code, Samples};

use self::folder::{Folder, GONE};
use crate::failure::Failure;
use crate::text;

/// Names the functions of samples. `counted` is what instructions say of the same red.
///
/// # Errors
/// If the samples, or a program that they are of, are not there any more.
fn named(sampled: &Sampled, counted: Option<&Blame>, folder: &Folder) -> Result<Blame, String> {
    let side = |path: &str| {
        let samples = Samples::read(&folder.file(path)?).map_err(|e| e.to_string())?;
        unwind::stacks(&samples)
    };
    let written = Code::state(&folder.file(&sampled.now)?).map(|(_, at)| at);
    if written != Some(sampled.at) {
        return Err(GONE.to_owned());
    }
    let now = side(&sampled.now)?;
    let before: Option<Stacks> = sampled.before.as_deref().map(side).transpose()?;
    let mut found = blame::sampled(before.as_ref(), &now, sampled);
    if let Some(same) = counted.and_then(|counted| words::blame(counted).into_iter().next()) {
        found.remarks.insert(0, same);
    }
    found.is_of_memory = false;
    Ok(found)
}

/// Names the functions of these outcomes' samples, and writes the outcomes to the record again, so that a reader elsewhere
/// needs neither the samples nor the programs. The record is that of the project, whose samples are beside it. What cannot be
/// named stays as it is, since another release of the command may be able to. Returns what there is to say about each.
///
/// # Errors
/// If the record cannot be written.
pub(crate) fn complete(outcomes: &mut [Outcome], path: &Path) -> Result<String, Failure> {
    let folder = Folder::beside(path);
    let mut said = String::new();
    let mut done = Vec::new();
    for outcome in outcomes {
        let Some(sampled) = outcome.sampled.take() else { continue };
        let _ = writeln!(said, "{} by samples:", text::line(&outcome.test));
        match named(&sampled, outcome.blame.as_deref(), &folder) {
            Ok(blame) => {
                for line in words::blame(&blame) {
                    let _ = writeln!(said, "  {}", text::line(&line));
                }
                outcome.blame = Some(Box::new(blame));
                record::append(path, outcome)?;
                done.push(sampled);
            }
            Err(why) => {
                let why = format!("its samples have no names: {why}");
                let _ = writeln!(said, "  {}", text::line(&why));
                outcome.notes.push(why);
            }
        }
    }
    // Limits of one case share their samples.
    for sampled in &done {
        remove(sampled, &folder);
    }
    Ok(said)
}

/// Removes samples that nobody needs any more: a stack may contain anything that the program had in memory.
fn remove(sampled: &Sampled, folder: &Folder) {
    for file in [Some(&sampled.now), sampled.before.as_ref()].into_iter().flatten() {
        folder.remove(file);
    }
}

/// Names the functions of profiles that were sampled. `path` is the file of the profiles, whose samples are beside it.
pub(crate) fn complete_profiles(profiles: &mut [Profile], path: &Path) {
    let folder = Folder::beside(path);
    for profile in profiles {
        let Some(sampled) = profile.sampled.take() else { continue };
        match named(&sampled, profile.blame.as_deref(), &folder) {
            Ok(blame) => profile.blame = Some(Box::new(blame)),
            Err(why) if profile.blame.is_none() => {
                profile.why = format!("its samples have no names: {why}");
            }
            Err(_) => {}
        }
        remove(&sampled, &folder);
    }
}
