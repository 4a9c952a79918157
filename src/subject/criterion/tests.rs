//! Tests with real records, and of each way in which a record may be wrong.

use perf_budget_core::metric::{Key, Metric};
use std::fs::File;
use std::time::{Duration, SystemTime};

use super::*;

/// A project with a copy of the real records. It is removed when this is dropped.
struct Project(PathBuf);

impl Project {
    fn new(name: &str) -> Project {
        let dir = std::env::temp_dir()
            .join(format!("perf-budget-criterion-{name}-{}", std::process::id()));
        let project = Project(dir);
        project.write("Cargo.lock", "");
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/criterion"), &project.home());
        project
    }

    fn home(&self) -> PathBuf {
        self.0.join("target/criterion")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Sets the time of the file's last change to this many seconds after now, or before now if negative.
    fn age(&self, path: &str, seconds: i64) {
        let span = Duration::from_secs(seconds.unsigned_abs());
        let now = SystemTime::now();
        let at = if seconds < 0 { now - span } else { now + span };
        File::options().append(true).open(self.0.join(path)).unwrap().set_modified(at).unwrap();
    }

    fn sample(&self, text: &str) {
        self.write("target/criterion/bare/new/sample.json", text);
    }

    fn read(&self, name: &str, rate: Option<Unit>) -> Result<ProcessRun, Unmeasured> {
        read(name, rate, &Place { home: self.home(), package: self.0.clone() })
    }

    /// Fails unless the benchmark is refused for this cause, with a message that has these words.
    #[track_caller]
    fn refuses(&self, name: &str, cause: Cause, words: &str) {
        let reason = self.read(name, None).unwrap_err();
        assert_eq!(reason.cause, cause, "{reason}");
        let text = reason.text.replace(self.0.canonicalize().unwrap().to_str().unwrap(), "DIR");
        let text = text.replace(self.0.to_str().unwrap(), "DIR");
        let text = text.replace(std::path::MAIN_SEPARATOR, "/");
        assert!(text.contains(words), "{text}");
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            // The file is written anew, since on Windows `fs::copy` keeps the time of the last change.
            fs::write(to, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

#[test]
fn real_records_are_found_by_name() {
    let project = Project::new("real");
    let check = |name: &str, first: f64, rate, work| {
        let process = project.read(name, rate).unwrap();
        assert_eq!(process.batches.len(), 20);
        assert!((process.batches[0] / first - 1.0).abs() < 1e-12, "{name}: {}", process.batches[0]);
        assert_eq!(process.work, work);
        assert_eq!(process.notes, [NOTE]);
        assert_eq!(process.series(&Metric::from(Key::Throughput)).is_ok(), name != "bare");
    };
    // The expected value is a file's first time in nanoseconds, divided by its first number of iterations.
    check("bare", 215_222.0 / 5475.0 * 1e-9, None, Work::Operations(1.0));
    let first = |path: &str| {
        let WireSample { iters, times } = parse(&project.home().join(path)).unwrap();
        times[0].unwrap() / iters[0].unwrap() / 1e9
    };
    let words = first("text/count words/100/new/sample.json");
    check("text/count words/100", words, None, Work::Bytes(100.0));
    let split = first("text/split_any_/new/sample.json");
    check("text/split/any?", split, Some(Unit::PerSecond), Work::Operations(10.0));
    let short = first("parse/short/new/sample.json");
    check("parse/short", short, None, Work::Operations(4.0));
    check("parse/short", short, Some(Unit::PerSecond), Work::Operations(4.0));
    check("parse/short", short, Some(Unit::BytesPerSecond), Work::Bytes(64.0));
}

#[test]
fn a_throughput_is_in_the_unit_that_the_benchmark_counts() {
    use WireThroughput::{Bits, BytesDecimal, Elements};
    let bytes = Some(Unit::BytesPerSecond);
    assert_eq!(work(Some(Bits(80)), bytes), Ok(Work::Bytes(10.0)));
    assert_eq!(work(Some(BytesDecimal(7)), None), Ok(Work::Bytes(7.0)));
    assert!(work(Some(Elements(7)), bytes).unwrap_err().starts_with("counts elements"));
    assert!(work(Some(Bits(8)), Some(Unit::PerSecond)).unwrap_err().starts_with("counts bytes"));
    assert!(work(None, None).unwrap_err().starts_with("counts nothing"));
    // The mean of such a benchmark can be read, and only its throughput is refused.
    let process = Project::new("rate").read("bare", bytes).unwrap();
    assert!(process.series(&Key::Mean.at(perf_budget_core::metric::Statistic::Mean)).is_ok());
    assert_eq!(
        process.series(&Metric::from(Key::Throughput)).unwrap_err().cause,
        Cause::Unsuitable
    );
    assert_eq!(process.work, Work::Bytes(1.0));
}

#[test]
fn the_error_of_a_missing_benchmark_lists_the_others() {
    let project = Project::new("names");
    let refuses = |name: &str, words: &str| project.refuses(name, Cause::Missing, words);
    refuses("text/count word/100", "; did you mean `text/count words/100`?; run");
    refuses("baer", "; did you mean `bare`?; run");
    refuses(
        "text/join",
        "; it has `text/count words/100`, `text/split/any?`, `bare`, `parse/short`; run",
    );
    assert_eq!(suggest("x/y", &[]), "it has none");
    let many: Vec<String> = (0..12).map(|n| format!("group/{n}")).collect();
    let suggested = suggest("merge", &many);
    assert!(suggested.ends_with("`group/7` and 4 more"), "{suggested}");
    fs::remove_dir_all(project.home()).unwrap();
    refuses("bare", "Criterion has recorded nothing, as there is no `DIR/target/criterion`");
}

#[test]
fn a_file_that_criterion_does_not_write_is_refused() {
    let project = Project::new("broken");
    let refuses = |cause, text: &str, words| {
        project.sample(text);
        project.refuses("bare", cause, words);
    };
    refuses(Cause::Unsuitable, "{\"iters\": [1", "is not what Criterion writes: EOF while parsing");
    refuses(Cause::Unsuitable, "{}", "is not what Criterion writes: missing field `iters`");
    refuses(Cause::MeasuredNothing, "{\"iters\": [], \"times\": []}", "has no samples");
    refuses(Cause::Unsuitable, "{\"iters\": [1, 2], \"times\": [3]}", "has 1 times of 2 batches");
    refuses(
        Cause::Unsuitable,
        "{\"iters\": [1, 2], \"times\": [3, 6.1]}",
        "has 2 samples, as `--quick` takes",
    );
    let ones = ["1"; 9].join(", ");
    for bad in ["null", "0", "-1"] {
        let text = format!("{{\"iters\": [{ones}, 1], \"times\": [{ones}, {bad}]}}");
        refuses(Cause::InvalidReading, &text, "is not above zero");
        let text = format!("{{\"iters\": [{ones}, {bad}], \"times\": [{ones}, 1]}}");
        refuses(Cause::InvalidReading, &text, "is not above zero");
    }
    fs::remove_file(project.home().join("bare/new/sample.json")).unwrap();
    project.refuses("bare", Cause::Missing, "failed to read what Criterion recorded, ");
    project.write("target/criterion/bare/new/benchmark.json", "{}");
    // A broken record does not prevent the others from being read.
    assert!(project.read("parse/short", None).is_ok());
    project.refuses("bare", Cause::Unsuitable, "missing field `full_id`");
}

#[test]
fn two_benchmarks_of_one_name_are_refused() {
    let project = Project::new("two");
    project.write("target/criterion/old/new/benchmark.json", "{\"full_id\": \"bare\"}");
    project.refuses("bare", Cause::Unsuitable, "two benchmarks `bare`: `");
}

#[test]
fn a_record_must_be_younger_than_every_source_and_than_a_day() {
    const SAMPLE: &str = "target/criterion/bare/new/sample.json";
    let project = Project::new("fresh");
    let stale = |words: &str| project.refuses("bare", Cause::Unsuitable, words);
    project.write("app/src/lib.rs", "");
    project.write("target/CACHEDIR.TAG", "");
    // None of these is a source.
    for path in ["target/release/build/out.rs", ".git/a.rs", "app/.#lib.rs", "budgets.toml", "a.md"]
    {
        project.write(path, "");
        project.age(path, 3600);
    }
    project.age("Cargo.lock", -7200);
    project.age("app/src/lib.rs", -7200);
    project.age(SAMPLE, -3600);
    // The tests are in a package, and the sources of the whole workspace are compared with the record.
    let place = Place { home: project.home(), package: project.0.join("app") };
    assert!(read("bare", None, &place).is_ok());
    for source in ["app/src/lib.rs", "Cargo.lock", ".cargo/config.toml", "other/build.rs"] {
        project.write(source, "");
        stale(&format!(
            "is older than `{source}`, and may have been made with other code; run `cargo bench`"
        ));
        project.age(source, -7200);
        assert!(project.read("bare", None).is_ok(), "{source}");
    }
    for source in ["Cargo.lock", "app/src/lib.rs", ".cargo/config.toml", "other/build.rs"] {
        project.age(source, -200_000);
    }
    project.age(SAMPLE, -90_000);
    stale("recorded `bare` more than a day ago");
    project.age(SAMPLE, 3600);
    stale("is from the future");
    project.age(SAMPLE, 1);
    assert!(project.read("bare", None).is_ok());
}
