//! The doors by which the harness's own processes come in stay shut to everyone else, and nobody is harmed.

use libtest_mimic::Trial;

use crate::gate::{Case, SUBJECT};
use crate::row;

/// Green, if its tests are run.
const BUDGETS: &str =
    "[budget.tally]\nworkload = \"tally\"\nparams = { depth = 1 }\nmax = { depth = 10 }\n";

const DOORS: [&str; 5] = [
    "PERF_BUDGET_GUARD",
    "PERF_BUDGET_RELAY",
    "PERF_BUDGET_INJECT",
    "PERF_BUDGET_WORKER",
    "PERF_BUDGET_WORKER_DOOR",
];

/// Makes a pair of sockets, and starts the program so many generations below, as what is to become `exit 42`.
const SCRIPT: &str = "
import os, socket, sys
program, generations, how = sys.argv[1], int(sys.argv[2]), sys.argv[3]
word = '0123456789abcdef0123456789abcdef'
ours, theirs = socket.socketpair()
ours.send(word.encode())
if how == 'spent': theirs.recv(len(word))
if how == 'other': word = word[::-1]
ours.close()
for generation in range(generations):
    child = os.fork()
    if child:
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
os.set_inheritable(theirs.fileno(), True)
said = '%d-%s work 0' % (theirs.fileno(), word)
os.execve(program, [program, 'sh', '-c', 'exit 42'], dict(os.environ, PERF_BUDGET_INJECT=said))
";

pub(crate) fn rows() -> Vec<Trial> {
    let shut = DOORS.map(|door| row(format!("doors::shut::{door}"), move || is_shut(door)));
    let rows = [
        row("doors::kill_nobody", kill_nobody),
        row("doors::open_to_a_parent_alone", open_to_a_parent_alone),
        row("doors::are_not_seen_by_what_is_measured", are_not_seen_by_what_is_measured),
    ];
    shut.into_iter().chain(rows).collect()
}

fn is_shut(door: &str) {
    let case = Case::new(&format!("doors-{door}"), BUDGETS);
    std::fs::write(case.dir.join("request"), "{}").unwrap();
    let word = "0123456789abcdef0123456789abcdef";
    let right = [format!("9-{word} work 0"), format!("0-{word} "), format!("99999999999-{word} ")];
    let values = ["", "zz", "1", "work 0", "request", "-1", "\u{fffd}"].map(str::to_owned);
    let mut case = case;
    for value in values.into_iter().chain(right) {
        case = case.env(door, &value);
        let run = case.run().exited(2);
        let said = format!("`{door}`");
        assert!(run.stderr.contains(&said) && run.stderr.contains("unset "), "{value:?}: {run}");
        assert!(!run.stderr.contains("panicked") && run.stdout.is_empty(), "{value:?}: {run}");
    }
    assert!(!case.dir.join("results/outcomes.jsonl").exists(), "tests were run");
}

/// Not by a word that is in everyone's environment, and not by one that is in a stranger's alone.
fn kill_nobody() {
    let mut stranger = std::process::Command::new("sleep");
    let mut stranger = stranger.arg("1000").env("PERF_BUDGET_TREE", "<77-zz-1>").spawn().unwrap();
    let case = Case::new("doors-kill-nobody", BUDGETS);
    for value in ["zz", "=", "<77-zz-"] {
        Case::new("doors-kill-nobody", BUDGETS).env(DOORS[0], value).run().exited(2);
    }
    case.env("PERF_BUDGET_TREE", "<77-zz-").run().exited(0);
    assert!(stranger.try_wait().unwrap().is_none(), "it was killed");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

/// The same word in the same socket: from the parent, from the parent's parent, from further away, twice, and
/// beside another word.
fn open_to_a_parent_alone() {
    let case = Case::new("doors-parent", BUDGETS);
    let ends = |generations: &str, how: &str| {
        let mut python = std::process::Command::new("python3");
        python.args(["-c", SCRIPT]).arg(std::env::current_exe().unwrap()).args([generations, how]);
        let done = python.env(SUBJECT, "1").current_dir(&case.dir).output().unwrap();
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };
    assert_eq!(ends("1", "fresh").0, Some(42));
    assert_eq!(ends("2", "fresh").0, Some(42));
    for (generations, how) in [("3", "fresh"), ("1", "spent"), ("1", "other")] {
        let (code, said) = ends(generations, how);
        assert_eq!(code, Some(2), "{generations}, {how}: {said}");
        assert!(said.contains("`PERF_BUDGET_INJECT`"), "{said}");
    }
}

fn are_not_seen_by_what_is_measured() {
    let budgets = "
[budget.workload]
workload = \"sees doors\"
max = { doors = 0 }

[budget.command]
command = [\"sh\", \"-c\", \"env | grep -cE '^PERF_BUDGET_(WORKER|RELAY|INJECT|TREE|GUARD)'; test $? = 1\"]
max = { exit = 0 }
";
    Case::new("doors-unseen", budgets).run().exited(0);
}
