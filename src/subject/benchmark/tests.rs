//! Tests with programs that do and do not do what Criterion does. They are scripts, and no test depends on how long
//! they take.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use perf_budget_core::benchmarks::List;
use perf_budget_core::budget::Library;
use perf_budget_core::build::{Bench, Benches, ProgramResult, Step};
use perf_budget_core::metric::{Key, Metric, Statistic};
use perf_budget_core::outcome::{Cause, Unmeasured};

use super::compared::{BenchmarkPairs, Revisions};
use super::runs::BenchmarkRuns;
use super::side::{Origin, Side, Terms};
use crate::exec::Changes;
use crate::meter::Source;
use crate::worker::process::Request;

/// A directory with a program, which is removed when this is dropped.
pub(super) struct Place(pub(super) PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How the program writes the record of one benchmark: ten batches of ten iterations, of which each takes `nanoseconds`.
const RECORD: &str = r#"record() {
    mkdir -p "$CRITERION_HOME/$1/new"
    t=$(($2 * 10))
    echo '{"full_id":"'"$1"'","throughput":{"Elements":5}}' > "$CRITERION_HOME/$1/new/benchmark.json"
    echo '{"iters":[10,10,10,10,10,10,10,10,10,10],"times":['$t,$t,$t,$t,$t,$t,$t,$t,$t,$t']}' > "$CRITERION_HOME/$1/new/sample.json"
}
for name; do :; done
"#;

impl Place {
    /// Makes a program that runs `script`, in which `$name` is the benchmark that is asked for.
    pub(super) fn new(name: &str, script: &str) -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let (process, nth) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let dir = std::env::temp_dir().join(format!("perf-budget-bench-{name}-{process}-{nth}"));
        fs::create_dir_all(&dir).unwrap();
        let place = Place(dir);
        place.program("sums", script);
        place
    }

    fn program(&self, target: &str, script: &str) {
        let binary = self.0.join(target);
        fs::write(&binary, format!("#!/bin/sh\n# CRITERION_HOME\n{RECORD}{script}\n")).unwrap();
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Returns a program, as it was built.
    pub(super) fn bench(&self, target: &str) -> Bench {
        Bench {
            package: "kit".to_owned(),
            directory: self.0.clone(),
            target: target.to_owned(),
            binary: self.0.join(target),
            variables: [("CARGO_MANIFEST_DIR".to_owned(), self.0.to_str().map(str::to_owned))]
                .into(),
        }
    }

    /// Returns a benchmark of a program whose help has these options.
    pub(super) fn side(&self, target: &str, name: &str, help: &str) -> Side {
        let ask = |step: &Step| {
            let has = |argument: &str| step.args.iter().any(|own| own == argument);
            let stdout = match (has("--list"), has("--")) {
                (true, true) => String::new(),
                (true, false) => format!("{name}: benchmark\n"),
                (false, _) => format!("--sample-size {help}"),
            };
            Ok(ProgramResult { stdout: stdout.into(), ..ProgramResult::default() })
        };
        let benches = Benches { built: vec![self.bench(target)], ..Benches::default() };
        let list = List::of(&benches, "as built".to_owned(), None, &ask);
        let file = self.0.join(format!("{target}.json"));
        list.write(&file).unwrap();
        Side {
            name: name.to_owned(),
            role: None,
            library: Library::Criterion,
            origin: Origin::File(file),
            environment: Changes::new(),
        }
    }

    pub(super) fn terms(&self, metrics: Vec<Metric>) -> Terms {
        let scratch = self.0.join("scratch");
        let request = Request {
            workload: String::new(),
            params: Vec::new(),
            metrics: metrics.clone(),
            load: None,
            slice: Duration::from_millis(100),
            max_operations: 100,
            paired: false,
            injection: None,
            counting: None,
            sampling: None,
            constraint: perf_budget_core::budget::Constraint::default(),
        };
        Terms { metrics, rate: None, scratch, timeout: Duration::from_secs(60), request }
    }

    /// Runs the benchmark `a/b` once.
    fn fails(&self, timeout: Duration) -> Unmeasured {
        let side = self.side("sums", "a/b", "--exact --quick");
        let terms = Terms { timeout, ..self.terms(vec![mean()]) };
        BenchmarkRuns::new(side, false, terms).measure_process().unwrap_err()
    }
}

