//! A `Cargo.lock`: the sources of the crates, and the differences between two such files.

use std::collections::{BTreeMap, BTreeSet};

/// Returns the names of the crates that come from no registry and no repository: those of the project.
pub fn own_crates(lock: &str) -> BTreeSet<String> {
    let own = packages(lock).filter(|package| !package.is_foreign);
    own.map(|package| package.name.replace('-', "_")).collect()
}

/// Returns the dependencies that differ: `serde_json 1.0.140 -> 1.0.154`.
pub fn changed(before: &str, now: &str) -> Vec<String> {
    let versions = |lock: &str| {
        let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for package in packages(lock).filter(|package| package.is_foreign) {
            versions.entry(package.name.to_owned()).or_default().insert(package.version.to_owned());
        }
        versions
    };
    let (before, now) = (versions(before), versions(now));
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let only = |side: &BTreeMap<String, BTreeSet<String>>,
                other: &BTreeMap<String, BTreeSet<String>>,
                name: &String| {
        let others = other.get(name).cloned().unwrap_or_default();
        let own = side.get(name).into_iter().flatten().filter(|version| !others.contains(*version));
        own.cloned().collect::<Vec<_>>().join(" and ")
    };
    let difference = |name: &String| {
        let (was, is) = (only(&before, &now, name), only(&now, &before, name));
        match (was.is_empty(), is.is_empty()) {
            (true, true) => None,
            (true, false) => Some(format!("{name} {is} is new")),
            (false, true) => Some(format!("{name} {was} is gone")),
            (false, false) => Some(format!("{name} {was} -> {is}")),
        }
    };
    names.into_iter().filter_map(difference).collect()
}

struct Package<'a> {
    name: &'a str,
    version: &'a str,
    is_foreign: bool,
}

fn packages(lock: &str) -> impl Iterator<Item = Package<'_>> {
    lock.split("[[package]]").skip(1).filter_map(|package| {
        let value = |key: &str| {
            let line =
                package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""))?;
            line.strip_suffix('"')
        };
        Some(Package {
            name: value("name")?,
            version: value("version")?,
            is_foreign: value("source").is_some(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = r#"
version = 4

[[package]]
name = "my-app"
version = "0.1.0"
dependencies = [
 "serde",
]

[[package]]
name = "serde"
version = "1.0.1"
source = "registry+https://example.org"

[[package]]
name = "old"
version = "2.0.0"
source = "registry+https://example.org"
"#;

    #[test]
    fn a_package_without_a_source_is_the_projects_own() {
        assert_eq!(own_crates(BEFORE), BTreeSet::from(["my_app".to_owned()]));
    }

    #[test]
    fn changed_dependencies_are_named_with_their_versions() {
        let now = BEFORE.replace("1.0.1", "1.0.2").replace("old", "new").replace("0.1.0", "0.2.0");
        let want = ["new 2.0.0 is new", "old 2.0.0 is gone", "serde 1.0.1 -> 1.0.2"];
        assert_eq!(changed(BEFORE, &now), want);
        assert!(changed(BEFORE, BEFORE).is_empty());
    }
}
