//! Tests of what cannot be read or written: the message says what to do, the exit code is right, and no half-written
//! file is left.

use crate::{Scratch, file, last_run, run, run_in};

#[track_caller]
fn check(arguments: &[&str], code: i32, words: &[&str]) {
    let done = run(arguments);
    assert_eq!(done.code, code, "{}{}", done.out, done.err);
    for words in words {
        assert!(done.err.contains(words), "no `{words}` in: {}", done.err);
    }
    assert_eq!(done.out, "");
}

#[test]
fn bad_input_is_an_error() {
    let scratch = Scratch::new("bad-input");
    let whole = std::fs::read_to_string(file("outcomes.jsonl")).unwrap();
    let cut = scratch.write("cut.jsonl", &whole[..whole.len() - 300]);
    let text = scratch.write("text.jsonl", "this is no record\n");
    let empty = scratch.write("empty.jsonl", "");
    let blank = scratch.write("blank.jsonl", "\n\n");
    let other = scratch.write("other.jsonl", "{\"a\": 1}\n");
    std::fs::write(scratch.path("binary.jsonl"), [0xff, 0xfe, 0x00]).unwrap();
    check(&["report", "--input", &cut], 3, &["cut.jsonl", "line 18 is not an outcome"]);
    check(&["report", "--input", &text], 3, &["text.jsonl", "line 1 is not an outcome"]);
    check(&["report", "--input", &other], 3, &["other.jsonl", "line 1", "missing field `test`"]);
    check(&["report", "--input", &empty], 3, &["there is no outcome in", "run the tests again"]);
    check(&["report", "--input", &blank], 3, &["there is no outcome in"]);
    check(
        &["report", "--input", &scratch.path("none.jsonl")],
        3,
        &["failed to read", "none.jsonl"],
    );
    check(&["report", "--input", &scratch.path("binary.jsonl")], 3, &["line 1 is not an outcome"]);
    check(&["report", "--input", &scratch.path("")], 3, &["failed to read"]);
    check(&["report", "--merge", &file("outcomes.jsonl"), &empty], 3, &["there is no outcome in"]);
    check(&["report", "--history", &empty, "--input", &file("outcomes.jsonl")], 3, &["no outcome"]);
    check(&["explain", "merge", "--input", &cut], 3, &["line 18"]);
}

#[test]
fn bad_arguments_are_usage_errors() {
    let input = file("outcomes.jsonl");
    check(&["report", "--format", "yaml"], 2, &["yaml", "openmetrics"]);
    check(&["report", "--input", &input, "--merge", &input], 2, &["cannot be used with"]);
    check(&["explain"], 2, &["BUDGET"]);
}

#[test]
fn a_project_without_a_record_says_what_to_run() {
    let scratch = Scratch::new("no-record");
    scratch.write("budgets.toml", "[budget.a]\nartifact = \"x\"\nmax = { size = \"1 KB\" }\n");
    std::fs::create_dir_all(scratch.path("target")).unwrap();
    scratch.write("target/CACHEDIR.TAG", "");
    let done = run_in(&scratch.0, &["report"]);
    assert_eq!(done.code, 3);
    assert!(done.err.contains("run `cargo test --release` first"), "{}", done.err);
    std::fs::create_dir_all(scratch.path("target/budgets")).unwrap();
    scratch.record("target/budgets/outcomes.jsonl", &last_run());
    let done = run_in(&scratch.0, &["report", "--format", "csv"]);
    assert_eq!(done.code, 1, "{}", done.err);
    assert_eq!(done.out.lines().count(), 10);
    // The command works in a directory below as it does at the top.
    std::fs::create_dir_all(scratch.path("src/deep")).unwrap();
    assert_eq!(run_in(&scratch.0.join("src/deep"), &["explain", "wasm"]).code, 0);
}

