//! The words of the glossary: a private word that was replaced by the field's own does not come back.
//!
//! A private word is one that only this project used for a thing that has a common name. Words are looked for in every
//! text of the repository: comments, identifiers, messages and pages. An identifier is split into its words, so that
//! `plantedEffect` and `PLANTED_EFFECT` are found too. A name between quotes or backticks is skipped, because it may be
//! the name of a field on disk, which an older program wrote.

use std::collections::BTreeSet;

use super::{Text, none, texts};

/// The words that were replaced, each with the one to use.
const REPLACED: &[(&[&str], &str)] = &[
    (&["ledger", "ledgers"], "noise, or the totals of noise"),
    (&["shelf", "shelves"], "run cache"),
    (&["foregone"], "decided without measuring"),
    (&["course", "courses"], "controller"),
    (&["follower"], "responder"),
    (&["plant", "plants", "planted", "planting", "planter"], "inject"),
    (&["sow", "sows", "sown", "sowing"], "apply"),
    (&["ladder", "ladders"], "search"),
    (&["rehearsal", "rehearsals", "rehearse", "rehearsed"], "selftest"),
    (&["gauge", "gauges"], "instrument"),
    (&["nature", "natures"], "deterministic or statistical"),
    (&["ticket", "tickets", "witness", "witnesses"], "sequential test, or observation"),
    (&["mend", "mending"], "fix"),
    (&["fork", "forks"], "process, or process run"),
    (&["slack"], "tolerance"),
    (&["unsure"], "inconclusive"),
    (&["blind"], "underpowered"),
    (&["verb", "verbs"], "measuring method, or action"),
    (&["wealth"], "e-value"),
    (&["riddle", "riddles"], "what is meant"),
];

/// Expressions of several words that were replaced, each with the one to use.
const EXPRESSIONS: &[(&str, &str)] = &[
    ("register it no more", "remove it"),
    ("histories parted", "merge base"),
    ("verb of `Run`", "measuring method"),
];

/// The texts that may have a word, by the beginning of their path, and the reason.
const ALLOWED: &[(&str, &[&str], &str)] = &[
    ("cargo-budget/src/report/openmetrics.rs", &["gauge", "gauges"], "a type of Prometheus"),
    ("cargo-budget/tests/report/", &["gauge"], "a type of Prometheus"),
    ("cargo-budget/tests/history/samples/", &["gauge"], "files of other tools"),
    ("docs/command.md", &["gauges"], "a type of Prometheus"),
    ("cargo-budget/src/history/schema/3.sql", &["unsure"], "records of older releases"),
    ("cargo-budget/src/history/", &["slack"], "the author of a paper"),
    ("cargo-budget/tests/history/recording.rs", &["unsure"], "records of older releases"),
    ("examples/shield/rules.tsv", &["slack"], "the name of a service"),
    ("fixtures/cases/config/problems.txt", &["unsure"], "a key of older files"),
    ("docs/history.md", &["slack"], "the author of a paper"),
    ("core/src/budget/parse/tests/", &["blind", "unsure"], "a key of older files"),
    ("core/src/stats/betting.rs", &["wealth"], "the word of the paper that is cited"),
    ("tests/harness/inconclusive.rs", &["blind", "unsure"], "a key of older files"),
    ("fixtures/earlier/", &["fork"], "the worker of an earlier release"),
    ("fixtures/local-first/", &["fork"], "a copy of a document"),
    ("examples/shield/", &["gauge"], "a type of Prometheus"),
    ("src/exec/", &["fork", "forks"], "the system call"),
    ("src/os/calls/names.rs", &["fork"], "the system call"),
    ("src/os/kernel/process.rs", &["fork"], "the system call"),
    ("src/os/proc.rs", &["fork"], "the system call"),
    ("src/subject/command/tests/", &["fork"], "the system call"),
    ("cargo-budget/src/base/unchanged/reach/mod.rs", &["fork"], "the system call"),
    ("tests/budgets.rs", &["fork"], "a copy of a document"),
    ("tests/harness/handshake.rs", &["fork"], "the system call"),
    ("tests/workload/used.rs", &["fork"], "the system call"),
];

/// Words that are only banned in Rust sources: in pages a fork is a copy of a repository, or the system call.
const RUST_ONLY: &[&str] = &["fork", "forks"];

