//! The workflows that GitHub runs: actions are pinned, and a release has the same targets wherever they are listed.

use std::collections::BTreeSet;

use super::{Text, none, text, texts};

/// Returns the files that name actions: the workflows, the action itself, and the workflow that `init` writes.
fn workflows() -> Vec<Text> {
    let mut found: Vec<Text> = texts(".github/workflows");
    for path in ["action.yml", "cargo-budget/src/init/workflow.yml"] {
        found.push(Text { path: path.into(), text: text(path) });
    }
    found
}

/// A tag can be moved to other code, and a digest cannot. The comment after a digest names its version.
#[test]
fn every_action_is_pinned_by_its_digest() {
    let mut loose = Vec::new();
    let mut digests: BTreeSet<(String, String)> = BTreeSet::new();
    for file in workflows() {
        let used = file.text.lines().map(|line| line.trim_start().trim_start_matches("- "));
        for used in used.filter_map(|line| line.strip_prefix("uses: ")) {
            if used == "./" {
                continue;
            }
            let (action, pin) = used.split_once('@').unwrap_or((used, ""));
            let (digest, version) = pin.split_once(" # v").unwrap_or((pin, ""));
            let is_digest = digest.len() == 40 && digest.chars().all(|c| c.is_ascii_hexdigit());
            if !is_digest || version.split('.').count() != 3 {
                loose.push(format!("{}: {used}", file.path));
            }
            let repository = action.splitn(3, '/').take(2).collect::<Vec<_>>().join("/");
            digests.insert((repository, pin.to_owned()));
        }
    }
    none(&loose, "these actions are not pinned as `OWNER/NAME@DIGEST # vX.Y.Z`");
    let repositories: BTreeSet<&String> =
        digests.iter().map(|(repository, _)| repository).collect();
    assert!(repositories.len() >= 5, "{repositories:?}");
    assert_eq!(repositories.len(), digests.len(), "an action has two versions: {digests:#?}");
}

/// Returns the targets that a text names, by the systems they end with.
fn targets(text: &str) -> BTreeSet<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let words = text.split(|c| !is_part(c));
    let systems =
        ["-apple-darwin", "-pc-windows-msvc", "-unknown-linux-gnu", "-unknown-linux-musl"];
    words.filter(|word| systems.iter().any(|system| word.ends_with(system))).collect()
}

#[test]
fn a_release_has_the_targets_that_are_installed() {
    let (built, collected) =
        (text(".github/workflows/release.yml"), text(".github/release/collect.sh"));
    let (built, collected) = (targets(&built), targets(&collected));
    assert_eq!(built.len(), 8, "{built:?}");
    assert_eq!(built, collected, "release.yml and collect.sh");
    let installed = text(".github/action/install.sh");
    let installed = targets(&installed);
    assert!(installed.len() == 6 && installed.is_subset(&built), "{installed:?}");
}

/// In a merge queue there is no branch that a pull request goes to. What is compared with nothing there is skipped, and so green.
#[test]
fn a_merge_queue_is_compared_with_its_base() {
    for path in ["action.yml", "cargo-budget/src/init/workflow.yml"] {
        assert!(text(path).contains("|| github.event.merge_group.base_sha || "), "{path}");
    }
    let path = "cargo-budget/src/init/workflow.yml";
    assert!(text(path).contains("\n  merge_group:\n"), "{path} does not run in a merge queue");
}

/// The names under which a release has its files are those by which they are looked for.
#[test]
fn archives_have_one_name() {
    for (path, name) in [
        (".github/release/pack.sh", "cargo-budget-$TARGET.tar.gz"),
        (".github/release/collect.sh", "cargo-budget-%s.tar.gz"),
        (".github/action/install.sh", "cargo-budget-$target.tar.gz"),
        ("cargo-budget/Cargo.toml", "{ name }-{ target }.tar.gz"),
    ] {
        assert!(text(path).contains(name), "{path} has no `{name}`");
    }
}

#[test]
fn the_book_has_one_builder() {
    let (run, ci) = (text(".ci/run"), text(".github/workflows/ci.yml"));
    let version = run.lines().find_map(|line| line.strip_prefix("mdbook=")).unwrap();
    let version = version.split(' ').next().unwrap();
    assert!(
        ci.contains(&format!("tool: mdbook@{version}\n")),
        "ci.yml does not use mdbook {version}"
    );
}
