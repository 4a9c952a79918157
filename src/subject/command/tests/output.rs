//! Tests with the texts by which real servers say that they are ready.

use super::*;

#[test]
fn a_coloured_text_is_the_text() {
    let server = "printf '\\033[32mlisten\\033[0ming\\033[1m on 80\\033[0m'; exec sleep 1000";
    measured(&Command { ready: text("listening on"), ..sh(server) }, &[STARTUP]);
    // A budget that waits for an escape sequence finds it.
    measured(&Command { ready: text("\u{1b}[32mlisten"), ..sh(server) }, &[STARTUP]);
}

#[test]
fn a_text_on_the_other_stream_is_named() {
    let server = |script: &str, ready| Command { ready, ..sh(script) };
    let words = [
        "its standard output held \"listening\"; its standard error held \"listening\": write ready = { stderr = \
         \"listening\" }",
    ];
    let deaf = server("echo listening >&2; exec sleep 1000", text("listening"));
    // It has so long to write, where an emulator or a busy machine takes longer.
    let is_said = |timeout| {
        let why = measure(&deaf, place_in(&scratch()), &[STARTUP], timeout, None).unwrap_err();
        why.cause == Cause::TimedOut && why.text.contains(words[0])
    };
    assert!([SOON, 10 * SOON, LONG].into_iter().any(is_said));
    let words = ["write ready = { stdout = \"listening\" }"];
    let ended = server("echo listening", Ready::Stderr("listening".to_owned()));
    check_refused(&ended, &[STARTUP], LONG, Cause::ExitedEarly, &words);
}
