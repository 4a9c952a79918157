//! The tables of keys, which the reader accepts and the schema describes.

use crate::metric::SubjectKind;
use crate::metric::SubjectKind::{Artifact, Command, Criterion, Divan, Libtest, Record, Workload};

/// One key of a table.
pub(super) struct Key {
    /// The name of the key in the file.
    pub name: &'static str,
    /// The subjects that the key makes sense for. All subjects, if the key is not in a budget.
    pub kinds: &'static [SubjectKind],
    /// The description of the key, in one or two sentences.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "only the schema has it, which a test makes")
    )]
    pub meaning: &'static str,
}

const ALL: &[SubjectKind] = &SubjectKind::ALL;
/// The subjects that may have parameters.
const PARAMETRIC: &[SubjectKind] = &[Artifact, Command, Workload];
/// The subjects that are measured here and now.
const MEASURED: &[SubjectKind] = &[Artifact, Command, Workload, Criterion, Divan, Libtest];
/// The subjects whose processes the harness starts and may hold to a constraint.
const STARTED: &[SubjectKind] = &[Command, Workload];
/// The subjects that can be built before they are measured, by any program.
const BUILT: &[SubjectKind] = &[Artifact, Command];
/// The subjects that can be built before they are measured, by cargo.
const BUILT_BY_CARGO: &[SubjectKind] = &[Artifact, Command, Criterion, Divan, Libtest];

const fn key(name: &'static str, kinds: &'static [SubjectKind], meaning: &'static str) -> Key {
    Key { name, kinds, meaning }
}

/// The keys of the file.
pub(super) const FILE: &[Key] = &[
    key("settings", ALL, "What holds for every budget that does not say otherwise."),
    key(
        "budget",
        ALL,
        "The budgets, each as `[budget.NAME]`; NAME is the first part of its tests' names.",
    ),
    key(
        "env",
        ALL,
        "Environments, each as `[env.NAME]`: what is different where `PERF_BUDGET_ENV` or `--env` names it, or where its `when` is true.",
    ),
];

/// The keys of `[env.NAME]`. All but the first two are settings.
pub(super) const ENVIRONMENTS: &[Key] = &[
    key(
        "when",
        ALL,
        "The machines on which the environment is in force, if none is named. If several environments fit a machine, the first is in force.",
    ),
    key("budget", ALL, "The differences of budgets, each as `[env.NAME.budget.BUDGET]`."),
    key("effort", ALL, "In place of `effort` in [settings]."),
    key("timeout", ALL, "In place of `timeout` in [settings]."),
    key("build_timeout", ALL, "In place of `build_timeout` in [settings]."),
    key("lock_timeout", ALL, "In place of `lock_timeout` in [settings]."),
    key("warn_at", ALL, "In place of `warn_at` in [settings]."),
    key("inconclusive", ALL, "In place of `inconclusive` in [settings]."),
    key("base", ALL, "In place of `base` in [settings]."),
    key("total", ALL, "In place of `total` in [settings]."),
];

/// The keys of `when` in an environment.
pub(super) const WHEN: &[Key] = &[
    key(
        "ci",
        ALL,
        "Whether a service of continuous integration runs the process (true or false), or which one: \"github\".",
    ),
    key("os", ALL, "The operating system, as Rust calls it: \"linux\", \"macos\", \"windows\"."),
    key("arch", ALL, "The architecture, as Rust calls it: \"x86_64\", \"aarch64\"."),
    key(
        "processor",
        ALL,
        "A part of the processor's name, in capitals or not, as records have it: \"EPYC\". Only Linux on x86_64 tells the name.",
    ),
    key("cores", ALL, "How many processors the process may use, or a list of such numbers: 2."),
];

/// The keys of a budget in an environment.
pub(super) const BUDGET_IN_ENVIRONMENT: &[Key] = &[
    key("max", ALL, "The limits of each metric named here replace those of the budget's `max`."),
    key("min", ALL, "The limits of each metric named here replace those of the budget's `min`."),
    key("effort", ALL, "In place of the budget's `effort`."),
    key("timeout", ALL, "In place of the budget's `timeout`."),
];

