//! Git and cargo are started in one file each, which keeps git's variables for hooks from the child.

use super::arrows::code;
use super::{none, sources};

/// The functions that start a program, and the one file of the command that may call them.
const STARTS: &[&str] = &["Command::new(", "MetadataCommand::new("];
const COMMAND: &str = "cargo-budget/src/child/mod.rs";

/// In the library every process is started by this file's `surround`; `arrows` checks which files may start any.
const LIBRARY: &str = "src/exec/child.rs";

/// `child::output` and `child::run` bound the time of a program and what is kept of its output; these calls of the standard
/// library do not.
#[test]
fn the_command_reads_programs_within_bounds() {
    let unbounded = |text: &str| {
        [".output()", "wait_with_output("].iter().any(|call| code(text).contains(call))
    };
    let files = sources("cargo-budget/src");
    let own = |path: &str| path.starts_with("cargo-budget/src/child/");
    let others = files.iter().filter(|file| !own(&file.path) && unbounded(&file.text));
    let others: Vec<String> = others.map(|file| file.path.clone()).collect();
    none(&others, "these wait for a program without bounds; use `child::output` or `child::run`");
    assert!(unbounded("let all = command.output()?;") && !unbounded("child::output(&mut command)"));
}

#[test]
fn git_and_cargo_are_started_in_one_place() {
    let command = sources("cargo-budget/src");
    let starts = |text: &str| STARTS.iter().any(|start| text.contains(start));
    let others = command.iter().filter(|file| file.path != COMMAND && starts(&file.text));
    let others: Vec<String> = others.map(|file| file.path.clone()).collect();
    none(&others, "these start programs by themselves; `child` does it for them");
    assert!(command.iter().any(|file| file.path == COMMAND && starts(&file.text)));

    let library = sources("src");
    let named = ["git", "cargo"].map(|program| format!("Command::new(\"{program}"));
    let others = library.iter().filter(|file| {
        let text = code(&file.text);
        named.iter().any(|start| text.contains(start))
    });
    let others: Vec<String> = others.map(|file| file.path.clone()).collect();
    none(&others, "these start git or cargo by themselves; a `Launch` does it for them");
    let surround = library.iter().find(|file| file.path == LIBRARY).map(|file| code(&file.text));
    assert!(surround.is_some_and(|text| text.contains("repository::remove_variables(command)")));
}
