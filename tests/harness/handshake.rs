//! Tests of the handshake of helper processes: a process whose environment asks for one is rejected unless a harness
//! started it, and no other process is harmed.

use libtest_mimic::Trial;

use crate::gate::{Case, SUBJECT};
use crate::row;

/// A budget that is green if its tests are run.
const BUDGETS: &str =
    "[budget.tally]\nworkload = \"tally\"\nparams = { depth = 1 }\nmax = { depth = 10 }\n";

const VARIABLES: [&str; 5] = [
    "PERF_BUDGET_GUARD",
    "PERF_BUDGET_RELAY",
    "PERF_BUDGET_INJECT",
    "PERF_BUDGET_WORKER",
    "PERF_BUDGET_WORKER_TOKEN",
];

/// A script that makes a pair of sockets and starts the program a number of generations below, as a process that is
/// to become `exit 42`.
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
value = '%d-%s work 0' % (theirs.fileno(), word)
os.execve(program, [program, 'sh', '-c', 'exit 42'], dict(os.environ, PERF_BUDGET_INJECT=value))
";

pub(crate) fn rows() -> Vec<Trial> {
    let rejected = VARIABLES.map(|variable| {
        row(format!("handshake::rejected::{variable}"), move || is_rejected(variable))
    });
    let rows = [
        row("handshake::kills_nobody", kills_nobody),
        row("handshake::accepts_a_parent_only", accepts_a_parent_only),
        row(
            "handshake::variables_are_hidden_from_what_is_measured",
            variables_are_hidden_from_what_is_measured,
        ),
    ];
    rejected.into_iter().chain(rows).collect()
}

fn is_rejected(variable: &str) {
    let case = Case::new(&format!("handshake-{variable}"), BUDGETS);
    std::fs::write(case.dir.join("request"), "{}").unwrap();
    let secret = "0123456789abcdef0123456789abcdef";
    let right =
        [format!("9-{secret} work 0"), format!("0-{secret} "), format!("99999999999-{secret} ")];
    let values = ["", "zz", "1", "work 0", "request", "-1", "\u{fffd}"].map(str::to_owned);
    let mut case = case;
    for value in values.into_iter().chain(right) {
        case = case.env(variable, &value);
        let run = case.run().exited(2);
        let message = format!("`{variable}`");
        assert!(run.stderr.contains(&message) && run.stderr.contains("unset "), "{value:?}: {run}");
        assert!(!run.stderr.contains("panicked") && run.stdout.is_empty(), "{value:?}: {run}");
    }
    assert!(!case.dir.join("results/outcomes.jsonl").exists(), "tests were run");
}

/// No process is killed because of a variable, whether it is set for all processes or for another process only.
fn kills_nobody() {
    let mut stranger = std::process::Command::new("sleep");
    let mut stranger = stranger.arg("1000").env("PERF_BUDGET_TREE", "<77-zz-1>").spawn().unwrap();
    let case = Case::new("handshake-kill-nobody", BUDGETS);
    for value in ["zz", "=", "<77-zz-"] {
        Case::new("handshake-kill-nobody", BUDGETS).env(VARIABLES[0], value).run().exited(2);
    }
    case.env("PERF_BUDGET_TREE", "<77-zz-").run().exited(0);
    assert!(stranger.try_wait().unwrap().is_none(), "it was killed");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

/// The same secret in the same socket is accepted from the parent and from the parent's parent. It is rejected from
/// further away, the second time, and if the variable has another secret.
fn accepts_a_parent_only() {
    let case = Case::new("handshake-parent", BUDGETS);
    let ends = |generations: &str, how: &str| {
        let mut python = std::process::Command::new("python3");
        python.args(["-c", SCRIPT]).arg(std::env::current_exe().unwrap()).args([generations, how]);
        let done = python.env(SUBJECT, "1").current_dir(&case.dir).output().unwrap();
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };
    assert_eq!(ends("1", "fresh").0, Some(42));
    assert_eq!(ends("2", "fresh").0, Some(42));
    for (generations, how) in [("3", "fresh"), ("1", "spent"), ("1", "other")] {
        let (code, message) = ends(generations, how);
        assert_eq!(code, Some(2), "{generations}, {how}: {message}");
        assert!(message.contains("`PERF_BUDGET_INJECT`"), "{message}");
    }
}

fn variables_are_hidden_from_what_is_measured() {
    let budgets = "
[budget.workload]
workload = \"sees the variables\"
max = { variables = 0 }

[budget.command]
command = [\"sh\", \"-c\", \"env | grep -cE '^PERF_BUDGET_(WORKER|RELAY|INJECT|TREE|GUARD)'; test $? = 1\"]
max = { exit = 0 }
";
    Case::new("handshake-unseen", budgets).run().exited(0);
}