/// A record of a stranger, which names a file of the user as its samples.
#[test]
fn a_record_cannot_have_a_file_removed() {
    let scratch = Scratch::new("samples-elsewhere");
    scratch.write("budgets.toml", "[budget.a]\nartifact = \"x\"\nmax = { size = \"1 KB\" }\n");
    std::fs::create_dir_all(scratch.path("target/budgets/samples")).unwrap();
    scratch.write("target/CACHEDIR.TAG", "");
    let own = "target/budgets/samples/0123456789abcdef-now.samples";
    let all = ["letter.txt", "0123456789abcdef-now.samples", own];
    let text = concat!(
        r#"{"version":1,"architecture":"x86_64","seconds":0.5,"operations":10,"waited":0.1,"others":0.0,"#,
        r#""lost":0,"code":[],"taken":0,"kernel":0}"#,
        "\n"
    );
    for file in all {
        scratch.write(file, text);
    }
    let up = "target/budgets/samples/../../../0123456789abcdef-now.samples";
    let named = [all[0], all[1], up];
    let mut outcomes = last_run();
    for (outcome, file) in outcomes.iter_mut().zip(named) {
        outcome["sampled"] = serde_json::json!({
            "now": scratch.path(file), "before": scratch.path(all[1]), "at": 0, "samples": {"before": 1.0, "now": 1.0},
            "own": [], "seconds": 0.0,
        });
    }
    let record = scratch.record("given.jsonl", &outcomes);
    for arguments in [["report", "--input", &record], ["report", "--merge", &record]] {
        assert_eq!(run_in(&scratch.0, &arguments).code, 1);
    }
    // One that names what the harness has written is no reason either, if it is not the project's own record.
    outcomes[0]["sampled"]["now"] = scratch.path(own).into();
    let given = scratch.record("given.jsonl", &outcomes);
    assert_eq!(run_in(&scratch.0, &["report", "--input", &given]).code, 1);
    assert_eq!(std::fs::read_to_string(scratch.path(own)).unwrap(), text);
    scratch.record("target/budgets/outcomes.jsonl", &outcomes[1..]);
    let done = run_in(&scratch.0, &["report"]);
    assert_eq!(done.code, 1, "{}", done.err);
    let explained = run_in(&scratch.0, &["report", "--format", "json"]).out;
    assert!(explained.contains("is not a file of this project's samples"), "{explained}");
    for file in all {
        assert_eq!(std::fs::read_to_string(scratch.path(file)).unwrap(), text, "{file}");
    }
}

#[test]
fn output_is_complete_or_absent() {
    let scratch = Scratch::new("output");
    let input = file("outcomes.jsonl");
    let report = |to: &str| run(&["report", "--format", "html", "--input", &input, "--output", to]);
    let page = scratch.path("page.html");
    let done = report(&page);
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    assert!(done.err.contains("page.html: 9 limits of 7 budgets"), "{}", done.err);
    assert!(std::fs::read_to_string(&page).unwrap().ends_with("</html>\n"));
    // An old file is replaced. A new one cannot be created below a path that is not a directory.
    std::fs::write(&page, "old").unwrap();
    assert_eq!(report(&page).code, 1);
    assert!(std::fs::read_to_string(&page).unwrap().len() > 1000);
    let done = report(&scratch.path("page.html/page.html"));
    assert_eq!(done.code, 3);
    let why = if cfg!(windows) { "failed to write" } else { "Not a directory" };
    assert!(done.err.contains(why), "{}", done.err);
    let done = report(&scratch.path(""));
    assert_eq!(done.code, 3);
    assert!(done.err.contains("it is a directory; name a file in it"), "{}", done.err);
    let left: Vec<_> =
        std::fs::read_dir(&scratch.0).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["page.html"]);
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let scratch = Scratch::new("link");
    scratch.write("real.csv", "old");
    std::os::unix::fs::symlink("real.csv", scratch.path("link.csv")).unwrap();
    let input = file("outcomes.jsonl");
    let link = scratch.path("link.csv");
    assert_eq!(run(&["report", "--format", "csv", "--input", &input, "--output", &link]).code, 1);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(std::fs::read_to_string(scratch.path("real.csv")).unwrap().starts_with("test,"));
}

/// Uses a device that is always full, by its name and as standard output.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let input = file("outcomes.jsonl");
    let arguments = ["report", "--format", "html", "--input", &input];
    check(
        &[&arguments[..], &["--output", "/dev/full"]].concat(),
        3,
        &["failed to write `/dev/full`", "space"],
    );
    assert!(std::path::Path::new("/dev/full").metadata().is_ok_and(|data| !data.is_file()));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let done = crate::command::command(&crate::folder(), &arguments).stdout(full).output().unwrap();
    assert_eq!(done.status.code(), Some(3));
    let error = String::from_utf8(done.stderr).unwrap();
    assert!(error.contains("failed to write to standard output"), "{error}");
}
