//! What identifies the build of what a test measures, and its limit, so that evidence is continued for the same one only.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use perf_budget_core::budget::{Reference, Subject, lock};
use perf_budget_core::suite::{ReadBy, Test};

use crate::subject::Sources;

/// Returns a hash that identifies the build of what a test measures, and the limit. `None` if the build cannot be
/// identified; then no evidence is continued.
pub(super) fn identity(sources: &Sources<'_>, test: &Test) -> Option<u64> {
    let (budgets, base) = (sources.budgets, sources.base);
    let mut files = vec![std::env::current_exe().ok()?];
    if test.reading == ReadBy::RECORDED {
        // Reading the same record again gives no new evidence.
        return None;
    }
    let limit = &test.limit;
    // A limit of another environment is another limit, even where its number is the same.
    let of = (&budgets.environment, limit.bound, &limit.target);
    let mut described = vec![format!("{of:?}")];
    let reference = match test.limit.reference() {
        Some(Reference::Budget(name)) => budgets.budgets.iter().find(|b| b.name == *name),
        _ => None,
    };
    for budget in [Some(&budgets.budgets[test.budget]), reference].into_iter().flatten() {
        described.push(format!(
            "{:?} {:?} {:?} {:?} {:?}",
            budget.subject, budget.build, budget.cases, budget.load, budget.constraint
        ));
        if matches!(budget.subject, Subject::Benchmark(..)) {
            files.extend(sources.benchmarks().programs(budget, test)?);
        }
        if let Subject::Command(command) = &budget.subject {
            let words = sources.built(budget, test.case, &command.argv).ok()?;
            let paths = words.iter().map(|word| budgets.root.join(word));
            files.extend(paths.filter(|path| path.is_file()));
            files.extend(command.stdin.iter().map(|file| budgets.root.join(file)));
        }
    }
    if test.limit.reference() == Some(&Reference::Lock) {
        files.push(lock::place(&budgets.path));
    }
    if let (Some(Reference::Base), Some(base)) = (test.limit.reference(), base) {
        let budget = &budgets.budgets[test.budget];
        if matches!(budget.subject, Subject::Benchmark(..)) {
            // The programs themselves are among the files already.
            let links = base.different(budget, test.case).and_then(|own| own.links.as_ref());
            files.extend(links.map_or(Some(Vec::new()), |links| links.identity())?);
        } else {
            files.extend(base.build().map(|build| build.binary.clone()));
            files.extend(base.links().identity()?);
            described.extend(base.link_notes.iter().cloned());
        }
    }
    fingerprint(files.iter().map(PathBuf::as_path), &described)
}

/// Returns the hash of each file's path, length and time, and of the rest. `None` if a file cannot be read.
fn fingerprint<'a>(files: impl IntoIterator<Item = &'a Path>, rest: &impl Hash) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    rest.hash(&mut hasher);
    for file in files {
        let data = file.metadata().ok()?;
        (file, data.len(), data.modified().ok()?).hash(&mut hasher);
    }
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_another_build() {
        let dir = std::env::temp_dir().join(format!("perf-budget-identity-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join("binary");
        std::fs::write(&file, "one").unwrap();
        let of = |limit: u32| fingerprint([file.as_path()], &limit);
        let before = of(1);
        assert!(before.is_some() && before == of(1) && before != of(2));
        std::fs::write(&file, "three").unwrap();
        assert_ne!(of(1), before);
        assert_eq!(fingerprint([dir.join("none").as_path()], &1), None);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
