//! The placeholders `{bin:NAME}` and `{wasm:NAME}` in a budget's texts, which stand for the path of what cargo builds.

use super::product::Product;
use super::target::{Built, Kind, Target};
use crate::budget::{Budget, Build, Subject};
use crate::outcome::{Cause, Unmeasured};

/// Replaces each `{bin:NAME}` and `{wasm:NAME}` in a text by the path that `produce` returns. Returns the new text, and
/// the notes about how these were built.
///
/// # Errors
/// If a build fails, or a placeholder has no closing brace.
pub fn expand(
    text: &str,
    build: &Build,
    produce: &mut dyn FnMut(Product) -> Result<Built, Unmeasured>,
) -> Result<(String, Vec<String>), Unmeasured> {
    let (mut expanded, mut notes) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some((at, kind)) = next(rest) {
        let (before, after) = rest.split_at(at);
        let open = kind.mark();
        let Some((name, after)) = after[open.len()..].split_once('}') else {
            let text = format!("`{text}` has `{open}` without an end; close it with `}}`");
            return Err(Unmeasured::new(Cause::NotFound, text));
        };
        let built = produce(Product::Cargo(target(kind, name, build)))?;
        let path = built.path.to_str().ok_or_else(|| {
            let text = format!("the path of `{name}` is not UTF-8: `{}`", built.path.display());
            Unmeasured::new(Cause::Unsuitable, text)
        })?;
        expanded += before;
        expanded += path;
        if !notes.contains(&built.note) {
            notes.push(built.note);
        }
        rest = after;
    }
    Ok((expanded + rest, notes))
}

/// Whether a text has a placeholder for something that cargo builds.
pub fn names_a_target(text: &str) -> bool {
    next(text).is_some()
}

/// Whether anything must be built before a budget is measured.
pub fn has_any(budget: &Budget) -> bool {
    let is_benchmark = matches!(budget.subject, Subject::Benchmark(..));
    is_benchmark || !budget.build.command.is_empty() || needs_cargo(budget)
}

/// Whether cargo must build a binary or a module before a budget is measured.
pub fn needs_cargo(budget: &Budget) -> bool {
    let texts = budget.subject.texts();
    texts.into_iter().chain(&budget.build.command).any(|text| names_a_target(text))
}

/// Returns the position and the kind of the first placeholder in a text.
fn next(text: &str) -> Option<(usize, Kind)> {
    let marks = Kind::ALL.iter().filter_map(|&kind| Some((text.find(kind.mark())?, kind)));
    marks.min_by_key(|(at, _)| *at)
}

/// Returns what a placeholder stands for, in a budget with these options.
pub(super) fn target(kind: Kind, name: &str, build: &Build) -> Target {
    Target {
        kind,
        name: name.to_owned(),
        features: build.sorted_features(),
        profile: build.profile.clone().unwrap_or_else(|| "release".to_owned()),
        wasm_opt: if kind == Kind::Module { build.wasm_opt.clone() } else { Vec::new() },
    }
}
