//! The rows that cannot run on this machine. They are found when the tests start; each is then listed as ignored, and a
//! line says why.

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use libtest_mimic::Trial;

/// Why a row cannot run here, and its name.
type Gap = (String, String);

/// Marks the rows that cannot run here as ignored, and says why.
pub(crate) fn mark(rows: Vec<Trial>) -> Vec<Trial> {
    let gaps = gaps(&rows);
    for (why, name) in &gaps {
        let _ = writeln!(std::io::stderr(), "left out: {name}: {why}");
    }
    let is_left_out = |row: &Trial| gaps.iter().any(|(_, name)| name == row.name());
    rows.into_iter()
        .map(|row| {
            let is_ignored = is_left_out(&row) || row.has_ignored_flag();
            row.with_ignored_flag(is_ignored)
        })
        .collect()
}

fn gaps(rows: &[Trial]) -> Vec<Gap> {
    let mut gaps: Vec<Gap> =
        rows.iter().filter_map(|row| missing_program_gap(row.name())).collect();
    let mut add = |is_missing: bool, why: &str, names: &[&str]| {
        let names = names.iter().filter(|_| is_missing);
        gaps.extend(names.map(|name| (why.to_owned(), (*name).to_owned())));
    };
    let feature = "this build has the cargo feature";
    add(cfg!(feature = "zstd"), feature, &["cases::zstd_without_its_feature"]);
    add(cfg!(feature = "wasm"), feature, &["cases::fuel_without_its_feature"]);
    add(
        cfg!(debug_assertions),
        "a debug build does not judge instructions",
        &[
            "cases::instructions_by_an_unknown_counter",
            "cases::instructions_without_valgrind",
            "profiled::a_profile_is_of_what_is_counted",
        ],
    );
    add(
        cfg!(target_env = "musl"),
        "where musl is linked, Rust's runtime does not tell an overflow from another segmentation fault",
        &["cases::stack_overflow"],
    );
    add(
        cfg!(not(target_os = "linux")),
        "only Linux counts what a command writes, and system calls",
        &["cases::writes_too_much", "cases::syscalls_over"],
    );
    add(
        cfg!(windows),
        "there is no Valgrind for Windows, and it is not known there",
        &["cases::instructions_without_valgrind"],
    );
    add(
        cfg!(windows),
        "Windows has no signals",
        &["cases::killed", "cases::command_killed", "cases::command_dies_before_ready"],
    );
    #[cfg(target_os = "linux")]
    if let Some(why) = perf_budget::internals::tracing_refused() {
        add(true, &why, &["cases::syscalls_over"]);
    }
    gaps
}

/// Unix programs that cases start.
const PROGRAMS: [&str; 2] = ["sh", "sleep"];
/// Cases that end before their program is started.
const NOT_STARTED: [&str; 2] = ["port_taken", "ready_file_there"];

/// Returns the gap of a case, if it starts a program that is not installed.
fn missing_program_gap(row: &str) -> Option<Gap> {
    let case = row.strip_prefix("cases::").filter(|case| !NOT_STARTED.contains(case))?;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cases").join(case);
    let budgets = fs::read_to_string(file.join("budgets.toml")).ok()?;
    let starts = |name: &&str| budgets.contains(&format!("command = [\"{name}\""));
    let missing = PROGRAMS.into_iter().find(|name| starts(name) && !is_in_path(name))?;
    Some((format!("there is no program `{missing}` in PATH"), row.to_owned()))
}

fn is_in_path(program: &str) -> bool {
    let file = format!("{program}{}", env::consts::EXE_SUFFIX);
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|dir| dir.join(&file).is_file())
}