pub(super) fn mean() -> Metric {
    Key::Mean.at(Statistic::Mean)
}

pub(super) const LONG: Duration = Duration::from_secs(60);

/// The values of two different programs must not be mixed.
#[test]
fn a_program_that_is_built_again_is_noticed() {
    let place = Place::new("rebuilt", "record \"$name\" 300");
    let side = place.side("sums", "a/b", "--exact --quick");
    let mut runs = BenchmarkRuns::new(side, false, place.terms(vec![mean()]));
    runs.measure_process().unwrap();
    place.program("sums", "record \"$name\" 300 again");
    let why = runs.measure_process().unwrap_err();
    assert_eq!(why.cause, Cause::Unsuitable);
    assert!(why.text.contains("was rebuilt while it was measured"), "{why}");
}

#[test]
fn each_process_gives_one_value_of_one_benchmark() {
    let place = Place::new("one", "echo \"$*\" >> args; record \"$name\" 300");
    let side = place.side("sums", "a/b (c)", "--exact --quick");
    let metrics = vec![mean(), Metric::from(Key::Throughput)];
    let mut runs = BenchmarkRuns::new(side, false, place.terms(metrics.clone()));
    for _ in 0..3 {
        let process = runs.measure_process().unwrap();
        let values: Vec<f64> =
            metrics.iter().map(|metric| process.series(metric).unwrap()[0]).collect();
        assert!(
            (values[0] - 3e-7).abs() < 1e-12 && (values[1] - 5.0 / 3e-7).abs() < 1.0,
            "{values:?}"
        );
        assert!(process.notes.contains(&"as built".to_owned()), "{:?}", process.notes);
    }
    let args = fs::read_to_string(place.0.join("args")).unwrap();
    let last = args.lines().last().unwrap();
    assert_eq!(
        last,
        "--bench --noplot --warm-up-time 0.01 --measurement-time 0.03 --nresamples 100 --sample-size 10 --exact -- a/b (c)"
    );
    // Nothing is left of the records.
    assert_eq!(fs::read_dir(place.0.join("scratch")).unwrap().count(), 0);
}

#[test]
fn a_version_without_exact_gets_a_regular_expression_and_whole_seconds() {
    let place = Place::new("old", "echo \"$*\" >> args; record 'a/b (c)' 300");
    let side = place.side("sums", "a/b (c)", "");
    BenchmarkRuns::new(side, false, place.terms(vec![mean()])).measure_process().unwrap();
    let args = fs::read_to_string(place.0.join("args")).unwrap();
    assert_eq!(args.lines().count(), 1, "without --quick nothing is tried first: {args}");
    assert!(args.contains("--warm-up-time 1 --measurement-time 1"), "{args}");
    assert!(args.trim().ends_with(r"-- ^a/b \(c\)$"), "{args}");
}

/// Criterion lists the beginning of a long name alone.
#[test]
fn a_long_name_is_asked_for_by_its_beginning() {
    let whole = format!("a(b)/{}", "long".repeat(50));
    let place = Place::new("long", &format!("echo \"$*\" >> args; record '{whole}' 300"));
    let listed = format!("{}...", &whole[..100]);
    let side = place.side("sums", &listed, "--exact --quick");
    BenchmarkRuns::new(side, false, place.terms(vec![mean()])).measure_process().unwrap();
    let args = fs::read_to_string(place.0.join("args")).unwrap();
    assert!(args.trim().ends_with(&format!(r"-- ^a\(b\)/{}", &whole[5..100])), "{args}");
    assert!(!args.contains("--exact"), "{args}");
    // A whole name that looks like a name that was cut off is still a whole name.
    let place = Place::new("dots", "echo \"$*\" >> args; record \"$name\" 300");
    let side = place.side("sums", "and so on...", "--exact --quick");
    BenchmarkRuns::new(side, false, place.terms(vec![mean()])).measure_process().unwrap();
    assert!(fs::read_to_string(place.0.join("args")).unwrap().contains("--exact -- and so on..."));
}

