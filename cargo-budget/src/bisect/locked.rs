//! The packages of `Cargo.lock` that differ between two commits, as the series that a search goes through: the sources
//! are those of the bad commit, and the packages are switched from the good commit's versions to the bad one's, one
//! more in each entry.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table};

use super::series::Series;
use crate::base::TemporaryWorkTree;
use crate::child;
use crate::failure::Failure;

/// The entries: first the sources alone, and then in each entry one more package. The entry after the last is the lock file
/// alone, with the sources of the good commit; only the search for a cause asks for it.
pub(super) struct Locked {
    /// The commit whose lock file is the first.
    good: String,
    /// The commit whose sources are built.
    bad: String,
    /// The lock file's path in the repository.
    path: PathBuf,
    before: DocumentMut,
    now: DocumentMut,
    /// The names of the packages that differ, each with its difference in words.
    pub(super) changed: Vec<(String, String)>,
}

/// The versions of each package, with the sources that they come from.
type Versions = BTreeMap<String, BTreeSet<String>>;

impl Locked {
    /// Compares both lock files, whose path in the repository is `path`.
    pub(super) fn new(
        [good, bad]: [&str; 2],
        path: PathBuf,
        [before, now]: [&str; 2],
    ) -> Result<Locked, Failure> {
        let (before, now) = (parse(before, &path)?, parse(now, &path)?);
        let (old, new) = (versions(&before), versions(&now));
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let words = |versions: Option<&BTreeSet<String>>| {
            let numbers =
                versions.into_iter().flatten().filter_map(|version| version.split(' ').next());
            let words = numbers.collect::<Vec<_>>().join(" and ");
            if words.is_empty() { "nothing".to_owned() } else { words }
        };
        let changed = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
        let changed = changed.map(|name| {
            (name.clone(), format!("{name} {} -> {}", words(old.get(name)), words(new.get(name))))
        });
        let changed = changed.collect();
        Ok(Locked { good: good.to_owned(), bad: bad.to_owned(), path, before, now, changed })
    }

    /// Returns the lock file in which this many of the packages are those of the bad commit.
    fn file(&self, switched: usize) -> String {
        if switched == self.changed.len() {
            return self.now.to_string();
        }
        let names: BTreeSet<&str> =
            self.changed[..switched].iter().map(|(name, _)| name.as_str()).collect();
        let is_foreign = |table: &&Table| table.get("source").is_some();
        let select = |file: &DocumentMut, wanted: &dyn Fn(&Table) -> bool| -> Vec<Table> {
            packages(file).filter(|table| wanted(table)).cloned().collect()
        };
        let is_switched = |table: &Table| names.contains(name(table));
        // The project's own packages are those of the sources that are built.
        let mut tables = select(&self.now, &|table| !is_foreign(&table) || is_switched(table));
        tables.extend(select(&self.before, &|table| is_foreign(&table) && !is_switched(table)));
        tables.sort_by_key(|table| (name(table).to_owned(), version(table)));
        // Without a new position, each package would be written where it was in its own file.
        let first = packages(&self.now).filter_map(Table::position).min().unwrap_or_default();
        for (at, table) in (first..).zip(&mut tables) {
            table.set_position(Some(at));
        }
        let mut file = self.now.clone();
        file.insert("package", Item::ArrayOfTables(tables.into_iter().collect::<ArrayOfTables>()));
        file.to_string()
    }

    /// Returns why cargo did not take exactly the versions with this many packages switched; `None` if it did.
    fn difference(&self, switched: usize, resolved: &DocumentMut) -> Option<String> {
        let (old, new, got) = (versions(&self.before), versions(&self.now), versions(resolved));
        let is_wrong = |(nth, (name, _)): &(usize, &(String, String))| {
            let wanted = if *nth < switched { new.get(name) } else { old.get(name) };
            // A package that nothing needs any more is not in the result.
            got.get(name).is_some_and(|got| Some(got) != wanted)
        };
        let (_, (name, _)) = self.changed.iter().enumerate().find(is_wrong)?;
        Some(format!(
            "the version of `{name}` cannot be told apart from the others: cargo takes them together"
        ))
    }
}

impl Series for Locked {
    fn len(&self) -> usize {
        self.changed.len() + 1
    }

    fn name(&self, at: usize) -> String {
        match at.checked_sub(1) {
            None => format!("{}-sources", self.bad),
            Some(package) if package == self.changed.len() => format!("{}-lock", self.bad),
            Some(package) => format!("{}-{}-{}", self.bad, at, self.changed[package].0),
        }
    }

