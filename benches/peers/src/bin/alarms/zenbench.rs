//! zenbench's comparison of two programs, `zenbench pair --mode confirm`: blocks of fresh processes, and intervals from
//! the log-ratios of whole blocks.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::builds::{Builds, Change, TOOL, WORKLOAD};
use crate::work;

/// The rows that a process prints, each of one batch.
const ROWS: u32 = 10;
/// The time of a batch, and of the warm-up before the first. The manual of zenbench asks for processes that are long
/// enough to be observed.
const BATCH: Duration = Duration::from_millis(30);
/// The number of blocks. The manual asks for five or more.
const BLOCKS: u32 = 10;

/// Prints the milliseconds of an operation in several batches, which take as long in both builds.
pub(crate) fn print_rows(workload: &str) {
    let mut operation = work::operation(workload);
    let begun = Instant::now();
    let mut each = 0;
    while begun.elapsed() < BATCH {
        std::hint::black_box(operation());
        each += 1;
    }
    let mut out = std::io::stdout();
    for _ in 0..ROWS {
        let begun = Instant::now();
        for _ in 0..each {
            std::hint::black_box(operation());
        }
        let milliseconds = begun.elapsed().as_secs_f64() * 1e3 / f64::from(each);
        let _ = writeln!(out, "elapsed_ms={milliseconds:.9}");
    }
    let _ = writeln!(out, "check={{\"ran\":true}}");
}

/// Asks whether the head is slower by more than 1 %, or not.
pub(crate) fn confirm(builds: &Builds, workload: &str) -> Vec<(&'static str, Change)> {
    let Some(program) = &builds.zenbench else { return Vec::new() };
    let side = |id: &str, build: &str| {
        json!({
            "id": id,
            "program": builds.place.join(build).join("peer"),
            "args": [],
            "env": { TOOL: "rows", WORKLOAD: workload },
            "revision": build,
            "timeout_seconds": 30,
        })
    };
    let plan = json!({
        "schema": 1,
        "baseline": side("before", "base"),
        "candidates": [side("after", "head")],
        "cases": [{ "id": workload, "inputs": {} }],
        "metric": {
            "extract": { "kind": "prefix", "prefix": "elapsed_ms=" },
            "unit": "ms",
            "expected": ROWS,
            "divide_by": 1,
            "resolution": 1e-6,
        },
        "check": { "kind": "json", "prefix": "check=", "pointers": ["/ran"] },
        "warmup": "the program warms up before its first row",
        "blocks": BLOCKS,
        "aa": true,
        "deadline_seconds": 300,
        "confirmation": {
            "margin_pct": 1.0,
            "control_margin_pct": 1.0,
            "family_confidence": 0.95,
            "scope": "inputs-v1",
            "accept": "non_inferiority",
        },
    });
    let folder = builds.place.join("zenbench");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the place can be written");
    std::fs::write(folder.join("plan.json"), plan.to_string()).expect("written");
    let output = Command::new(program)
        .args(["pair", "plan.json", "--mode", "confirm", "--output", "attempt"])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .output()
        .expect("it starts");
    let change = match output.status.code() {
        Some(0) => Change::Same,
        Some(1) => Change::Slower,
        // Invalid, inconclusive or incomplete.
        Some(2) => Change::Unknown,
        code => panic!("zenbench: {code:?}: {}", String::from_utf8_lossy(&output.stderr)),
    };
    vec![("zenbench 0.1.11 pair, confirmed, by 1 %", change)]
}