/// The keys of `[settings]`.
pub(super) const SETTINGS: &[Key] = &[
    key(
        "effort",
        ALL,
        "The most time one statistical budget may take to reach its verdict. Default \"10 s\".",
    ),
    key("timeout", ALL, "How long one process may run before it counts as hung. Default \"60 s\"."),
    key(
        "build_timeout",
        ALL,
        "How long one build of what is measured may take: of `{bin:NAME}`, `{wasm:NAME}` or `build`. Default \"1 h\".",
    ),
    key(
        "lock_timeout",
        ALL,
        "How long a limit may wait for the lock of the machine, while other processes measure, before it is red. Default \"15 min\".",
    ),
    key(
        "alpha",
        ALL,
        "Chance that the whole suite shows any false red: over 0, at most 0.5. Default 0.01.",
    ),
    key("warn_at", ALL, "A limit used beyond this share is a warning. Default \"90 %\"."),
    key(
        "inconclusive",
        ALL,
        "What becomes of a limit that evidence cannot settle: a warning (\"warn\", the default) or red (\"fail\").",
    ),
    key(
        "base",
        ALL,
        "How much worse than at the base revision limited metrics may be, if a run compares with one: \"5 %\", or a table with exceptions. It holds for every metric that any run can compare, so it does not hold for counts that may be 0, or for percentiles for which a run may have too few values. Default: only limits that name `base` are compared.",
    ),
    key(
        "total",
        ALL,
        "The most time that all measurements of a run may take together, after which it ends with a report. Default: none.",
    ),
    key(
        "layouts",
        ALL,
        "How often each revision is linked at first, in another order each time, where times are compared with the base; more links follow when a limit needs them, and 1 makes a single one. Default 16.",
    ),
    key(
        "codegen_units",
        ALL,
        "In how many units the packages of the workspace are compiled if times are compared with the base: \"one\" (the default), so that a change does not alter the machine code of what it does not touch, or \"as built\".",
    ),
    key(
        "inert",
        ALL,
        "Globs of files, relative to this one, that have no part in what any budget measures: if only such files differ from the base, limits against it pass without a measurement. Documentation and licences need not be listed.",
    ),
];

/// The keys of `[budget.NAME]`. The first six name the subject; a budget has one of them.
pub(super) const BUDGET: &[Key] = &[
    key(
        "artifact",
        &[Artifact],
        "A file, a glob, a directory or an image archive, or a list of them; relative to this file. `{bin:NAME}` is a binary that cargo builds, `{wasm:NAME}` a WebAssembly module, `{param}` the value of a parameter.",
    ),
    key(
        "command",
        &[Command],
        "A process: the program and its arguments. `{bin:NAME}` is a binary that cargo builds, `{wasm:NAME}` a WebAssembly module, `{param}` the value of a parameter.",
    ),
    key("workload", &[Workload], "The name of a function registered in the harness."),
    key(
        "criterion",
        &[Criterion, Record],
        "The name of a Criterion benchmark as it prints it, \"group/bench\", or a pattern such as \"*\" for several: its program is built and run. With { record = \"group/bench\" } nothing is run, and what `cargo bench` recorded of it is judged.",
    ),
    key(
        "divan",
        &[Divan],
        "The name of a Divan benchmark with its path, \"crate::group::bench\", or a pattern such as \"*\" for several: its program, which has perf-budget-divan in the place of divan, is built and run.",
    ),
    key(
        "libtest",
        &[Libtest],
        "The name of a function with `#[bench]` with its path, \"module::bench\", or a pattern such as \"*\" for several: its program is built by `cargo bench` and run.",
    ),
    key(
        "max",
        ALL,
        "What metrics may not exceed: a quantity with its unit, `FACTOR x REFERENCE`, or a list of several.",
    ),
    key(
        "min",
        ALL,
        "What metrics may not fall below: a quantity with its unit, `FACTOR x REFERENCE`, or a list of several.",
    ),
    key(
        "params",
        PARAMETRIC,
        "Parameters. A list makes one case of each value, and lists together one of each combination.",
    ),
    key("scaling", PARAMETRIC, "How metrics may grow with a parameter: slopes on a log-log scale."),
    key(
        "unit",
        &[Workload],
        "Declares metrics that the workload records itself, each with its unit: \"number\", \"ms\", \"KB\", \"%\". A name that is like a known one needs it.",
    ),
    key(
        "load",
        &[Workload],
        "When operations are due. Their latency counts from then, and includes the wait for the operations before. Without it, each operation starts when the one before has ended.",
    ),
    key(
        "ready",
        &[Command],
        "When the command counts as started. Without it: when it ends, with success.",
    ),
    key(
        "cache",
        &[Command],
        "Whether the program's file is in the page cache when it starts: \"warm\" (the default) or \"evicted\".",
    ),
    key("env", &[Command], "Environment variables set for the command."),
    key(
        "cwd",
        &[Command],
        "The directory that the command runs in, relative to this file's. Default: this file's.",
    ),
    key(
        "stdin",
        &[Command],
        "The file that the command reads on its standard input, relative to this one. Default: nothing.",
    ),
    key(
        "prepare",
        &[Command],
        "What is run before each run of the command, in the same surroundings, and is not measured: the program and its arguments.",
    ),
    key(
        "cleanup",
        &[Command],
        "What is run after each run of the command, also of one that failed, and is not measured: the program and its arguments.",
    ),
    key(
        "memory",
        STARTED,
        "The most memory of its own that each process of the command or workload may have, as on a smaller device: \"512 MB\". Linux only.",
    ),
    key(
        "processors",
        STARTED,
        "How many processors the command or workload may run on, as on a smaller device. Linux only.",
    ),
    key(
        "features",
        BUILT_BY_CARGO,
        "The features that `{bin:NAME}`, `{wasm:NAME}` and benchmarks are built with, all of them: [\"default\", \"tls\"], or [] for none. Without it: the default ones.",
    ),
    key(
        "profile",
        BUILT_BY_CARGO,
        "The profile of Cargo.toml that `{bin:NAME}` and `{wasm:NAME}` are built with, \"release\" by default, or benchmarks, \"bench\" by default.",
    ),
    key(
        "wasm-opt",
        BUILT,
        "The arguments of wasm-opt, where what ships was processed by it: [\"-Oz\"]. It processes each `{wasm:NAME}`.",
    ),
    key(
        "build",
        BUILT,
        "How an artifact is made that cargo does not build: the program and its arguments, run in this file's directory before anything is measured, once in a run, and in the base's checkout as well.",
    ),
    key(
        "build_timeout",
        BUILT_BY_CARGO,
        "How long one build of this budget may take. Default: that of [settings].",
    ),
    key("why", ALL, "Why the budget exists, shown when it breaks."),
    key("waive", ALL, "Until a day, limits of this budget that are broken are warnings."),
    key(
        "base",
        ALL,
        "Whether `base` in [settings] puts limits on this budget too: true, unless it says false.",
    ),
    key(
        "effort",
        MEASURED,
        "The most time this budget may take to reach its verdict, if it is statistical.",
    ),
    key(
        "timeout",
        MEASURED,
        "How long one process of this budget may run before it counts as hung.",
    ),
];

