//! The files of the repository that a setting names: a compiler wrapper, a linker, a linker script, a program that runs tests.
//!
//! The content of such a file decides how everything is built or run. Neither cargo nor a comparison of settings looks at it:
//! if a commit changes only the script of a wrapper, the settings of both revisions are the same text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use hmac_sha256::Hash;

/// The words between the key of a setting and the path of a file that it names.
const CONTENT: &str = ": the content of ";
/// The options of a linker that a path follows without a space.
const OPTIONS: [&str; 4] = ["", "-T", "-L", "@"];

/// Returns the key of the setting that this key belongs to: itself, unless it is that of a file's content.
pub(super) fn setting(key: &str) -> &str {
    key.split_once(CONTENT).map_or(key, |(setting, _)| setting)
}

/// Whether this key is that of a file's content.
pub(super) fn is_content(key: &str) -> bool {
    key.contains(CONTENT)
}

/// Returns the digest of each file that these settings name, by the key of the setting and the path of the file. The
/// `directories` are those from which paths may start, the top of the repository last.
pub(super) fn contents(
    settings: &[(String, String)],
    directories: &[PathBuf],
) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let Some(top) = directories.last() else { return found };
    // The settings of a file that is included are known by themselves.
    for (key, text) in settings.iter().filter(|(key, _)| key != "include") {
        // An absolute path leads to the same file for both revisions.
        for path in paths(text).into_iter().filter(|path| Path::new(path).is_relative()) {
            for file in directories.iter().map(|directory| directory.join(&path)) {
                if let Some((path, digest)) = within(&file, top).zip(digest(&file)) {
                    let path = path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
                    found.insert(format!("{key}{CONTENT}{path}"), digest);
                }
            }
        }
    }
    found
}

/// Returns a file of this revision that a setting from outside of the repository names, and that has other content in the
/// base. `tops` are the tops of this revision's repository and of the base's checkout.
pub(super) fn of_head_alone(text: &str, [head, base]: [&Path; 2]) -> Option<PathBuf> {
    let is_of_head = |file: &PathBuf| {
        let own = file.is_absolute().then(|| within(file, head).zip(digest(file))).flatten();
        own.is_some_and(|(path, digest_of_head)| digest(&base.join(path)) != Some(digest_of_head))
    };
    paths(text).into_iter().map(PathBuf::from).find(is_of_head)
}

/// Returns the parts of a value that may be paths: `["-C", "link-arg=-Tlink.ld"]` has `link.ld`.
fn paths(text: &str) -> BTreeSet<String> {
    let quoted = text.split(['"', '\'']);
    let parts = text.split(|c: char| c.is_whitespace() || "\"'[]{},=\u{1f}".contains(c));
    let bare = |part: &'static str| move |text: &str| text.strip_prefix(part).map(str::to_owned);
    let all: Vec<&str> = quoted.chain(parts).collect();
    let paths = OPTIONS.iter().flat_map(|option| all.iter().copied().filter_map(bare(option)));
    paths.filter(|path| !path.is_empty()).collect()
}

/// Returns the path of a file relative to the top of the repository that it is in, links resolved.
fn within(file: &Path, top: &Path) -> Option<PathBuf> {
    let (file, top) = (file.canonicalize().ok()?, top.canonicalize().ok()?);
    file.strip_prefix(top).ok().map(Path::to_owned)
}

/// Returns the beginning of the digest of a file's content; `None` where it is no file.
fn digest(file: &Path) -> Option<String> {
    let content = file.is_file().then(|| fs::read(file).ok()).flatten()?;
    let digest = Hash::hash(&content);
    Some(digest.iter().take(6).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two revisions whose files `tools/wrap` and `link.ld` differ.
    fn two_revisions() -> (tempfile::TempDir, [PathBuf; 2]) {
        let place = tempfile::tempdir().unwrap();
        let tops = ["head", "base"].map(|name| {
            let top = place.path().join(name);
            fs::create_dir_all(top.join("member/tools")).unwrap();
            fs::write(top.join("member/tools/wrap"), name).unwrap();
            fs::write(top.join("link.ld"), name).unwrap();
            fs::write(top.join("same"), "").unwrap();
            top
        });
        (place, tops)
    }

    #[test]
    fn the_files_that_settings_name_are_found_in_whatever_form_they_are_named() {
        let (_place, [head, base]) = two_revisions();
        let check = |text: &str, want: &[&str]| {
            let all = |top: &PathBuf| {
                let setting = [("key".to_owned(), text.to_owned())];
                contents(&setting, &[top.join("member"), top.clone()])
            };
            let (head, base) = (all(&head), all(&base));
            let paths = head.keys().map(|key| key.strip_prefix("key: the content of ").unwrap());
            assert!(paths.eq(want.iter().copied()), "{text}: {head:?}");
            for (key, digest) in &head {
                assert_eq!(base.get(key) == Some(digest), key.ends_with("same"), "{key}");
                assert!(is_content(key) && setting(key) == "key");
            }
        };
        check("\"tools/wrap\"", &["member/tools/wrap"]);
        check("[\"-C\", \"link-arg=-Tlink.ld\"]", &["link.ld"]);
        check("--cfg one -Clink-arg=../link.ld -L same", &["link.ld", "same"]);
        check("['-C\u{1f}link-args=@same']", &["same"]);
        check("\"tools\"", &[]);
        check("\"/bin/sh\"", &[]);
        check("3", &[]);
        assert!(!is_content("build.rustc-wrapper"));
    }

    #[test]
    fn a_setting_that_leads_into_this_revision_is_found_if_the_base_has_another_file() {
        let (_place, tops) = two_revisions();
        let both = [tops[0].as_path(), tops[1].as_path()];
        let file = |name: &str| tops[0].join(name).to_str().unwrap().to_owned();
        assert_eq!(of_head_alone(&file("link.ld"), both), Some(tops[0].join("link.ld")));
        assert_eq!(
            of_head_alone(&format!("-Clink-arg=-T{}", file("link.ld")), both),
            Some(tops[0].join("link.ld"))
        );
        assert_eq!(of_head_alone(&file("same"), both), None);
        assert_eq!(of_head_alone("link.ld", both), None);
        fs::remove_file(tops[1].join("same")).unwrap();
        assert_eq!(of_head_alone(&file("same"), both), Some(tops[0].join("same")));
    }
}