/// Returns the words of a line in lower case. Identifiers are split, and names in quotes or backticks are left out.
fn words(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let is_letter = |c: char| c.is_ascii_alphabetic();
    let mut rest = line;
    let mut before = None;
    while let Some(start) = rest.find(is_letter) {
        before = rest[..start].chars().next_back().or(before);
        rest = &rest[start..];
        let end = rest.find(|c| !is_letter(c)).unwrap_or(rest.len());
        let after = rest[end..].chars().next();
        if !is_name(before, after) {
            found.extend(parts(&rest[..end]));
        }
        before = after;
        rest = &rest[end..];
    }
    found
}

/// Whether a word between these characters is a name on disk: `"planted"`, or the end of a reference such as
/// `"#/$defs/ledger"`.
fn is_name(before: Option<char>, after: Option<char>) -> bool {
    match after {
        Some('"') => matches!(before, Some('"' | '/')),
        Some('`') => before == Some('`'),
        _ => false,
    }
}

/// Splits a name into its words: `WireRunQueue` is wire, run and queue.
fn parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut was_lower = false;
    for c in name.chars() {
        if parts.is_empty() || (c.is_ascii_uppercase() && was_lower) {
            parts.push(String::new());
        }
        was_lower = c.is_ascii_lowercase();
        if let Some(part) = parts.last_mut() {
            part.push(c.to_ascii_lowercase());
        }
    }
    parts
}

/// Returns the word to use instead of this one, if it was replaced.
fn replacement(word: &str) -> Option<&'static str> {
    REPLACED.iter().find(|row| row.0.contains(&word)).map(|row| row.1)
}

/// Returns the replaced words and expressions of a text: the number of the line, what was found, and what to use
/// instead.
fn replaced_words(file: &Text) -> Vec<(usize, String, &'static str)> {
    let is_rust = file.path.rsplit('.').next() == Some("rs");
    let lines = file.text.lines().enumerate();
    let found = lines.flat_map(|(at, line)| {
        let words = words(line).into_iter().filter(|word| is_rust || !RUST_ONLY.contains(&&**word));
        let words = words.filter_map(|word| replacement(&word).map(|instead| (word, instead)));
        let expressions = EXPRESSIONS.iter().filter(|row| line.contains(row.0));
        let expressions = expressions.map(|row| (row.0.to_owned(), row.1));
        let all: Vec<_> = words.chain(expressions).collect();
        all.into_iter().map(move |(what, instead)| (at + 1, what, instead))
    });
    found.collect()
}

#[test]
fn private_words_do_not_come_back() {
    let mut problems = Vec::new();
    let mut used = BTreeSet::new();
    for file in texts("") {
        if file.path == "tests/it/tidy/words.rs" {
            continue;
        }
        for (line, what, instead) in replaced_words(&file) {
            let allowed = ALLOWED.iter().position(|(path, words, _)| {
                file.path.starts_with(path) && words.contains(&what.as_str())
            });
            match allowed {
                Some(row) => drop(used.insert(row)),
                None => problems.push(format!("{}:{line}: `{what}`: say {instead}", file.path)),
            }
        }
    }
    none(&problems, "these words were replaced");
    let rows = ALLOWED.iter().enumerate().filter(|(row, _)| !used.contains(row));
    let unused: Vec<String> = rows.map(|(_, row)| format!("{}: {:?}", row.0, row.1)).collect();
    none(&unused, "these no longer have the word: remove the row");
}

#[test]
fn a_private_word_is_found_wherever_it_is() {
    let check = |path: &str, text: &str, want: &[&str]| {
        let file = Text { path: path.to_owned(), text: text.to_owned() };
        let got: Vec<String> = replaced_words(&file).into_iter().map(|(_, what, _)| what).collect();
        assert_eq!(got, want, "{text}");
    };
    check("a.rs", "/// What is planted.", &["planted"]);
    check(
        "a.rs",
        "let planted_effect = Shelf::of(LADDER_OF_SIZES);",
        &["planted", "shelf", "ladder"],
    );
    check("a.rs", "struct WireFork { runFork: u8 }", &["fork", "fork"]);
    check("a.rs", "#[serde(rename = \"planted\")] // `ledger`", &[]);
    check("a.rs", "panic!(\"the ledger is gone\")", &["ledger"]);
    check("a.rs", "let forked = explant(transplanted, naturally);", &[]);
    check("a.md", "It works from forks; the histories parted.", &["histories parted"]);
}