/// What ran in one process cannot be told apart afterwards.
#[test]
fn instructions_are_counted_of_a_benchmark_that_runs_alone() {
    let check = |name: &str, listed: &[&str], is_of_base: bool, words: &str| {
        let lines = listed.join(": benchmark\n");
        let script = format!(
            "case \"$*\" in *--list*) echo '{lines}: benchmark';; *) echo ran > ran;; esac"
        );
        let place = Place::new(&format!("alone-{name}"), &script);
        let side = place.side("sums", listed[0], "--exact --quick");
        let terms = place.terms(vec![Metric::from(Key::Instructions)]);
        let why = BenchmarkRuns::new(side, is_of_base, terms).measure_process().unwrap_err();
        assert_eq!(why.cause, Cause::Unsuitable, "{why}");
        assert!(why.text.contains(words), "{why}");
        assert!(!place.0.join("ran").exists());
    };
    check("twice", &["sum", "sum #2"], false, "runs 2 benchmarks where `sum` is asked for");
    let cut = format!("{}...", "long".repeat(25));
    let several = [cut.as_str(), &format!("{cut} #2")];
    check("cut", &several, false, "runs 2 benchmarks where `longlong");
    check("base", &[cut.as_str()], true, "is known by the beginning of its name alone");
}

/// A benchmark that hangs has its whole time when it is measured.
#[test]
fn a_hang_is_not_waited_for_where_a_benchmark_is_only_looked_at() {
    let place = Place::new("looks", "sleep 600");
    let side = place.side("sums", "a", "--exact --quick");
    let copies = [place.0.join("sums"), place.0.join("sums")];
    let terms = Terms { timeout: 10 * LONG, ..place.terms(vec![mean()]) };
    let began = std::time::Instant::now();
    let both = terms.run_in_both([&side, &side], &copies, Duration::from_millis(100));
    assert_eq!(both, Ok(false));
    assert!(began.elapsed() < 5 * LONG);
}

#[test]
fn each_way_to_misbehave_has_its_own_words() {
    let check = |name: &str, script: &str, cause: Cause, words: &str| {
        let why = Place::new(name, script).fails(LONG);
        assert_eq!(why.cause, cause, "{why}");
        assert!(why.text.contains(words), "{why}");
        why
    };
    let why =
        check("panics", "echo oops >&2; exit 101", Cause::ExitedBadly, "ended with exit code 101");
    assert!(why.output.unwrap().contains("oops"));
    let silent = "echo Benchmarking a/b >&2; exit 0";
    let why =
        check("silent", silent, Cause::MeasuredNothing, "the benchmark ended the process itself");
    assert!(why.output.unwrap().contains("Benchmarking a/b"));
    let elsewhere = "CRITERION_HOME=\"$CARGO_MANIFEST_DIR/own\" record \"$name\" 1";
    let words = "wrote the record elsewhere (it sets CRITERION_HOME itself";
    check("elsewhere", elsewhere, Cause::MeasuredNothing, words);
    // Criterion gives its own reason on the standard output.
    let refused = "echo Benchmarking >&2; echo took zero time per iteration";
    let why =
        check("refused", refused, Cause::MeasuredNothing, "Criterion refused what it measured");
    assert_eq!(why.output.unwrap(), "Benchmarking\ntook zero time per iteration");
    let twice = "record \"$name\" 1; CRITERION_HOME=\"$CRITERION_HOME/more\" record \"$name\" 1";
    check("twice", twice, Cause::Unsuitable, "has 2 benchmarks that are named `a/b`");
    let several = "record one 1; record \"$name\" 1; record three 1";
    check("ignores", several, Cause::Unsuitable, "ran 3 benchmarks, though it was asked for one");
    check("another", "record one 1", Cause::Unsuitable, "ran `one` instead");
    let zero = "record \"$name\" 0";
    check("zero", zero, Cause::InvalidReading, "not above zero");
    let hangs = Place::new("hangs", "sleep 600");
    let why = hangs.fails(Duration::from_millis(300));
    assert_eq!(why.cause, Cause::TimedOut);
    assert!(why.text.contains("`benchmark a/b` did not end within"), "{why}");
}

