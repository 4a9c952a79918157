//! Tests of `site`: the content of its pages, a later run that writes only what changed, hostile names, and refusals.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use libtest_mimic::Trial;
use perf_budget_core::outcome::{Distribution, HistogramBin, Outcome};
use perf_budget_core::verdict::Verdict;

use crate::on_both;
use crate::project::{Project, outcome};
use crate::recording::execute;
use crate::schemas;

pub(crate) fn rows() -> Vec<Trial> {
    let rows = [
        on_both("a_site_has_budgets_and_commits", pages),
        on_both("a_later_run_writes_only_what_changed", incremental),
        on_both("a_site_has_no_markup_of_names", hostile),
        on_both("what_was_not_measured_is_not_green_on_the_site", unmeasured),
        on_both("a_site_is_bounded", bounded),
        on_both("a_site_is_refused_with_a_remedy", refusals),
        on_both("json_of_the_history_is_as_its_schemas_say", schemas),
    ];
    rows.into_iter().flatten().collect()
}

/// Returns all files of a directory by their paths, each with its text.
fn files(directory: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut left = vec![directory.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                let name =
                    path.strip_prefix(directory).unwrap().to_string_lossy().replace('\\', "/");
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// Returns the one page of a directory whose path begins so.
fn page(files: &BTreeMap<String, String>, begins: &str) -> String {
    let mut found = files.iter().filter(|(name, _)| name.starts_with(begins));
    let (_, text) = found.next().unwrap_or_else(|| panic!("no {begins}: {:?}", files.keys()));
    assert!(found.next().is_none(), "several {begins}");
    text.clone()
}

/// A history with a step at the eleventh of sixteen commits.
fn stepped(name: &str, db: &str) -> (Project, Vec<String>) {
    let project = Project::new(name, db);
    let value = |n: usize| (if n < 10 { 1.0 } else { 1.3 }) + (n % 3) as f64 * 0.01;
    let hashes = project.history(&(0..16).map(value).collect::<Vec<_>>());
    (project, hashes)
}

fn pages(db: &str) {
    let (project, hashes) = stepped("site", db);
    let url = "https://example.org/p/commit/{commit}";
    let site = ["site", "--output", "out", "--title", "textkit", "--commit-url", url];
    project.run(&site).says(0, "index.html: 1 limit of 1 budget, 16 commits");
    let files = files(&project.dir.join("out"));
    let index = &files["index.html"];
    for part in [
        "textkit",
        "merge::p99",
        "1.30 ms",
        "≤ 2 ms",
        "65 %",
        "+29.7 %",
        "1 limit got worse lately",
        &hashes[15][..9],
    ] {
        assert!(index.contains(part), "no `{part}` in {index}");
    }
    let budget = page(&files, "budget/merge-");
    assert!(
        budget.contains("class=\"step worse\"") && budget.contains(&hashes[10][..9]),
        "{budget}"
    );
    assert!(budget.contains(&format!("../commit/{}.html", hashes[10])));
    let commit = &files[&format!("commit/{}.html", hashes[10])];
    for part in ["Steps that begin here", &hashes[9][..9], "from 1 ms"] {
        assert!(commit.contains(part), "no `{part}` in {commit}");
    }
    assert!(files[&format!("commit/{}.html", hashes[0])].contains("Change 0"));
    assert!(commit.contains(&format!("https://example.org/p/commit/{}", hashes[10])));
    // The last run's distribution is drawn, where the run has one and is recorded.
    assert!(!budget.contains("figure class=\"recorded\""));
    let bars = (0..5_u32).map(|i| (f64::from(i) * 1e-4 + 1e-3, f64::from(i + 1) * 1e-4 + 1e-3, 3));
    let bars = bars.map(|(low, high, count)| HistogramBin { low, high, count }).collect();
    let shape = Distribution { of: "operations".to_owned(), quantiles: Vec::new(), bars };
    let shaped = Outcome { shape: Some(shape), ..outcome("shaped", 15, 1.3e-3) };
    project.outcomes(&[shaped]);
    project.run(&site).says(0, "");
    assert!(!page(&self::files(&project.dir.join("out")), "budget/merge-").contains("recorded\""));
    project.run(&["history", "record"]).says(0, "recorded 1 outcome");
    project.run(&site).says(0, "");
    let files = self::files(&project.dir.join("out"));
    assert!(page(&files, "budget/merge-").contains("figure class=\"recorded\""));
    assert!(!page(&files, "budget/merge-").contains("class=\"flame\""));
    // The profile of the last run is drawn too.
    project.outcomes(&[profiled(Outcome { shape: None, ..outcome("profiled", 15, 1.3e-3) })]);
    project.run(&["history", "record"]).says(0, "recorded 1 outcome");
    project.run(&site).says(0, "");
    let files = self::files(&project.dir.join("out"));
    let budget = page(&files, "budget/merge-");
    for part in ["The profile of the run of ", "class=\"flame\"", "text::normalise"] {
        assert!(budget.contains(part), "{part} is not in {budget}");
    }
    assert!(!budget.contains("figure class=\"recorded\""));
    // Every link leads to a file of the site.
    for (name, text) in &files {
        let from = Path::new(name).parent().unwrap();
        for link in text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let (path, _) = link.split_once('#').unwrap_or((link, ""));
            if !path.is_empty() && !path.starts_with("https://") {
                assert!(project.dir.join("out").join(from).join(path).is_file(), "{name}: {link}");
            }
        }
    }
}

/// Returns the outcome with a profile: that of a record of the tests of reports.
fn profiled(outcome: Outcome) -> Outcome {
    let record = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report/blamed.jsonl");
    let record = perf_budget_core::record::read(&record).unwrap();
    Outcome { blame: record.outcomes[0].blame.clone(), ..outcome }
}

fn incremental(db: &str) {
    let (project, hashes) = stepped("site-again", db);
    let other = |n: u64| Outcome {
        test: "other::p99".to_owned(),
        budget: "other".to_owned(),
        ..outcome("other", n, 1e-3)
    };
    project.outcomes(&[other(3)]);
    let record = ["history", "record", "--commit", &hashes[3], "--branch", "main"];
    project.run(&record).says(0, "recorded 1 outcome");
    let site = ["site", "--output", "out", "--format", "json"];
    let made = project.run(&site).json();
    assert_eq!(made["written"].as_u64(), made["files"].as_u64().map(|files| files + 1));
    let times = |project: &Project| -> BTreeMap<String, std::time::SystemTime> {
        let out = project.dir.join("out");
        let time = |name: &String| fs::metadata(out.join(name)).unwrap().modified().unwrap();
        files(&out).keys().map(|name| (name.clone(), time(name))).collect()
    };
    let first = times(&project);
    assert_eq!(project.run(&site).json()["written"], 0);
    assert_eq!(times(&project), first);
    // A run of one budget at a new commit.
    let hash = project.commit(16);
    project.outcomes(&[outcome("new", 16, 1.3e-3)]);
    let record = ["history", "record", "--commit", &hash, "--branch", "main"];
    project.run(&record).says(0, "recorded 1 outcome");
    project.run(&site).says(0, "");
    let second = times(&project);
    // What the new run says of the step is also on the page of the step's commit.
    let is_of_step = |name: &str| name.contains(&hashes[10]);
    let changed = second.iter().filter(|(name, time)| first.get(*name) != Some(time));
    let changed: Vec<&String> = changed.map(|(name, _)| name).filter(|n| !is_of_step(n)).collect();
    let expected = ["budget/merge-", "commit/", "commits.html", "index.html", "site.json"];
    assert_eq!(changed.len(), expected.len(), "{changed:?}");
    assert!(
        changed.iter().zip(expected).all(|(name, begin)| name.starts_with(begin)),
        "{changed:?}"
    );
    assert!(changed[1].contains(&hash));
    // A site that was made step by step is the same as one that is made at once.
    project.run(&["site", "--output", "whole"]).says(0, "");
    assert_eq!(files(&project.dir.join("out")), files(&project.dir.join("whole")));
    // A page that somebody removed comes back, and beside a state of something else nothing is written.
    fs::remove_file(project.dir.join("out").join(changed[0])).unwrap();
    assert_eq!(project.run(&site).json()["written"], 1);
    assert_eq!(files(&project.dir.join("out")), files(&project.dir.join("whole")));
    fs::write(project.dir.join("out/site.json"), "{\"title\": \"a blog\"}").unwrap();
    let kept = files(&project.dir.join("out"));
    project.run(&site).says(2, "not one that `cargo budget site` has written");
    assert_eq!(files(&project.dir.join("out")), kept);
}

fn hostile(db: &str) {
    let (project, _) = stepped("site-hostile", db);
    let name = "</script><img src=x onerror=alert(1)>\u{202e}../../&\"'`";
    let hostile = Outcome {
        test: format!("{name}::p99"),
        budget: name.to_owned(),
        reason: name.to_owned(),
        verdict: Verdict::Unmeasured,
        ..outcome("hostile", 16, 1e-3)
    };
    project.outcomes(&[hostile]);
    project.run(&["history", "record", "--branch", "main"]).says(0, "recorded 1 outcome");
    let title = ["site", "--output", "out", "--title", name];
    project.run(&title).says(0, "2 budgets");
    for (path, text) in files(&project.dir.join("out")) {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-./".contains(c);
        assert!(path.chars().all(is_plain) && !path.contains(".."), "{path}");
        if Path::new(&path).extension().is_some_and(|e| e == "html") {
            assert!(!text.contains("<img") && !text.contains('\u{202e}'), "{path}");
            let scripts = text.matches("<script").count();
            assert_eq!(scripts, text.matches("</script>").count(), "{path}");
            assert_eq!(scripts, 1 + text.matches("type=\"application/json\"").count(), "{path}");
        }
    }
}

fn unmeasured(db: &str) {
    let (project, _) = stepped("site-unmeasured", db);
    let hash = project.commit(16);
    let lost = Outcome {
        verdict: Verdict::Unmeasured,
        estimate: None,
        reason: "the process ended early".to_owned(),
        ..outcome("lost", 16, 1e-3)
    };
    project.outcomes(&[lost]);
    let record = ["history", "record", "--commit", &hash, "--branch", "main"];
    project.run(&record).says(0, "recorded 1 outcome");
    project.run(&["site", "--output", "out"]).says(0, "");
    let files = files(&project.dir.join("out"));
    let index = &files["index.html"];
    assert!(index.contains("1 limit is red") && index.contains("no value"), "{index}");
    assert!(index.contains("verdict unmeasured") && !index.contains("verdict pass"), "{index}");
    assert!(files[&format!("commit/{hash}.html")].contains("the process ended early"));
    // The headline is not green either for a limit that was only measured before, or that was not judged at all.
    let skipped =
        Outcome { verdict: Verdict::Skipped, estimate: None, ..outcome("none", 17, 1e-3) };
    project.outcomes(&[skipped]);
    let hash = project.commit(17);
    let record = ["history", "record", "--commit", &hash, "--branch", "main"];
    project.run(&record).says(0, "recorded 1 outcome");
    project.run(&["site", "--output", "out"]).says(0, "");
    let index = &self::files(&project.dir.join("out"))["index.html"];
    let headline = "headline skipped\">No limit was judged at the newest commit";
    assert!(index.contains(headline) && !index.contains("verdict pass"), "{index}");
}

/// Many series and many commits make many small files, and no large one.
fn bounded(db: &str) {
    let (project, _) = stepped("site-bounded", db);
    let of = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i <";
    for sql in [
        format!(
            "{of} 449) INSERT INTO budget_series (series, test, budget, case_name, metric, unit, environment, branch) \
            SELECT i, 'many::n=' || i || '::p99', 'many', '', 'p99', 's', 'Abacus 9', 'main' FROM n"
        ),
        format!(
            "{of} 59) INSERT INTO budget_runs (run, id, began, commit_id, committed, dirty, branch, environment, version) \
            SELECT i, 'run-' || i, 1800000060 + 3600 * CAST(i AS BIGINT), 'c' || i, 1800000000 + 3600 * CAST(i AS BIGINT), 0, \
            'main', 'Abacus 9', '0.1.0' FROM n"
        ),
        format!(
            "{of} 26999) INSERT INTO budget_outcomes (series, run, at, verdict, reason, value, low, high, exact, bound, limit_value) \
            SELECT i % 450, i / 450, 1800000000 + 3600 * (CAST(i AS BIGINT) / 450), 'pass', 'held', 0.001 + 0.000001 * (i % 7), \
            NULL, NULL, 0, 'max', 0.002 FROM n"
        ),
    ] {
        execute(&project, db, &sql);
    }
    let site = ["site", "--output", "out", "--last", "30", "--commits", "20", "--branch", "main"];
    project.run(&site).says(0, "451 limits of 2 budgets, 20 commits");
    let files = files(&project.dir.join("out"));
    let count = |begins: &str| files.keys().filter(|name| name.starts_with(begins)).count();
    assert_eq!((count("index"), count("budget/many-"), count("assets/search-")), (3, 23, 1));
    // 450 outcomes are on two pages of each commit.
    assert_eq!(count("commit/"), 40);
    let largest =
        files.iter().filter(|(name, _)| *name != "site.json").max_by_key(|(_, t)| t.len());
    let (name, text) = largest.unwrap();
    assert!(text.len() < 600_000, "{name} has {} bytes", text.len());
    // Fewer commits: the pages of the others go, and no page leads to them.
    let fewer = ["site", "--output", "out", "--last", "30", "--commits", "5", "--branch", "main"];
    project.run(&fewer).says(0, "30 removed");
}

fn refusals(db: &str) {
    let project = Project::new("site-refused", db);
    project.run(&["site", "--output", "out"]).says(3, "cargo budget history record");
    project.history(&[1.0]);
    project.run(&["site"]).says(2, "--output");
    project.run(&["site", "--output", "out", "--branch", "x"]).says(2, "it has some on main");
    let script = ["site", "--output", "out", "--commit-url", "javascript:alert('{commit}')"];
    project.run(&script).says(2, "is not an address of commits | https://");
    fs::create_dir_all(project.dir.join("mine")).unwrap();
    fs::write(project.dir.join("mine/index.html"), "mine").unwrap();
    project.run(&["site", "--output", "mine"]).says(2, "not of a site | --output");
    assert_eq!(fs::read_to_string(project.dir.join("mine/index.html")).unwrap(), "mine");
    fs::write(project.dir.join("file"), "").unwrap();
    project.run(&["site", "--output", "file"]).says(3, "failed to");
}

/// Checks what a command prints against its published schema.
#[track_caller]
fn holds(project: &Project, schema: &str, arguments: &[&str]) {
    let ran = project.run(arguments);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    schemas::holds(schema, &ran.json());
}

fn schemas(db: &str) {
    let (project, _) = stepped("site-schemas", db);
    holds(&project, "history-record", &["history", "record", "--dry-run", "--format", "json"]);
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/history/samples/hyperfine.json");
    for tool in [&["--tool", "hyperfine", "--dry-run"][..], &[]] {
        if cfg!(not(feature = "import")) {
            break;
        }
        let import = ["history", "import", sample.to_str().unwrap(), "--format", "json"];
        holds(&project, "history-record", &[&import[..], tool].concat());
    }
    holds(&project, "trend", &["trend", "--format", "json"]);
    holds(&project, "trend", &["trend", "merge", "--format", "json"]);
    holds(&project, "history-list", &["history", "list", "--format", "json"]);
    holds(&project, "site", &["site", "--output", "out", "--format", "json"]);
    holds(&project, "doctor", &["doctor", "--format", "json"]);
    let budgets = project.dir.join("budgets.toml");
    let loose = fs::read_to_string(&budgets).unwrap().replace("2 ms", "1 ms");
    fs::write(&budgets, loose).unwrap();
    holds(&project, "diff", &["diff", "HEAD", "--format", "json"]);
}
