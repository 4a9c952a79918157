//! The pages as a book: each page is in the summary, every link leads somewhere, and every sample is in the language that
//! it names.
//!
//! Rust samples are compiled by doc tests, for which `src/lib.rs` includes the pages that have one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use perf_budget_core::budget;

use super::{Text, none, root, text, texts};

/// A block of code on a page.
struct Sample {
    /// The word after the three backticks.
    language: String,
    text: String,
    /// The page and the line, for messages.
    place: String,
}

/// Returns the pages that are published: those of the book, and the README.
fn pages() -> Vec<Text> {
    let mut pages: Vec<Text> =
        texts("docs").into_iter().filter(|page| is_page(&page.path)).collect();
    pages.push(Text { path: "README.md".into(), text: text("README.md") });
    pages
}

fn is_page(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|e| e == "md")
}

/// Returns the blocks of code of a page.
fn samples(page: &Text) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut open: Option<Sample> = None;
    for (i, line) in page.text.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        open = match (open, fence) {
            (None, Some(language)) => {
                let place = format!("{}:{}", page.path, i + 1);
                Some(Sample { language: language.into(), text: String::new(), place })
            }
            (Some(sample), Some(_)) => {
                samples.push(sample);
                None
            }
            (Some(mut sample), None) => {
                sample.text += line;
                sample.text += "\n";
                Some(sample)
            }
            (None, None) => None,
        };
    }
    assert!(open.is_none(), "{} has a block of code without an end", page.path);
    samples
}

/// Returns a page's text without its blocks of code and without code within lines.
fn prose(text: &str) -> String {
    let mut prose = String::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            prose += &line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        }
        prose += "\n";
    }
    prose
}

/// Returns the targets of a page's links that are not addresses.
fn links(page: &Text) -> Vec<String> {
    let prose = prose(&page.text);
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://")).map(str::to_owned).collect()
}

/// Returns the headings of a page, as they are written.
fn headings(text: &str) -> Vec<String> {
    let mut headings = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        is_code ^= line.trim_start().starts_with("```");
        let heading = line.trim_start_matches('#').strip_prefix(' ');
        if let (true, false, Some(heading)) = (line.starts_with('#'), is_code, heading) {
            headings.push(heading.trim().to_owned());
        }
    }
    headings
}

/// Returns the names by which links find the headings of a page, as both GitHub and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    for heading in headings(text) {
        let in_anchor = |c: char| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        };
        let name: String = heading.to_lowercase().chars().filter_map(in_anchor).collect();
        let times = seen.entry(name.clone()).or_default();
        anchors.insert(if *times == 0 { name } else { format!("{name}-{times}") });
        *times += 1;
    }
    anchors
}

#[test]
fn headings_have_the_names_that_links_use() {
    let page =
        "# The base from main's own run\n\n```sh\n# no heading\n```\n\n## `a_b`, c\n## `a_b`, c\n";
    let names: Vec<String> = anchors(page).into_iter().collect();
    assert_eq!(names, ["a_b-c", "a_b-c-1", "the-base-from-mains-own-run"]);
}

#[test]
fn every_page_is_in_the_summary_by_its_title() {
    let summary = Text { path: "docs/SUMMARY.md".into(), text: text("docs/SUMMARY.md") };
    let listed = links(&summary);
    let unique: BTreeSet<&String> = listed.iter().collect();
    assert_eq!(unique.len(), listed.len(), "a page is in docs/SUMMARY.md twice");
    let mut wrong = Vec::new();
    for page in texts("docs").iter().filter(|page| is_page(&page.path)) {
        let name = page.path.trim_start_matches("docs/");
        let titles = headings(&page.text);
        let title = titles.first().unwrap_or_else(|| panic!("{name} has no title"));
        if name != "SUMMARY.md" && !summary.text.contains(&format!("[{title}]({name})")) {
            wrong.push(format!("[{title}]({name})"));
        }
    }
    none(&wrong, "docs/SUMMARY.md does not have");
}

#[test]
fn links_lead_somewhere() {
    let mut dead = Vec::new();
    let mut count = 0;
    for page in texts("").iter().filter(|page| is_page(&page.path)) {
        let folder = Path::new(&page.path).parent().unwrap();
        for target in links(page) {
            count += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let place = if file.is_empty() { page.path.clone() } else { joined(folder, file) };
            let is_dead = !root().join(&place).exists()
                || !anchor.is_empty() && !anchors(&text(&place)).contains(anchor);
            if is_dead {
                dead.push(format!("{}: {target}", page.path));
            }
        }
    }
    assert!(count > 50, "only {count} links were found");
    none(&dead, "these links lead nowhere");
}

