//! GitHub Actions: annotations that are one line each and that only the gate can make, and one summary.

use std::fs;

use libtest_mimic::Trial;

use crate::gate::{Case, Run};
use crate::row;

/// Budgets with texts that would break out of an annotation, of a table's cell or of a page.
const BUDGETS: &str = r#"
[budget."so,late|"]
workload = "depth"
params = { depth = 11 }
max = { depth = 10 }
why = """
100 % of a frame
::error file=x,line=1::not ours
| <script>alert(1)</script>"""

[budget.near]
workload = "depth"
params = { depth = 9.5 }
max.depth = { limit = 10, warn = 9 }

[budget.held]
workload = "depth"
params = { depth = 3 }
max = { depth = 10 }

[budget.based]
artifact = "budgets.toml"
max = { size = "1 x base" }
"#;

pub(crate) fn rows() -> Vec<Trial> {
    vec![
        row("github::annotations", annotations),
        row("github::no_annotations_elsewhere", no_annotations_elsewhere),
        row("github::files_are_named_from_the_repository", files_are_named_from_the_repository),
        row("github::summary", summary),
        row("github::one_head_for_many_processes", one_head_for_many_processes),
        row("github::a_summary_that_cannot_be_written", a_summary_that_cannot_be_written),
    ]
}

fn case(name: &str) -> Case {
    let case = Case::new(&format!("github-{name}"), BUDGETS).env("GITHUB_ACTIONS", "true");
    let summary = case.dir.join("summary.md");
    case.env("GITHUB_STEP_SUMMARY", summary)
}

/// Returns the lines that the runner takes for commands, even if they are indented.
fn commands(run: &Run) -> Vec<&str> {
    let command = |line: &&str| line.trim_start().starts_with("::") || line.contains("##[");
    run.stdout.lines().chain(run.stderr.lines()).filter(command).collect()
}

fn annotations() {
    let run = case("annotations").run().exited(101);
    assert_eq!(
        commands(&run),
        [
            "::error file=budgets.toml,line=5,title=so%2Clate|%3A%3Adepth fail::depth is 11, over \
             the limit of 10%0Awhy: 100 %25 of a frame%0A::error file=x,line=1::not ours%0A| \
             <script>alert(1)</script>",
            "::warning file=budgets.toml,line=14,title=near%3A%3Adepth warn::depth is 9.50, 95 % of \
             the limit of 10"
                .replace("95 %", "95 %25")
                .as_str(),
        ]
    );
}

/// GitHub shows annotations, and GitLab entries of its code quality report, by paths from the root of the repository.
fn files_are_named_from_the_repository() {
    for variable in ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"] {
        let case = case(&format!("root-{}", variable.to_lowercase()));
        let (above, name) = (case.dir.parent().unwrap().to_owned(), case.dir.file_name().unwrap());
        let want = format!("{}/budgets.toml", name.to_str().unwrap());
        let case = case.env(variable, above);
        let run = case.run().exited(101);
        assert!(run.stdout.contains(&format!("::error file={want},line=5,")), "{}", run.stdout);
        assert!(case.outcomes().iter().all(|outcome| outcome.file == want));
    }
}

fn no_annotations_elsewhere() {
    for value in ["", "false"] {
        let case = case("elsewhere").env("GITHUB_ACTIONS", value);
        assert_eq!(commands(&case.run().exited(101)), [""; 0]);
        assert!(!case.dir.join("summary.md").exists());
    }
}

fn summary() {
    let case = case("summary");
    // The summary may already contain what another step wrote.
    fs::write(case.dir.join("summary.md"), "before\n").unwrap();
    case.run().exited(101);
    let text = fs::read_to_string(case.dir.join("summary.md")).unwrap();
    assert!(text.starts_with("before\n"));
    check_table(&text, 4);
    assert!(!text.contains("<script>") && text.contains("so,late&#124;::depth"), "{text}");
    assert!(text.contains("4 limits of 4 budgets: 1 pass, 1 warn, 1 fail; 1 skipped"), "{text}");
}

/// Asserts that the text has one table: a head, a rule, and then this many rows of four cells.
#[track_caller]
fn check_table(text: &str, rows: usize) {
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(lines.len(), rows + 2, "{text}");
    assert_eq!(lines[..2], ["| budget | measured | limit | verdict |", "|---|---:|---:|---|"]);
    for line in lines {
        assert_eq!(line.matches('|').count(), 5, "{line}");
    }
    // A table ends at the first line that is not a row.
    let from = text.find("| budget").unwrap();
    let table: Vec<&str> = text[from..].lines().take_while(|line| line.starts_with('|')).collect();
    assert_eq!(table.len(), rows + 2, "{text}");
}

fn one_head_for_many_processes() {
    let case = case("many").env("NEXTEST_RUN_ID", "many");
    let tests = ["so,late|::depth", "near::depth", "held::depth", "based::size::x_base"];
    let started = tests.map(|test| case.start_test(test));
    for run in started.map(super::gate::Started::end) {
        assert!(matches!(run.code, Some(0 | 101)), "{run}");
    }
    check_table(&fs::read_to_string(case.dir.join("summary.md")).unwrap(), 4);
}

/// A warning reports that the summary was not written, and the run does not fail.
fn a_summary_that_cannot_be_written() {
    let case = case("unwritable").args(["held"]);
    let nowhere = case.dir.join("no/such/directory");
    let run = case.env("GITHUB_STEP_SUMMARY", nowhere).run().exited(0);
    run.printed(["::warning::failed to write the step summary"]);
}
