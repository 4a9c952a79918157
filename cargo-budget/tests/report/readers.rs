//! Tests of the formats with other programs that read them, on names that try to do harm.

use pulldown_cmark::{Event, Options, Parser, Tag};

use crate::{Scratch, file, last_run, run, run_in, skipped};

fn hostile(format: &str) -> String {
    let done = run(&["report", "--input", &file("hostile.jsonl"), "--format", format, "--quiet"]);
    assert_eq!(done.code, 1, "{}", done.err);
    done.out
}

#[test]
fn names_are_never_markdown() {
    let comment = hostile("markdown");
    assert!(comment.len() < 65_536);
    let (mut rows, mut code, mut prose) = (0, false, String::new());
    for event in Parser::new_ext(&comment, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::Emphasis) => {
                // Only remarks are emphasized, and this report has none.
                panic!("{event:?}")
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                let own = [
                    "<code>",
                    "</code>",
                    "<sub>",
                    "</sub>",
                    "<details>",
                    "</details>",
                    "<summary>",
                    "<!-- perf-budget -->",
                ];
                assert!(own.iter().any(|own| html.trim().starts_with(own)), "{html}");
                assert!(!html.contains("onerror") && !html.contains("script"), "{html}");
                code = html.starts_with("<code>") || code && !html.starts_with("</code>");
            }
            Event::Start(Tag::TableRow) => rows += 1,
            Event::Text(text) if !code => prose.push_str(&text),
            _ => {}
        }
    }
    // Each of the 13 needs a look, and all of them are in the folded table too.
    assert_eq!(rows, 26);
    // GitHub looks for people, issues and addresses in the remaining text, but not in code.
    let found =
        |what: &str| prose.split(what).skip(1).any(|rest| rest.starts_with(char::is_alphanumeric));
    assert!(prose.contains("@\u{200b}everyone"), "{prose}");
    assert!(!found("@") && !found("#") && !found("://"), "{prose}");
}

#[test]
fn output_is_never_a_workflow_command() {
    for format in ["terminal", "markdown", "html", "junit", "csv", "json"] {
        let text = hostile(format);
        let command = text.lines().find(|line| line.trim_start().starts_with("::"));
        assert_eq!(command, None, "{format}");
        assert!(format != "terminal" || !text.contains("##["), "the older form");
        assert!(
            !text.contains('\u{1b}') && !text.contains('\u{202e}') || format == "json",
            "{format}"
        );
    }
}

/// Characters that XML must not contain are written in another way, both in the text of an outcome and in the name of
/// a suite.
#[test]
fn junit_is_valid_xml_whatever_the_text() {
    let scratch = Scratch::new("characters");
    let bad = "a\u{fffe}b\u{ffff}c\u{1}d\u{202e}e";
    let mut outcome = last_run()[0].clone();
    for key in ["test", "budget", "case", "subject", "reason", "cause", "output", "why"] {
        outcome[key] = bad.into();
    }
    outcome["notes"] = [bad].as_slice().into();
    outcome["verdict"] = "fail".into();
    let input = scratch.record("bad.jsonl", &[outcome]);
    let xml = run(&["report", "--input", &input, "--format", "junit", "--quiet"]).out;
    // This is "Char" of XML 1.0, section 2.2. The only references are those to markup.
    let is_char = |c: char| !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    let wrong: Vec<char> = xml.chars().filter(|&c| !is_char(c)).collect();
    assert!(wrong.is_empty() && !xml.contains("&#x"), "{wrong:?}: {xml}");
    assert!(xml.contains("<testsuite name=\"a\\u{fffe}b\\u{ffff}c\\u{1}d\\u{202e}e\""), "{xml}");
}

/// Messages on standard error are as harmless as the output.
#[test]
fn messages_are_never_workflow_commands() {
    let scratch = Scratch::new("told");
    let name = "a\n::stop-commands::b\u{202e}c";
    for arguments in [["report", "--input", name], ["report", "--merge", name]] {
        let message = run_in(&scratch.0, &arguments).err;
        assert!(message.contains("\n| ::stop-commands::b\\u{202e}c"), "{message}");
    }
}

