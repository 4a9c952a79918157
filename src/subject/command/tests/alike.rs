//! Tests of commands that are compared with another run: both runs get paths of one length.

use super::*;
use crate::exec::{Alike, Lengths};

#[test]
fn what_was_built_for_a_command_has_a_path_as_long_as_that_of_another_run() {
    let root = scratch();
    let given = |path: &str| {
        let name = format!("lengths-{}", path.len());
        let script = format!("echo ${{#1}} ${{#2}} > {name}");
        let command = command(&["sh", "-c", &script, "sh", path, "/etc/hosts"]);
        let alike = Alike { lengths: Lengths::nth(7), paths: vec![path.into()] };
        let place = Place { alike: Some(&alike), ..place_in(&root) };
        measure(&command, place, &[WALL], LONG, None).unwrap_or_else(|reason| panic!("{reason}"));
        std::fs::read_to_string(root.join(name)).unwrap()
    };
    let own = given("/made/tool");
    assert_eq!(own, given("/made/budgets/base/target/tool"));
    // A path that the user wrote stays as it is.
    assert!(own.len() == 7 && own.ends_with(" 10\n"), "{own}");
}
