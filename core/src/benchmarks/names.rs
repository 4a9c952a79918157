//! The names by which budgets find benchmarks.
//!
//! A name that two programs have is qualified by the program's target, and if that is not enough, by its package. A
//! pattern becomes one case of its budget for each benchmark, with the benchmark's name in the name of the test.

use std::collections::{HashMap, HashSet};

use glob::Pattern;

use super::{Abilities, Content, List, Program};
use crate::budget::{BENCHMARK, Budget, Case, Library, Param, Subject, spelling};
use crate::outcome::{Cause, Unmeasured};

/// The most names that are listed if the wanted one is missing.
const MOST_LISTED: usize = 8;

/// One benchmark in a list.
#[derive(Debug, Clone)]
pub struct Entry<'l> {
    /// Its name, qualified if two programs have it. No other benchmark of the list has this name.
    pub name: String,
    /// Its name as its library knows it.
    pub plain: &'l str,
    /// Its program.
    pub program: &'l Program,
    /// The abilities of the program.
    pub skills: Abilities,
    /// How many benchmarks of the program run when this name is its filter. More than one cannot be told apart.
    pub selected_with_it: usize,
}

/// Returns the beginning of a name whose end Criterion has cut off in its list; `None` if the list shows the whole name.
pub fn beginning(listed: &str) -> Option<&str> {
    /// The length in bytes from which Criterion cuts names off, at the end of a character.
    const LONGEST: usize = 100;
    let beginning = listed.strip_suffix("...")?;
    (LONGEST - 3..=LONGEST).contains(&beginning.len()).then_some(beginning)
}

impl List {
    /// Returns every benchmark of a library.
    pub fn entries(&self, library: Library) -> Vec<Entry<'_>> {
        let mut plain = Vec::new();
        for program in &self.programs {
            if let Some((its_library, skills, names)) = program.content.benchmarks()
                && its_library == library
            {
                let counts = names_with_counts(names).into_iter();
                plain.extend(counts.map(|(name, count)| (name, program, skills, count)));
            }
        }
        let (mut by_name, mut by_target) = (HashMap::new(), HashMap::new());
        for (name, program, ..) in &plain {
            *by_name.entry(*name).or_insert(0) += 1;
            *by_target.entry((*name, program.target.as_str())).or_insert(0) += 1;
        }
        let qualified = |name: &str, program: &Program| {
            let Program { package, target, .. } = program;
            if by_name[name] == 1 {
                name.to_owned()
            } else if by_target[&(name, target.as_str())] == 1 {
                format!("{target}:{name}")
            } else {
                format!("{package}:{target}:{name}")
            }
        };
        let named = plain.iter().map(|&(plain, program, skills, selected_with_it)| Entry {
            name: qualified(plain, program),
            plain,
            program,
            skills,
            selected_with_it,
        });
        named.collect()
    }

    /// Returns the benchmark of this name.
    ///
    /// # Errors
    /// If there is none, if several programs have it, or if its program cannot run it alone.
    pub fn find(&self, library: Library, name: &str) -> Result<Entry<'_>, Unmeasured> {
        let entries = self.entries(library);
        if let Some(found) = entries.iter().find(|entry| entry.name == name) {
            return found.check_runs_alone().map(|()| found.clone());
        }
        let same: Vec<&str> =
            entries.iter().filter(|e| e.plain == name).map(|e| e.name.as_str()).collect();
        if !same.is_empty() {
            let text = format!(
                "several programs have a benchmark `{name}`; name one of them: `{}`",
                same.join("`, `")
            );
            return Err(Unmeasured::new(Cause::Unsuitable, text));
        }
        // The benchmark may be in a program that could not be built or listed.
        if let Some(why) = self.fault() {
            let text = format!("no benchmark `{name}` was found: {}", why.text);
            return Err(Unmeasured { text, ..why });
        }
        let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        let text =
            format!("there is no benchmark `{name}`; {}", self.instead(library, name, &names));
        Err(Unmeasured::new(Cause::NotFound, text))
    }

    /// Says what there is instead of a benchmark.
    fn instead(&self, library: Library, name: &str, names: &[&str]) -> String {
        if let Some(near) = spelling::nearest(name, names.iter().copied()) {
            return format!("did you mean `{near}`?");
        }
        if names.is_empty() {
            return self.why_none(library);
        }
        let more = match names.len().saturating_sub(MOST_LISTED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let shown = &names[..names.len().min(MOST_LISTED)];
        format!("there are `{}`{more}", shown.join("`, `"))
    }

    /// Returns the bench targets of the programs with this content.
    pub fn targets_of(&self, content: &Content) -> Vec<&str> {
        let programs = self.programs.iter().filter(|program| program.content == *content);
        programs.map(|program| program.target.as_str()).collect()
    }

    /// Says why there is no benchmark of a library at all.
    pub fn why_none(&self, library: Library) -> String {
        if let (Library::Criterion, Some(why)) = (library, self.missing_harness_false()) {
            return why;
        }
        let others: Vec<String> =
            self.targets_of(&Content::Other).iter().map(|target| format!("`{target}`")).collect();
        match (library, &others[..]) {
            (Library::Criterion, []) => {
                "no package of the workspace has a bench target and depends on Criterion; benchmarks of Divan are limited by \
                 `divan = \"*\"`, and functions with `#[bench]` in bench targets by `libtest = \"*\"`"
                    .to_owned()
            }
            (Library::Criterion, _) => format!(
                "the bench targets {} are not Criterion's, or of a version before 0.3.4",
                others.join(", ")
            ),
            (Library::Divan, _) => "no bench target of the workspace has perf-budget-divan in the place of divan; write \
                                    `divan = { package = \"perf-budget-divan\", version = \"0.1\" }` in Cargo.toml"
                .to_owned(),
            (Library::Libtest, _) => {
                "no bench target of the workspace has a function with `#[bench]`".to_owned()
            }
        }
    }

    /// Names the bench targets that have the standard test harness and no benchmark. A target of Criterion is among them if
    /// it lacks `harness = false`, since cargo then replaces the `main` that `criterion_main!` makes.
    pub fn missing_harness_false(&self) -> Option<String> {
        let all = self.targets_of(&Content::Standard);
        let example = all.first()?;
        Some(format!(
            "the standard test harness is in `{}`, with no benchmark; a bench target of Criterion needs `harness = false` below its \
             `name = \"{example}\"` in Cargo.toml",
            all.join("`, `")
        ))
    }
}

