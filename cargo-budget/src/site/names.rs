//! The names of the site's files. They are made of letters, digits and dashes alone, whatever a budget is called, and
//! differ even where letters of either case are the same.

use perf_budget_core::fnv;

/// The most letters of a name that are kept, so that a path stays short.
const KEPT: usize = 48;

/// Returns a name for a file, an anchor or a link: what can be read of the text, and its hash.
pub(super) fn slug(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let mut name: String = text.chars().take(KEPT).map(plain).collect();
    while name.contains("--") {
        name = name.replace("--", "-");
    }
    format!("{}-{:016x}", name.trim_matches('-'), fnv::hash(text.as_bytes()))
        .trim_start_matches('-')
        .to_owned()
}

/// Returns the path of the page of a budget. A budget with many tests has several.
pub(super) fn budget(name: &str, page: usize) -> String {
    format!("budget/{}{}.html", slug(name), suffix(page))
}

/// Returns the path of the page of a commit.
pub(super) fn commit(hash: &str, page: usize) -> String {
    format!(
        "commit/{}{}.html",
        if is_hash(hash) { hash.to_owned() } else { slug(hash) },
        suffix(page)
    )
}

/// Returns the path of a page of the overview.
pub(super) fn overview(page: usize) -> String {
    format!("index{}.html", suffix(page))
}

/// Returns the anchor of a test on its budget's page.
pub(super) fn anchor(test: &str) -> String {
    format!("t-{}", slug(test))
}

/// Returns whether this is the hash of a commit, as git writes it.
pub(super) fn is_hash(text: &str) -> bool {
    (40..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn suffix(page: usize) -> String {
    if page == 0 { String::new() } else { format!("-{}", page + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_safe_and_different() {
        let names = [
            "merge",
            "Merge",
            "../../etc/passwd",
            "a<b>&\"'",
            "CON",
            "",
            "日本",
            "x\0y",
            "a b",
            "a-b",
        ];
        let slugs: Vec<String> = names.iter().map(|name| slug(name)).collect();
        for slug in &slugs {
            let plain =
                slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            assert!(plain && slug.len() <= KEPT + 17 && !slug.starts_with('-'), "{slug}");
        }
        let distinct: std::collections::HashSet<&String> = slugs.iter().collect();
        assert_eq!(distinct.len(), names.len());
        assert!(slugs[0].starts_with("merge-"));
        assert!(slug(&"x".repeat(5000)).len() <= KEPT + 17);
    }

    #[test]
    fn commits_have_their_hash() {
        let hash = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(commit(hash, 0), format!("commit/{hash}.html"));
        assert_eq!(commit(hash, 2), format!("commit/{hash}-3.html"));
        assert!(commit("../x", 0).starts_with("commit/x-"));
    }
}