    fn display_entry(&self, at: usize) -> String {
        match at.checked_sub(1) {
            None => "the sources, with the lock file of the good commit".to_owned(),
            Some(package) if package == self.changed.len() => {
                "the lock file, with the sources of the good commit".to_owned()
            }
            Some(package) => self.changed[package].1.clone(),
        }
    }

    fn commit(&self, _: usize) -> Option<&str> {
        None
    }

    fn entry_kind(&self) -> &'static str {
        "package"
    }

    fn switch(&self, beside: &TemporaryWorkTree, at: usize) -> Result<Result<(), String>, Failure> {
        let is_alone = at > self.changed.len();
        beside.switch(if is_alone { &self.good } else { &self.bad })?;
        let path = beside.top.join(&self.path);
        let switched = at.min(self.changed.len());
        std::fs::write(&path, self.file(switched)).map_err(|e| Failure::io("write", &path, &e))?;
        let mut cargo = child::cargo();
        cargo.args(["metadata", "--offline", "--format-version=1"]);
        let directory = path.parent().unwrap_or(&beside.top);
        let output = child::output(cargo.current_dir(directory));
        let output =
            output.map_err(|e| Failure::unmeasured(format!("failed to start cargo: {e}")))?;
        if !output.status.success() {
            let messages = String::from_utf8_lossy(&output.stderr).into_owned();
            let why =
                messages.lines().find(|line| line.starts_with("error")).unwrap_or("cargo failed");
            return Ok(Err(format!("cargo has no such versions here: {why}")));
        }
        let text = std::fs::read_to_string(&path).map_err(|e| Failure::io("read", &path, &e))?;
        Ok(self.difference(switched, &parse(&text, &path)?).map_or(Ok(()), Err))
    }
}

fn parse(text: &str, path: &Path) -> Result<DocumentMut, Failure> {
    text.parse()
        .map_err(|e| Failure::unmeasured(format!("`{}` cannot be read: {e}", path.display())))
}

fn packages(file: &DocumentMut) -> impl Iterator<Item = &Table> {
    file.get("package").and_then(Item::as_array_of_tables).into_iter().flat_map(ArrayOfTables::iter)
}

fn name(table: &Table) -> &str {
    table.get("name").and_then(Item::as_str).unwrap_or_default()
}

fn version(table: &Table) -> String {
    table.get("version").and_then(Item::as_str).unwrap_or_default().to_owned()
}

/// Returns the versions of the packages that are not the project's own.
fn versions(file: &DocumentMut) -> Versions {
    let mut versions = Versions::new();
    for table in packages(file) {
        let Some(source) = table.get("source").and_then(Item::as_str) else { continue };
        let version = format!("{} {source}", version(table));
        versions.entry(name(table).to_owned()).or_default().insert(version);
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(packages: &[(&str, &str)]) -> String {
        let own = "version = 4\n\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n".to_owned();
        packages.iter().fold(own, |text, (name, version)| {
            text + &format!(
                "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"registry+https://example.org\"\n"
            )
        })
    }

    #[test]
    fn packages_are_switched_one_after_the_other() {
        let before = lock(&[("a", "1.0.0"), ("b", "1.0.0"), ("gone", "1.0.0"), ("same", "1.0.0")]);
        let now = lock(&[("a", "1.1.0"), ("b", "2.0.0"), ("new", "1.0.0"), ("same", "1.0.0")]);
        let locked = Locked::new(["4567", "0123"], "Cargo.lock".into(), [&before, &now]).unwrap();
        let words: Vec<String> = (0..locked.len()).map(|at| locked.display_entry(at)).collect();
        assert_eq!(
            words[1..],
            [
                "a 1.0.0 -> 1.1.0",
                "b 1.0.0 -> 2.0.0",
                "gone 1.0.0 -> nothing",
                "new nothing -> 1.0.0"
            ]
        );
        let file = |at| locked.file(at).parse::<DocumentMut>().unwrap();
        let versions = |at| -> Vec<String> {
            let file = file(at);
            packages(&file).map(|table| format!("{} {}", name(table), version(table))).collect()
        };
        assert_eq!(versions(0), ["a 1.0.0", "b 1.0.0", "gone 1.0.0", "own 0.1.0", "same 1.0.0"]);
        assert_eq!(versions(1), ["a 1.1.0", "b 1.0.0", "gone 1.0.0", "own 0.1.0", "same 1.0.0"]);
        assert_eq!(versions(3), ["a 1.1.0", "b 2.0.0", "own 0.1.0", "same 1.0.0"]);
        assert_eq!(locked.file(4), now);
        assert_eq!(locked.difference(1, &file(1)), None);
        // A package that is gone need not be there.
        assert_eq!(locked.difference(2, &file(3)), None);
        assert!(locked.difference(1, &file(2)).unwrap().contains("`b` cannot be told apart"));
    }
}