/// The keys of `criterion` as a table.
pub(super) const RECORD: &[Key] = &[key(
    "record",
    ALL,
    "The name of the benchmark as Criterion prints it. What `cargo bench` recorded of it last is judged.",
)];

/// The keys of the long form of `base` in `[settings]`.
pub(super) const BASE: &[Key] = &[
    key("limit", ALL, "How much worse than at the base revision a metric may be: \"5 %\"."),
    key(
        "except",
        ALL,
        "Names of tests that this does not hold for, with `*` for any letters: \"*::p99\".",
    ),
];

/// The keys of the long form of a limit.
pub(super) const LIMIT: &[Key] = &[
    key("limit", ALL, "A quantity with its unit, or `FACTOR x REFERENCE`."),
    key(
        "warn",
        ALL,
        "A value beyond this is a warning. It is on the good side of the limit, in the same unit.",
    ),
    key("why", ALL, "Why this limit exists, shown when it breaks."),
    key("waive", ALL, "Until a day, the limit is a warning where it is broken."),
];

/// The keys of `waive`.
pub(super) const WAIVE: &[Key] = &[
    key("until", ALL, "The last day on which it holds, in UTC: \"2027-01-31\"."),
    key("owner", ALL, "Who answers for it."),
    key("why", ALL, "Why the limit may be broken until then."),
];

/// The keys of a block of `budgets.lock`.
pub(super) const LOCKED: &[Key] = &[
    key("value", ALL, "The value, in the base unit."),
    key("low", ALL, "The lower end of its interval."),
    key("high", ALL, "The upper end of its interval."),
    key("unit", ALL, "The base unit."),
    key("date", ALL, "The day it was accepted."),
    key("commit", ALL, "The revision it was measured at."),
    key("counter", ALL, "What counted it, where it is instructions."),
    key("environment", ALL, "Where it was measured."),
];

/// The keys of a block's `environment`.
pub(super) const ENVIRONMENT: &[Key] = &[
    key("platform", ALL, "Operating system and architecture."),
    key("processor", ALL, "The processor's name, where the system tells."),
    key("cores", ALL, "Processors that the process could use."),
    key("profile", ALL, "`release` or `debug`."),
];

/// The keys of `scaling`.
pub(super) const SCALING: &[Key] = &[
    key(
        "over",
        ALL,
        "The parameter that grows: a list of at least three different positive numbers.",
    ),
    key("max", ALL, "The greatest slope of each metric: 1 is linear, 2 is quadratic."),
];

/// The keys of `load`.
pub(super) const LOAD: &[Key] = &[
    key("shape", ALL, "How the rate changes over time."),
    key(
        "rate",
        ALL,
        "Operations a second: \"1000 op/s\". It is the average for poisson and burst, the rate where a ramp begins, and the rate between spikes.",
    ),
    key("peak", ALL, "The rate that a ramp rises to, or that a spike has."),
    key("every", ALL, "The period of a ramp, a spike or a burst. Whole periods are measured."),
    key("width", ALL, "How long a spike lasts."),
    key(
        "concurrency",
        ALL,
        "How many operations of `iter_concurrent` may be in flight; more wait, and their waiting counts. Default 1.",
    ),
];

/// The keys of `ready`, which has exactly one of them.
pub(super) const READY: &[Key] = &[
    key("stdout", ALL, "When this text is on its standard output."),
    key("stderr", ALL, "When this text is on its standard error."),
    key("port", ALL, "When this TCP port of the loopback interface accepts a connection."),
    key("file", ALL, "When this file exists."),
    key(
        "reported",
        ALL,
        "The command ends by itself and says how long it took: the name of a line of its standard output, as in `startup 132.4 ms`.",
    ),
];
