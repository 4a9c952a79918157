//! Tests of the formats that other programs read, on the worst names that there can be, by the rules that those programs publish.

use std::collections::BTreeSet;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;

use crate::{Scratch, formats, last_run, run};

/// Returns names that end a text, a line or a label of some format, or that no format can have as they are.
fn names() -> Vec<String> {
    let names = [
        "]]>",
        "a\0b",
        "\u{1}\u{2}\u{1b}[31m",
        "\u{1f600}\u{1f1e9}\u{1f1ea}\u{200d}",
        "%0A::error::b,c:d\r\ne",
        "<!--<script>]]&gt;&amp;",
        "\u{fffe}\u{ffff}\u{2028}\u{2029}\u{85}",
        "e\u{301}\u{202e}",
        "",
        " ",
        "\t\n",
        "::",
        "a\\b\"c'd\\",
        "{}",
        "} 1\n# EOF\n",
        "# HELP x",
        "a\u{7f}b\u{9f}",
        "&#0;",
        "\\n",
    ];
    let long = "x".repeat(10 << 10);
    names.into_iter().map(ToOwned::to_owned).chain([long]).collect()
}

fn report(format: &str) -> String {
    let scratch = Scratch::new(&format!("worst-{format}"));
    let verdicts = ["fail", "unmeasured", "warn", "inconclusive", "pass", "skipped"];
    let outcomes: Vec<Value> = names()
        .into_iter()
        .enumerate()
        .map(|(nth, name)| {
            let mut outcome = last_run()[0].clone();
            for key in ["budget", "case", "subject", "reason", "cause", "output", "why"] {
                outcome[key] = name.as_str().into();
            }
            outcome["test"] = format!("{name}{nth}").into();
            outcome["notes"] = [name.as_str()].as_slice().into();
            outcome["verdict"] = verdicts[nth % verdicts.len()].into();
            for key in ["branch", "commit", "processor"] {
                outcome["run"][key] = name.as_str().into();
            }
            outcome["run"]["tests"] = names().len().into();
            outcome
        })
        .collect();
    let input = scratch.record("worst.jsonl", &outcomes);
    let done = run(&["report", "--input", &input, "--format", format, "--quiet"]);
    assert_eq!(done.code, 1, "{format}: {}", done.err);
    done.out
}

/// What the schema of Jenkins' xUnit plugin lets an element have, and the two places where the report has more, as nextest's has:
/// properties of a test case, and attributes of the whole. GitLab, Azure and Jenkins' JUnit plugin read what they know of it.
const ELEMENTS: [(&str, &[&str], &[&str]); 8] = [
    (
        "testsuites",
        &["name", "tests", "failures", "errors", "skipped", "timestamp"],
        &["testsuite"],
    ),
    ("testsuite", &["name", "tests", "failures", "errors", "skipped"], &["testcase"]),
    (
        "testcase",
        &["name", "classname", "time"],
        &["properties", "failure", "error", "skipped", "system-out"],
    ),
    ("properties", &[], &["property"]),
    ("property", &["name", "value"], &[]),
    ("failure", &["message", "type"], &[]),
    ("error", &["message", "type"], &[]),
    ("skipped", &["message", "type"], &[]),
];

#[test]
fn junit_has_what_its_readers_know() {
    let xml = report("junit");
    let mut reader = Reader::from_str(&xml);
    let (mut open, mut cases): (Vec<String>, usize) = (Vec::new(), 0);
    let mut enter = |open: &[String], element: &BytesStart<'_>| {
        let name = str::from_utf8(element.name().0).unwrap().to_owned();
        let inside = |above: &String| ELEMENTS.iter().find(|(name, ..)| name == above).unwrap().2;
        let allowed = open.last().map_or(&["testsuites"][..], inside);
        assert!(allowed.contains(&name.as_str()), "`{name}` in {open:?}");
        if name == "system-out" {
            assert_eq!(element.attributes().count(), 0);
            return name;
        }
        let attributes = ELEMENTS.iter().find(|(known, ..)| *known == name).unwrap().1;
        for attribute in element.attributes() {
            let attribute = attribute.unwrap();
            let key = str::from_utf8(attribute.key.0).unwrap();
            assert!(attributes.contains(&key), "`{key}` of `{name}`");
            // The schema has a time with three digits after the point at most.
            if key == "time" {
                let (whole, part) =
                    str::from_utf8(&attribute.value).unwrap().split_once('.').unwrap();
                assert!(whole.parse::<u32>().is_ok() && part.len() == 3, "{attribute:?}");
            }
        }
        cases += usize::from(name == "testcase");
        name
    };
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) => {
                let name = enter(&open, &element);
                open.push(name);
            }
            Event::Empty(element) => {
                enter(&open, &element);
            }
            Event::End(_) => {
                open.pop().unwrap();
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert_eq!(cases, names().len());
}