#[test]
fn a_pair_is_the_ratio_of_two_processes_in_any_order() {
    let place = Place::new("pair", "echo subject >> order; record \"$name\" 300");
    place.program("base", "echo reference >> order; record \"$name\" 200");
    let sides =
        [place.side("sums", "a", "--exact --quick"), place.side("base", "a", "--exact --quick")];
    let metrics = vec![mean(), Metric::from(Key::Throughput)];
    let terms = place.terms(metrics.clone());
    let revisions = Revisions { notes: vec!["one link".to_owned()], links: None };
    let mut pairs = BenchmarkPairs::new(sides, terms, Some(revisions), LONG);
    for _ in 0..20 {
        let process = pairs.measure_process().unwrap();
        let ratios: Vec<f64> =
            metrics.iter().map(|metric| process.series(metric).unwrap()[0]).collect();
        assert!(
            (ratios[0] - 1.5).abs() < 1e-9 && (ratios[1] - 1.0 / 1.5).abs() < 1e-9,
            "{ratios:?}"
        );
        assert!(process.notes.contains(&"one link".to_owned()));
        assert_eq!(process.links, Some([0, 0]));
    }
    // The first two are those that show how the benchmark is to be run.
    let order = fs::read_to_string(place.0.join("order")).unwrap();
    let order: Vec<&str> = order.lines().skip(2).collect();
    let firsts: Vec<&str> = order.chunks(2).map(|pair| pair[0]).collect();
    assert_eq!(firsts.len(), 20);
    assert!(firsts.contains(&"subject") && firsts.contains(&"reference"), "{firsts:?}");
}

/// The programs of the base are always in a deeper directory. The length of a path alone made one program 6 % slower.
#[test]
fn both_processes_of_a_pair_are_given_paths_of_one_length_which_is_another_in_the_next_pair() {
    let script = "echo \"${#0} ${#CRITERION_HOME} ${#CARGO_MANIFEST_DIR}\" >> \"$CARGO_MANIFEST_DIR/lengths\"; \
                  record \"$name\" 300";
    let places = ["near", "far-below-the-other-one"].map(|name| Place::new(name, script));
    let sides = [0, 1].map(|nth| places[nth].side("sums", "a", "--exact --quick"));
    let mut pairs = BenchmarkPairs::new(sides, places[0].terms(vec![mean()]), None, LONG);
    for _ in 0..8 {
        pairs.measure_process().unwrap();
    }
    let lengths = |place: &Place| -> Vec<String> {
        let text = fs::read_to_string(place.0.join("lengths")).unwrap();
        text.lines().map(str::to_owned).collect()
    };
    let [own, other] = [lengths(&places[0]), lengths(&places[1])];
    // The first ones show how the benchmark is to be run.
    assert_eq!(own[own.len() - 8..], other[other.len() - 8..]);
    let different: std::collections::HashSet<&String> = other.iter().collect();
    assert!(other.len() == 8 && different.len() > 1, "{other:?}");
}

/// Criterion lists two benchmarks by one beginning, and so they look like one in two revisions.
#[test]
fn two_benchmarks_with_one_beginning_are_not_compared() {
    let long = format!("a/{}", "long".repeat(50));
    let listed = format!("{}...", &long[..100]);
    let place = Place::new("beginnings", &format!("record '{long}/n=2000' 300"));
    let pair = |base: &str| {
        place.program("base", &format!("record '{long}/{base}' 200"));
        let sides = ["sums", "base"].map(|target| place.side(target, &listed, "--exact --quick"));
        BenchmarkPairs::new(sides, place.terms(vec![mean()]), None, LONG).measure_process()
    };
    assert!(pair("n=2000").is_ok());
    let why = pair("n=1000").unwrap_err();
    assert_eq!(why.cause, Cause::Unsuitable);
    assert!(
        why.text.contains("is not the same on both sides") && why.text.contains("/n=1000"),
        "{why}"
    );
}

#[test]
fn the_side_that_fails_is_named() {
    let place = Place::new("sides", "record \"$name\" 300");
    place.program("base", "exit 3");
    let base =
        Side { role: Some("the base".to_owned()), ..place.side("base", "a", "--exact --quick") };
    let sides = [place.side("sums", "a", "--exact --quick"), base];
    let why = BenchmarkPairs::new(sides, place.terms(vec![mean()]), None, LONG)
        .measure_process()
        .unwrap_err();
    assert_eq!(why.text, "the base was not measured: the benchmark `a` ended with exit code 3");
}
