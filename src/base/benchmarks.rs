//! The benchmarks of both revisions, which the command has built to be compared.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use perf_budget_core::benchmarks::{Entry, List, stands_alone};
use perf_budget_core::budget::Library;
use perf_budget_core::build::BenchBuild;
use perf_budget_core::error::Error;
use perf_budget_core::handover::{Benchmarks, DifferentProgram, Programs, Written};
use perf_budget_core::metric::Metric;
use perf_budget_core::outcome::Proven;

use super::links::Links;

/// The benchmarks of both revisions, built in one way.
#[derive(Debug)]
pub(crate) struct BaseBenchmarks {
    pub(super) built: Benchmarks,
    /// The names of the base's benchmarks, with their libraries.
    names: Vec<(Library, String)>,
    /// Every form of such a name by which a benchmark is found, and whether its program serves it.
    forms: HashMap<Library, HashMap<String, bool>>,
    /// See [`unknown`].
    unknown: HashMap<Library, HashSet<String>>,
    /// The bench targets of the base whose benchmarks are not known.
    missing: Vec<String>,
    /// The benchmarks of this revision that are proven equal, in every form of their names.
    equal: HashMap<Library, HashMap<String, Proven>>,
    /// The programs that may differ, in which every form of a benchmark's name is found.
    different: HashMap<Library, HashMap<String, Arc<Different>>>,
}

/// A program of benchmarks that is not proven equal as a whole.
#[derive(Debug)]
pub(crate) struct Different {
    /// The links of both revisions. `None` if there is one of each side.
    pub(crate) links: Option<Arc<Links>>,
    /// The notes for every comparison of its times.
    pub(crate) notes: Vec<String>,
    /// The copies of both programs that show what a benchmark reaches, the base's first, and what they prove. `None` if
    /// everything is measured.
    pub(crate) watched: Option<([PathBuf; 2], Proven)>,
}

impl Different {
    fn from_handover(program: DifferentProgram, always: bool) -> Different {
        let DifferentProgram { links, first, notes, watched, .. } = program;
        let watched = watched.filter(|_| !always);
        Different {
            links: links.map(|more| Arc::new(Links::made_later(more, first))),
            notes,
            watched: watched.map(|copies| {
                let proven = copies.proven();
                ([copies.base, copies.head], proven)
            }),
        }
    }
}

impl BaseBenchmarks {
    /// Reads the lists of both revisions. With `always`, no proof is used.
    ///
    /// # Errors
    /// If a list is not there.
    pub(super) fn read(built: Benchmarks, always: bool) -> Result<BaseBenchmarks, Error> {
        let read = |file: &PathBuf| {
            List::read(file).ok_or_else(|| {
                Error::other(format!(
                    "failed to read the list of benchmarks `{}`; let `cargo budget check` write it",
                    file.display()
                ))
            })
        };
        let head = read(&built.head)?;
        let programs = built.programs.as_deref().map(Programs::read).transpose()?;
        let programs = programs.into_iter().flat_map(|known| known.programs);
        let programs: Vec<(Written, Arc<Different>)> = programs
            .map(|own| (own.program.clone(), Arc::new(Different::from_handover(own, always))))
            .collect();
        let mut equal: HashMap<Library, HashMap<String, Proven>> = HashMap::new();
        let mut different: HashMap<Library, HashMap<String, Arc<Different>>> = HashMap::new();
        for (library, entry) in entries(&head) {
            let program = &entry.program.written;
            let proven = built.equal.iter().find(|equal| equal.program == *program);
            // A program that was built anew since is a different program, for which the proof does not hold.
            let is_same = || Written::of(&entry.program.binary).is_ok_and(|now| now == *program);
            if let Some((_, own)) = programs.iter().find(|(own, _)| own == program && is_same()) {
                let different = different.entry(library).or_default();
                different.insert(entry.plain.to_owned(), Arc::clone(own));
                different.insert(entry.name.clone(), Arc::clone(own));
            }
            if let Some(proven) = proven.filter(|_| !always && is_same()) {
                let equal = equal.entry(library).or_default();
                equal.insert(entry.plain.to_owned(), proven.proven.clone());
                equal.insert(entry.name, proven.proven.clone());
            }
        }
        let base = built.base.as_ref().map(read).transpose()?;
        let unknown = base.as_ref().map(|base| unknown(&head, base)).unwrap_or_default();
        // If the base was not built, it has the same benchmarks.
        let base = base.unwrap_or(head);
        let (mut names, mut forms) = (Vec::new(), HashMap::new());
        for (library, entry) in entries(&base) {
            let forms: &mut HashMap<String, bool> = forms.entry(library).or_default();
            forms.insert(entry.plain.to_owned(), entry.skills.serves);
            forms.insert(entry.name.clone(), entry.skills.serves);
            names.push((library, entry.name));
        }
        let missing = base.missing.into_iter().map(|(_, target)| target).collect();
        Ok(BaseBenchmarks { built, names, forms, unknown, missing, equal, different })
    }

    /// Returns what is prepared for the program of a benchmark, if it may differ.
    pub(crate) fn different(&self, (library, name): (Library, &str)) -> Option<&Arc<Different>> {
        self.different.get(&library)?.get(name)
    }

    /// Whether the benchmarks were built in this way.
    pub(super) fn is_built_as(&self, how: &BenchBuild) -> bool {
        let Benchmarks { features, profile, all, .. } = &self.built;
        (features, profile, *all) == (&how.features, &how.profile, how.all)
    }

