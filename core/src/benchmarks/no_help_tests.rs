//! Tests of programs that refuse `--help`: the arguments that they accept show their version.

use std::cell::RefCell;

use super::tests::{MARKED, Place};
use super::*;
use crate::build::{ProgramResult, Step};

/// Criterion 0.5 does not turn on the feature `help` of clap, so that a program with it alone refuses `--help`.
#[test]
fn a_program_without_help_is_asked_for_what_it_knows() {
    let place = Place::new("no-help");
    let bench = place.bench("kit", "sums", MARKED);
    // Answers as clap does in a program that knows these arguments.
    let list = |known: &[&str], fails: &str| {
        let asked = RefCell::new(Vec::new());
        let ask = |step: &Step| {
            asked.borrow_mut().push(step.args.join(" "));
            let is_known = |argument: &String| known.contains(&&**argument);
            let mut own = step.args.split(|argument| argument == "--");
            let all_known = own.next().is_some_and(|own| own.iter().all(is_known));
            let code = if !all_known {
                2
            } else if fails.is_empty() {
                0
            } else {
                101
            };
            let lists = code == 0 && own.next().is_none();
            let stdout = if lists { "a/b: benchmark\n" } else { "" };
            let messages = (code != 0).then(|| "error: unexpected argument found".to_owned());
            Ok(ProgramResult { code, stdout: stdout.into(), messages })
        };
        let benches = Benches { built: vec![bench.clone()], ..Benches::default() };
        let list = List::of(&benches, String::new(), None, &ask);
        (list, asked.into_inner())
    };
    let (old, new) = (["--bench", "--list", "--noplot"], ["--quick", "--exact"]);
    for (new, exact, quick) in
        [(&new[..], true, true), (&new[..1], false, true), (&new[..0], false, false)]
    {
        let (list, asked) = list(&[&old[..], new].concat(), "");
        let skills = Abilities { exact, quick, serves: false };
        let content = Content::Criterion { skills, names: vec!["a/b".to_owned()] };
        assert_eq!(list.faults, [], "{asked:?}");
        assert_eq!(list.programs[0].content, content, "{asked:?}");
    }
    let fault = |known: &[&str], fails: &str| list(known, fails).0.faults[0].reason().text;
    // It panics as soon as it lists.
    let why = fault(&[&old[..], &new[..]].concat(), "panics");
    assert!(why.contains("each of its functions has to run to its end"), "{why}");
    // Its arguments are not those of Criterion.
    let why = fault(&["--bench", "--list"], "");
    assert!(why.contains("with `--help` it ended with exit code 2; its `main` must call"), "{why}");
    // It reads no arguments.
    let ignores_arguments = |step: &Step| {
        let code = i32::from(step.args.contains(&"--help".to_owned()));
        Ok(ProgramResult { code, stdout: "a: benchmark\n".into(), messages: None })
    };
    let benches = Benches { built: vec![bench], ..Benches::default() };
    let list = List::of(&benches, String::new(), None, &ignores_arguments);
    let why = list.faults[0].reason().text;
    assert!(why.contains("with `--help` it ended with exit code 1; its `main` must call"), "{why}");
}
