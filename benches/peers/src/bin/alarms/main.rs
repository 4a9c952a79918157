//! False positives and power beside other tools: `cargo run --release --bin alarms -- 20` for twenty minutes.
//!
//! Each trial draws a workload and an effect, and runs every tool once, in random order, so that all see the
//! same machine. The results are written to `docs/peers.md` after each trial.

mod builds;
mod tools;
mod work;
mod zenbench;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use builds::{Builds, Change};
use perf_budget_core::stats::clopper_pearson;
use work::Random;

/// The percentages that are injected. On average, nothing is injected in every second trial.
const EFFECTS: [u32; 4] = [0, 0, 3, 5];
/// The variable that names the program of perfgate, which need not be installed.
const PERFGATE: &str = "PERFGATE";
/// The variable that names the program of zenbench, likewise.
const ZENBENCH: &str = "ZENBENCH";
/// The variable that names the program of hyperfine, likewise.
const HYPERFINE: &str = "HYPERFINE";

/// The answers of a rule, by the effect that was injected.
#[derive(Default)]
struct Row {
    changes: BTreeMap<u32, Vec<Change>>,
    seconds: Vec<f64>,
}

fn main() -> ExitCode {
    if let Some(code) = tools::serve() {
        return code;
    }
    let minutes = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(20.0);
    let builds = Builds {
        place: std::env::temp_dir().join("perf-budget-alarms"),
        perfgate: std::env::var_os(PERFGATE).map(PathBuf::from),
        zenbench: std::env::var_os(ZENBENCH).map(PathBuf::from),
        hyperfine: std::env::var_os(HYPERFINE).map(PathBuf::from),
    };
    // Copies of an older build must not be used.
    let _ = std::fs::remove_dir_all(&builds.place);
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_nanos() as u64);
    let mut random = Random(seed);
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    let mut pressures = Vec::new();
    let (begun, end) = (Instant::now(), Duration::from_secs_f64(minutes * 60.0));
    while begun.elapsed() < end {
        let workload = work::NAMES[random.below(work::NAMES.len())];
        let effect = EFFECTS[random.below(EFFECTS.len())];
        builds.inject(effect);
        let mut order: Vec<usize> = (0..tools::TOOLS).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, random.below(last + 1));
        }
        pressures.extend(pressure());
        for (changes, seconds) in tools::ask(&builds, workload, &order) {
            let rules = changes.len() as f64;
            for (rule, change) in changes {
                let row = rows.entry(rule).or_default();
                row.changes.entry(effect).or_default().push(change);
                row.seconds.push(seconds / rules);
            }
        }
        let text = page(&rows, &mut pressures, minutes, &builds);
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/peers.md");
        std::fs::write(place, text).expect("the page can be written");
        let minute = begun.elapsed().as_secs_f64() / 60.0;
        let _ = writeln!(std::io::stderr(), "{minute:.1} of {minutes} min: {workload} +{effect} %");
    }
    let _ = std::fs::remove_dir_all(&builds.place);
    ExitCode::SUCCESS
}

fn pressure() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/pressure/cpu").ok()?;
    let word = text.split_whitespace().find_map(|word| word.strip_prefix("avg10="))?;
    word.parse().ok()
}

fn page(
    rows: &BTreeMap<&str, Row>,
    pressures: &mut [f64],
    minutes: f64,
    builds: &Builds,
) -> String {
    pressures.sort_by(f64::total_cmp);
    let pressure = pressures.get(pressures.len() / 2).copied().unwrap_or(f64::NAN);
    let trials = rows.values().map(|row| row.seconds.len()).max().unwrap_or(0);
    let mut text = format!(
        "# False positives and power, side by side\n\n\
         Written by `benches/peers` (`cargo run --release --bin alarms -- {minutes}` there); do not edit. {trials} trials in one \
         run, each with a workload ({}) and an effect drawn at random, every tool once in random order, base build and \
         head build the same program but for the injected percent. The median of `/proc/pressure/cpu` was {pressure:.0} %.\n\n\
         Tools at their defaults, but criterion at 0.5 s of warm-up and 2 s of measuring instead of 3 s and 5 s. \"Slower\" is: ours, \
         red at a limit of 1 % (tolerance 1 point); criterion, \"has regressed\"; tango, a star and a plus; hyperfine, its own script's \
         test, and means that differ by 5 %; divan, which compares nothing, medians that differ by so much; perfgate, significant \
         and slower; zenbench, a regression beyond 1 % in ten blocks. \"No verdict\" is what a tool itself calls invalid or \
         inconclusive, of all trials; zenbench does so wherever other work takes more than 5 % of a processor. Counts with 95 % Clopper-Pearson intervals; at +0 % every \"slower\" or \"faster\" is a false positive. Seconds \
         are the median, of a tool with two rules half of its time.{}\n\n\
         | tool and rule | +0 %: slower | +0 %: faster | +3 %: slower | +5 %: slower | no verdict | s |\n\
         |---|---|---|---|---|---|---|\n",
        work::NAMES.join(", "),
        [
            ("perfgate", PERFGATE, &builds.perfgate),
            ("zenbench", ZENBENCH, &builds.zenbench),
            ("hyperfine", HYPERFINE, &builds.hyperfine)
        ]
        .iter()
        .filter(|(_, _, program)| program.is_none())
        .map(|(name, variable, _)| {
            format!(" {name} was not installed (`{variable}` names its program), and is left out.")
        })
        .collect::<String>(),
    );
    for (rule, row) in rows {
        let count = |effect: u32, wanted: Change| {
            let changes = row.changes.get(&effect).map_or(&[][..], Vec::as_slice);
            let (k, n) = (
                changes.iter().filter(|change| **change == wanted).count() as u64,
                changes.len() as u64,
            );
            if n == 0 {
                return "-".to_owned();
            }
            let rate = clopper_pearson(k, n, 0.95);
            format!("{k} / {n} [{:.0}, {:.0}] %", rate.low * 100.0, rate.high * 100.0)
        };
        let mut seconds = row.seconds.clone();
        seconds.sort_by(f64::total_cmp);
        let all = row.changes.values().flatten();
        let unknown = all.filter(|change| **change == Change::Unknown).count();
        let _ = writeln!(
            text,
            "| {rule} | {} | {} | {} | {} | {unknown} / {} | {:.1} |",
            count(0, Change::Slower),
            count(0, Change::Faster),
            count(3, Change::Slower),
            count(5, Change::Slower),
            row.seconds.len(),
            seconds[seconds.len() / 2],
        );
    }
    text
}
