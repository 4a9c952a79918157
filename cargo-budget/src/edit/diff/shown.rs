//! Limits, cases and subjects as a comparison of two states shows them.

use perf_budget_core::budget::{Cache, Case, Limit, Param, Ready, Reference, Subject, Target};
use perf_budget_core::suite::names;

/// Returns a limit as people read it.
pub(super) fn limit(limit: &Limit) -> String {
    let side = limit.bound.side();
    match &limit.target {
        Target::Absolute(quantity) => format!("{side} {quantity}"),
        Target::Relative { factor, reference } => {
            let name = match reference {
                Reference::Base => "base",
                Reference::Lock => "lock",
                Reference::Budget(name) => name,
            };
            format!("{side} {factor} x {name}")
        }
    }
}

/// Returns the parameters of a case.
pub(super) fn params(case: &Case) -> String {
    if case.params.is_empty() {
        return "none".to_owned();
    }
    let text = |(name, value): &(String, Param)| format!("{name} = {value}");
    case.params.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// Returns what is measured, with everything that affects it.
pub(super) fn subject(subject: &Subject) -> String {
    let Subject::Command(command) = subject else { return names::subject(subject) };
    let ready = match &command.ready {
        Ready::Exit => String::new(),
        Ready::Stdout(text) => format!(", ready when stdout has {text:?}"),
        Ready::Stderr(text) => format!(", ready when stderr has {text:?}"),
        Ready::Port(port) => format!(", ready on port {port}"),
        Ready::Reported(name) => format!(", ready as its line {name:?} says"),
        Ready::File(path) => format!(", ready when {} exists", path.display()),
    };
    let cache = match command.cache {
        Cache::Warm => "",
        Cache::Evicted => ", evicted from the page cache",
    };
    let env = command.env.iter().map(|(name, value)| format!("{name}={value} "));
    let env = env.collect::<Vec<_>>().concat();
    format!("command {env}{}{ready}{cache}", command.argv.join(" "))
}
