//! The budgets on commands and artifacts whose programs are known to be unchanged.
//!
//! A program is known to be unchanged only where cargo builds it from this repository, and where nothing but text differs.
//! Unlike for the test binary, there is no record of the sources that such a program is built from.

use std::fs;
use std::path::Path;

use perf_budget_core::budget::{Budget, Case, Subject};

use super::changed::Tree;
use super::mentions::{Sources, is_source};
use super::revisions::Revisions;
use super::usage::{RevisionFacts, roots};
use super::{listed, walks};

/// Returns the names of the budgets on commands and artifacts for which nothing has changed.
pub(super) fn unchanged(
    revisions: Revisions<'_>,
    tree: &Tree,
    known: &RevisionFacts,
) -> Vec<String> {
    let budgets = revisions.budgets.budgets.iter();
    let built: Vec<&Budget> =
        budgets.filter(|budget| is_built(budget, revisions.head.root)).collect();
    if built.is_empty() {
        return Vec::new();
    }
    let mut all = Sources::default();
    for path in tree.tracked.iter().filter(|path| is_source(path)) {
        if let Ok(text) = fs::read(revisions.head.top.join(path)) {
            all.add(path, &String::from_utf8_lossy(&text));
        }
    }
    let roots = roots(&known.inputs, &known.prefix);
    listed::add(&mut all, tree, &known.inputs, &roots, revisions.head.top);
    let is_walked = walks::walker(&all, &known.inputs.crates).is_some();
    let only_text_differs =
        tree.changes.iter().all(|change| known.is_text_alone(change, &all, is_walked));
    built.into_iter().filter(|_| only_text_differs).map(|budget| budget.name.clone()).collect()
}

/// Whether a budget depends on nothing but a program that cargo builds. One that is given a file depends on the file
/// too.
fn is_built(budget: &Budget, root: &Path) -> bool {
    let is_program = |text: &str| {
        let name = text.strip_prefix("{bin:").and_then(|rest| rest.strip_suffix('}'));
        name.is_some_and(|name| !name.contains(['{', '}', '/']))
    };
    let is_file = |text: &str| parts_of_argument(text).any(|path| root.join(path).exists());
    match &budget.subject {
        Subject::Artifact(patterns) => patterns.iter().all(|pattern| is_program(pattern)),
        Subject::Command(command) => {
            let Some((program, arguments)) = command.argv.split_first() else { return false };
            let env = command.env.iter().map(|(_, value)| value);
            let given: Vec<&String> = arguments.iter().chain(env).collect();
            // What a command with one of these keys reads and writes is not known.
            let is_alone = command.cwd.is_none()
                && command.stdin.is_none()
                && command.prepare.is_empty()
                && command.cleanup.is_empty();
            let names_no_file = |case: &Case| given.iter().all(|text| !is_file(&case.fill(text)));
            is_alone && is_program(program) && budget.cases.iter().all(names_no_file)
        }
        Subject::Workload(_) | Subject::Benchmark(..) | Subject::Record(_) => false,
    }
}

/// Returns the texts in an argument that may be paths: `@docs/a.md`, `--glob=docs/*.md`, `-Idocs`.
fn parts_of_argument(text: &str) -> impl Iterator<Item = &str> {
    let cut = text.split(|c: char| c.is_whitespace() || "@=:,;*?[]{}'\"".contains(c));
    let short = text.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
    let value = short.and_then(|rest| rest.get(1..));
    let value = value.into_iter().flat_map(|value| value.split(['=', ',', '*']));
    [text].into_iter().chain(cut).chain(value).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_program_that_cargo_builds_and_that_reads_no_file_is_known() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("data.json"), "").unwrap();
        let check = |subject: &str, want: bool| {
            let text = format!("[budget.b]\n{subject}\n");
            let file = perf_budget_core::budget::parse(&text, Path::new("budgets.toml")).unwrap();
            assert_eq!(is_built(&file.budgets[0], root.path()), want, "{subject}");
        };
        let size = "max = { size = \"1.1 x base\" }";
        check(&format!("artifact = \"{{bin:app}}\"\n{size}"), true);
        check(&format!("artifact = [\"{{bin:app}}\", \"data.json\"]\n{size}"), false);
        check(&format!("artifact = \"dist/*.js\"\n{size}"), false);
        let wall = "max = { wall_p50 = \"1.1 x base\" }";
        check(&format!("command = [\"{{bin:app}}\", \"--fast\"]\n{wall}"), true);
        check(&format!("command = [\"{{bin:app}}\", \"data.json\"]\n{wall}"), false);
        for beside in ["stdin = \"data.json\"", "prepare = [\"make\"]", "cwd = \".\""] {
            check(&format!("command = [\"{{bin:app}}\"]\n{beside}\n{wall}"), false);
        }
        fs::create_dir(root.path().join("docs")).unwrap();
        for given in
            ["--in=data.json", "@data.json", "--glob=docs/*.md", "docs/*.md", "-Idocs", "a:docs,x"]
        {
            check(&format!("command = [\"{{bin:app}}\", \"{given}\"]\n{wall}"), false);
        }
        check(&format!("command = [\"{{bin:app}}\", \"-Inone\", \"x=1\"]\n{wall}"), true);
        check(
            &format!(
                "command = [\"{{bin:app}}\", \"{{f}}\"]\nparams = {{ f = \"data.json\" }}\n{wall}"
            ),
            false,
        );
        check(&format!("command = [\"sh\", \"-c\", \"{{bin:app}}\"]\n{wall}"), false);
        check(&format!("workload = \"w\"\n{wall}").replace("wall_p50", "p50"), false);
    }
}