    /// Returns the names of the base's benchmarks of a library.
    pub(crate) fn names(&self, library: Library) -> impl Iterator<Item = &String> {
        self.names.iter().filter(move |(own, _)| *own == library).map(|(_, name)| name)
    }

    /// Returns the bench targets of the base whose benchmarks are not known.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &String> {
        self.missing.iter()
    }

    /// Whether the base has a benchmark of this name and can measure this metric of it, as far as is known.
    pub(super) fn has(&self, (library, name): (Library, &str), metric: &Metric) -> bool {
        let serves = self.forms.get(&library).and_then(|forms| forms.get(name));
        let is_unknown = self.unknown.get(&library).is_some_and(|forms| forms.contains(name));
        is_unknown || serves.is_some_and(|serves| *serves || stands_alone(library, metric))
    }

    /// Returns the proof that a benchmark runs the same code in both revisions.
    pub(super) fn proven(&self, (library, name): (Library, &str)) -> Option<&Proven> {
        self.equal.get(&library)?.get(name)
    }

    /// Discards every proof.
    pub(super) fn measure_always(&mut self) {
        self.equal.clear();
        for own in self.different.values_mut().flat_map(HashMap::values_mut) {
            let Different { links, notes, .. } = &**own;
            *own =
                Arc::new(Different { links: links.clone(), notes: notes.clone(), watched: None });
        }
    }

    /// Returns the file with the list of the base, or of this revision. `None` if the base was not built.
    pub(crate) fn list(&self, of_base: bool) -> Option<&PathBuf> {
        if of_base { self.built.base.as_ref() } else { Some(&self.built.head) }
    }

    /// Returns the notes for every comparison.
    pub(crate) fn notes(&self) -> &[String] {
        &self.built.notes
    }
}

/// Returns the names of this revision's benchmarks, in each of their forms, that the base may have in a program which could not
/// be built or listed there. These are all names that the base's other programs do not have, since a benchmark may have moved
/// between two targets. No benchmark is taken to have moved from a target that cannot be built in this revision either.
/// Nobody could compare the benchmarks of such a target, and each new benchmark would be red for ever.
fn unknown(head: &List, base: &List) -> HashMap<Library, HashSet<String>> {
    let mut unknown: HashMap<Library, HashSet<String>> = HashMap::new();
    if base.faults.is_empty() {
        return unknown;
    }
    let known: HashSet<(Library, &str)> =
        entries(base).map(|(library, entry)| (library, entry.plain)).collect();
    let may_have_moved =
        base.missing.is_empty() || base.missing.iter().any(|target| !head.missing.contains(target));
    for (library, entry) in entries(head) {
        let is_found = known.contains(&(library, entry.plain));
        if base.may_lack(entry.program) || may_have_moved && !is_found {
            unknown.entry(library).or_default().extend([entry.plain.to_owned(), entry.name]);
        }
    }
    unknown
}

/// Returns every benchmark of a list, with its library.
fn entries(list: &List) -> impl Iterator<Item = (Library, Entry<'_>)> {
    Library::ALL
        .into_iter()
        .flat_map(|library| list.entries(library).into_iter().map(move |entry| (library, entry)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a list of programs of Criterion with these benchmarks, and without the target `broken`.
    fn list(programs: &[(&str, &str)], broken: Option<&str>) -> List {
        let program = |&(target, name): &(&str, &str)| {
            serde_json::json!({
                "package": "kit", "directory": "/w", "target": target, "binary": "/t/b", "variables": {},
                "written": { "path": "/t/b", "bytes": 9, "modified": 1 },
                "content": { "criterion": {
                    "skills": { "exact": true, "quick": true, "serves": false }, "names": [name],
                } },
            })
        };
        let programs: Vec<_> = programs.iter().map(program).collect();
        let fault = serde_json::json!({ "cause": "exited-badly", "text": "oops", "output": null });
        let faults: Vec<_> = broken.iter().map(|_| fault.clone()).collect();
        let missing: Vec<_> = broken.iter().map(|target| ("kit", target)).collect();
        let list = serde_json::json!({
            "version": 4, "programs": programs, "faults": faults, "missing": missing, "note": "",
        });
        perf_budget_core::exact::from_tree(list).unwrap()
    }

    /// A benchmark that is new in one target may come from another target, whose benchmarks in the base are not known.
    #[test]
    fn a_benchmark_that_may_have_moved_is_not_new() {
        let head = list(&[("sums", "sum"), ("more", "moved")], None);
        let unknown_names = |base: &List| {
            let found = unknown(&head, base).remove(&Library::Criterion).unwrap_or_default();
            let mut found: Vec<String> = found.into_iter().collect();
            found.sort_unstable();
            found
        };
        assert_eq!(unknown_names(&list(&[("more", "sum")], Some("sums"))), ["moved", "sum"]);
        assert_eq!(unknown_names(&list(&[("sums", "sum")], Some("more"))), ["moved"]);
        assert_eq!(
            unknown_names(&list(&[("sums", "sum"), ("more", "moved")], Some("third"))),
            [""; 0]
        );
        assert_eq!(
            unknown_names(&list(&[("sums", "sum"), ("more", "other")], Some("third"))),
            ["moved"]
        );
        // Neither revision can build the target `gated`.
        let head = list(&[("sums", "sum"), ("more", "new")], Some("gated"));
        let base = list(&[("sums", "sum")], Some("gated"));
        assert_eq!(unknown(&head, &base), HashMap::new());
        // All benchmarks of this base are known, so `moved` is new.
        assert_eq!(unknown_names(&list(&[("sums", "sum")], None)), [""; 0]);
    }
}