/// Returns the path from the root of a file that a page in `folder` names.
fn joined(folder: &Path, file: &str) -> String {
    let mut parts: Vec<&str> = folder.iter().map(|part| part.to_str().unwrap()).collect();
    for part in file.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// The book has the pages of docs/ alone, so a link to another file would lead nowhere in it.
#[test]
fn the_book_links_to_its_own_pages() {
    let book: Vec<Text> = texts("docs").into_iter().filter(|page| is_page(&page.path)).collect();
    let outside = book.iter().flat_map(|page| {
        let leaving = links(page).into_iter().filter(|target| target.starts_with(".."));
        leaving.map(|target| format!("{}: {target}", page.path))
    });
    none(&outside.collect::<Vec<_>>(), "name these files in backticks instead");
}

#[test]
fn every_sample_says_its_language() {
    let known = ["console", "groovy", "json", "rust,no_run", "sh", "text", "toml", "yaml"];
    let all: Vec<Sample> = pages().iter().flat_map(samples).collect();
    assert!(all.len() > 30, "only {} samples were found", all.len());
    let unknown = all.iter().filter(|sample| !known.contains(&sample.language.as_str()));
    let unknown: Vec<String> =
        unknown.map(|sample| format!("{}: {:?}", sample.place, sample.language)).collect();
    none(&unknown, &format!("these are not one of {known:?}"));
}

/// Only the version in a sample of a manifest is checked; all other samples are read by the library. A sample that shows
/// only settings gets a budget.
#[test]
fn samples_in_toml_are_read() {
    let mut counts = [0; 3];
    for page in pages() {
        for Sample { text, place, .. } in samples(&page).iter().filter(|s| s.language == "toml") {
            let path = Path::new(place);
            if text.contains("[dev-dependencies]") || text.starts_with("[profile.") {
                let version = text.split("perf-budget = \"").nth(1);
                let version = version.and_then(|rest| rest.split('"').next());
                let ours = env!("CARGO_PKG_VERSION");
                assert!(version.is_none_or(|version| ours.starts_with(version)), "{place}");
                counts[0] += 1;
            } else if text.starts_with("version = ") {
                budget::lock::parse(text, path).unwrap_or_else(|e| panic!("{place}: {e}"));
                counts[1] += 1;
            } else {
                let more = "\n[budget.other]\nworkload = \"other\"\nmax = { allocs = 1 }\n";
                let text = text.clone() + if text.contains("[budget.") { "" } else { more };
                budget::parse(&text, path).unwrap_or_else(|e| panic!("{place}: {e}"));
                counts[2] += 1;
            }
        }
    }
    assert!(counts[0] >= 2 && counts[1] >= 1 && counts[2] >= 5, "{counts:?}");
}

#[test]
fn samples_in_rust_are_compiled() {
    let library = text("src/lib.rs");
    let has_rust = |page: &Text| samples(page).iter().any(|s| s.language.starts_with("rust"));
    let with: BTreeSet<String> =
        pages().into_iter().filter(has_rust).map(|page| page.path).collect();
    let included = library.split("include_str!(\"../").skip(1);
    let included: BTreeSet<String> =
        included.map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
    assert_eq!(with, included, "the pages with Rust, and those that src/lib.rs includes");
}

/// Returns the subcommands, which are the variants of one enum.
fn subcommands() -> BTreeSet<String> {
    let source = text("cargo-budget/src/cli/mod.rs");
    let variants = source.split_once("enum Command {").unwrap().1.split_once("\n}").unwrap().0;
    let names =
        variants.lines().filter_map(|line| line.trim().split_once('(')).map(|(name, _)| name);
    let names = names.map(|name| {
        name.chars().fold(String::new(), |mut word, c| {
            if c.is_ascii_uppercase() && !word.is_empty() {
                word.push('-');
            }
            word.push(c.to_ascii_lowercase());
            word
        })
    });
    names.chain(["help".to_owned()]).collect()
}

#[test]
fn the_pages_name_subcommands_that_exist() {
    let subcommands = subcommands();
    assert!(subcommands.len() > 10 && subcommands.contains("save-base"), "{subcommands:?}");
    let mut unknown = Vec::new();
    let mut count = 0;
    for page in pages() {
        let spans = page.text.split('`').skip(1).step_by(2).map(str::to_owned);
        let blocks = samples(&page).into_iter().map(|sample| sample.text);
        for code in spans.chain(blocks) {
            for rest in code.split("cargo budget ").skip(1) {
                let is_part = |c: &char| c.is_ascii_lowercase() || *c == '-';
                let name: String = rest.chars().take_while(is_part).collect();
                count += 1;
                if !name.is_empty() && !subcommands.contains(&name) {
                    unknown.push(format!("{}: cargo budget {name}", page.path));
                }
            }
        }
    }
    assert!(count > 50, "only {count} calls were found");
    none(&unknown, "there are no such subcommands");
}