#[test]
fn the_page_has_one_script_and_nothing_from_elsewhere() {
    let page = hostile("html");
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("</script").count(), 1);
    assert_eq!(page.matches("<style").count(), 1);
    for never in [
        " style=",
        "<img",
        "<link",
        "<iframe",
        "http://",
        "src=x onerror=alert(1)>",
        " onclick",
        "onmouseover=\"",
    ] {
        assert!(!page.contains(never), "{never}");
    }
    for always in
        ["Content-Security-Policy", "default-src 'none'", "lang=\"en\"", "width=device-width"]
    {
        assert!(page.contains(&always.replace('\'', "&#39;")) || page.contains(always), "{always}");
    }
    // No two elements have the same id.
    let mut ids: Vec<&str> =
        page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let many = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), many);
    let pictures = page.matches("<svg").count();
    let described = page.matches("role=\"img\" aria-label=").count()
        + page.matches("aria-hidden=\"true\" focusable=\"false\"").count();
    // Pictures within another picture are part of it.
    let inside = page.matches("preserveAspectRatio").count()
        + page.matches("width=\"1\" height=\"1\"").count()
        + page.matches("<svg class=\"part\"").count();
    assert_eq!(pictures, described + inside);
}

#[test]
fn the_page_works_for_one_limit_and_for_many() {
    let scratch = Scratch::new("many");
    let one = crate::last_run()[1].clone();
    let many: Vec<_> = (0..200)
        .map(|i| {
            let mut outcome = one.clone();
            outcome["test"] = serde_json::json!(format!("budget{i}::gzip"));
            outcome["budget"] = serde_json::json!(format!("budget{i}"));
            outcome["run"]["tests"] = serde_json::json!(200);
            outcome
        })
        .collect();
    for outcomes in [&many[..], &many[..1]] {
        let input = scratch.record("outcomes.jsonl", outcomes);
        let done = run(&["report", "--format", "html", "--input", &input]);
        assert_eq!(done.code, 0);
        assert_eq!(done.out.matches("<details class=\"budget").count(), outcomes.len());
        assert!(done.out.len() < 30_000 + outcomes.len() * 4_000, "{} bytes", done.out.len());
    }
}

/// Runs Python's readers of XML and CSV, and the Prometheus project's own reader of OpenMetrics.
#[test]
fn other_programs_can_read_the_formats() {
    let scratch = Scratch::new("readers");
    let python = |script: &str, text: &str| {
        let path = scratch.write("text", text);
        std::process::Command::new("python3").arg("-c").arg(script).arg(path).output()
    };
    let Ok(probe) = python("pass", "") else {
        skipped("there is no python3 to read it with");
        return;
    };
    assert!(probe.status.success());
    let reads = |script: &str, text: &str, want: &str| {
        let done = python(script, text).unwrap();
        let errors = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{errors}");
        assert_eq!(String::from_utf8_lossy(&done.stdout).trim(), want, "{errors}");
    };
    let junit = "import sys, xml.etree.ElementTree as x; r = x.parse(sys.argv[1]).getroot()
print(r.get('tests'), r.get('failures'), r.get('errors'), len(r.findall('.//testcase')))";
    reads(junit, &hostile("junit"), "13 5 3 13");
    let csv = "import csv, sys; rows = list(csv.reader(open(sys.argv[1], newline='')))
print(len(rows), {len(r) for r in rows}, any(c[:1] in '=+-@' and c[:1] and not c.lstrip('-').replace('.','').replace('e-','').isdigit() for r in rows for c in r))";
    reads(csv, &hostile("csv"), "14 {41} False");
    let prometheus =
        "import importlib.util as u; print(u.find_spec('prometheus_client') is not None)";
    let there = python(prometheus, "").unwrap();
    if String::from_utf8_lossy(&there.stdout).trim() != "True" {
        skipped("Python has no prometheus_client to read OpenMetrics with");
        return;
    }
    let metrics = "import sys; from prometheus_client.openmetrics.parser import text_string_to_metric_families as f
m = {x.name: x for x in f(open(sys.argv[1]).read())}
v = m['perf_budget_verdict']; print(v.type, len(v.samples), int(sum(s.value for s in v.samples)), m['perf_budget_value_seconds'].unit, any('\\n' in s.labels['test'] for s in v.samples))";
    reads(metrics, &hostile("openmetrics"), "stateset 78 13 seconds True");
}