impl Entry<'_> {
    /// Whether the list shows only the beginning of its name.
    pub fn is_cut(&self) -> bool {
        beginning(self.plain).is_some()
    }

    /// Refuses a benchmark that its program cannot run alone.
    fn check_runs_alone(&self) -> Result<(), Unmeasured> {
        let Entry { plain, program, selected_with_it, .. } = self;
        if *selected_with_it < 2 {
            return Ok(());
        }
        let target = &program.target;
        let text = match beginning(plain) {
            Some(_) => format!(
                "the program `{target}` has {selected_with_it} benchmarks whose names begin as `{plain}` does, and can run none of them \
                 alone, since Criterion lists the first 100 bytes of a name; give them names that differ before"
            ),
            None => format!(
                "the program `{target}` has {selected_with_it} benchmarks that are named `{plain}`, and nobody knows which of them is \
                 meant; give each a name of its own"
            ),
        };
        Err(Unmeasured::new(Cause::Unsuitable, text))
    }
}

/// Returns each name of a program's benchmarks once, with the number of benchmarks that run if it is the filter. For a name
/// that is cut off, the filter can only be its beginning.
fn names_with_counts(names: &[String]) -> Vec<(&str, usize)> {
    let mut counts = HashMap::new();
    let mut each: Vec<&str> = Vec::new();
    for name in names {
        let count = counts.entry(name.as_str()).or_insert(0);
        *count += 1;
        if *count == 1 {
            each.push(name);
        }
    }
    let runs = |name: &str| match beginning(name) {
        Some(beginning) => names.iter().filter(|other| other.starts_with(beginning)).count(),
        None => counts[name],
    };
    each.iter().map(|name| (*name, runs(name))).collect()
}

/// Gives a budget with a pattern one case for each benchmark of the list whose name matches it. Without a list it gives no
/// case.
pub fn expand(budget: &mut Budget, list: Option<&List>) {
    if let Some(pattern) = budget.pattern() {
        let Subject::Benchmark(library, _) = budget.subject else { return };
        budget.cases = list.map(|list| cases(library, &pattern, list)).unwrap_or_default();
    }
}

fn cases(library: Library, pattern: &Pattern, list: &List) -> Vec<Case> {
    let mut labels = HashSet::new();
    let mut cases = Vec::new();
    for entry in list.entries(library) {
        if !pattern.matches(&entry.name) && !pattern.matches(entry.plain) {
            continue;
        }
        let mut label = label(&entry.name);
        while !labels.insert(label.clone()) {
            label.push('~');
        }
        cases.push(Case { label, params: vec![(BENCHMARK.to_owned(), Param::Text(entry.name))] });
    }
    cases
}

/// Returns a name without the characters that cannot be a part of the name of a test.
fn label(name: &str) -> String {
    let plain = |c: char| if c.is_whitespace() || c.is_control() { '_' } else { c };
    let mut label: String = name.chars().map(plain).collect();
    for (bad, good) in [("::", "."), ("##[", "#[")] {
        label = label.replace(bad, good);
    }
    let label = label.trim_matches(':');
    if label.is_empty() { "_".to_owned() } else { label.to_owned() }
}