#[test]
fn code_quality_has_what_gitlab_asks_for() {
    formats::check_code_quality(&report("code-quality"));
}

/// The rules of the text format of OpenMetrics 1.0: each sample is of a family that was declared before it, no series is there
/// twice, a label has three escapes and no line feed, and the last line is `# EOF`. GitLab's metrics report reads this too.
#[test]
fn openmetrics_has_only_what_its_grammar_has() {
    let text = report("openmetrics");
    let body = text.strip_suffix("# EOF\n").expect("it ends with `# EOF`");
    let (mut families, mut series) = (BTreeSet::new(), BTreeSet::new());
    // Lines end with a line feed alone, whatever else ends lines elsewhere.
    for line in body.split_terminator('\n') {
        if let Some(declared) = line.strip_prefix("# ") {
            let words: Vec<&str> = declared.splitn(3, ' ').collect();
            assert!(["TYPE", "UNIT", "HELP"].contains(&words[0]) && words.len() == 3, "{line}");
            families.insert(words[1]);
            continue;
        }
        let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("{line}"));
        let (name, rest) = line.split_at(end);
        let is_of = |family: &&str| {
            ["", "_info", "_total"].iter().any(|end| name.strip_suffix(end) == Some(*family))
        };
        assert!(families.iter().any(is_of), "{name}");
        let rest = rest.strip_prefix('{').map_or(Some(rest), after_labels);
        let rest = rest.unwrap_or_else(|| panic!("{line}"));
        let value = rest.strip_prefix(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
        assert!(series.insert(&line[..line.len() - rest.len()]), "{line} is there twice");
    }
    assert!(series.len() >= names().len());
}

/// Returns what follows the labels of a sample and the closing brace.
fn after_labels(mut text: &str) -> Option<&str> {
    loop {
        let (name, rest) = text.split_once("=\"")?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(is_name) {
            return None;
        }
        let mut chars = rest.char_indices();
        let end = loop {
            match chars.next()? {
                (_, '\\') => {
                    chars.next().filter(|(_, c)| ['\\', '"', 'n'].contains(c))?;
                }
                (at, '"') => break at,
                _ => {}
            }
        };
        let after = &rest[end + 1..];
        if let Some(rest) = after.strip_prefix('}') {
            return Some(rest);
        }
        text = after.strip_prefix(',')?;
    }
}

#[test]
fn the_other_formats_are_made_of_any_name() {
    let help = run(&["report", "--help"]);
    let values = help.out.split_once("--format").unwrap().1;
    let values = values.split_once("Possible values:").unwrap().1.split("[default").next().unwrap();
    let values = values.lines().filter_map(|line| line.trim().strip_prefix("- "));
    let formats = values.map_while(|line| line.split(':').next());
    // The rules of these are checked above.
    let checked = ["junit", "code-quality", "openmetrics"];
    let formats: Vec<&str> = formats.filter(|format| !checked.contains(format)).collect();
    assert!(formats.len() > 7, "{formats:?}");
    for format in formats {
        let text = report(format);
        assert!(!text.contains('\0') && !text.contains('\u{1b}'), "{format}");
        if ["json", "bencher", "github-action-benchmark"].contains(&format) {
            serde_json::from_str::<Value>(&text).unwrap();
        }
    }
}
