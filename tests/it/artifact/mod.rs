//! The measurement of artifacts from outside: which files count, what fails, and when the cache is trusted.

mod image;
mod instruments;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use perf_budget::internals::artifact::{Reading, measure};
use perf_budget_core::metric::{Key, Metric, SubjectKind};
use perf_budget_core::outcome::{Cause, Unmeasured};

/// A directory of its own for one test, made again each time that the test runs.
struct Dir(PathBuf);

impl Dir {
    fn new(test: &str) -> Dir {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("artifact").join(test);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Dir(path)
    }

    /// Makes a directory with these files, each with this many bytes.
    fn with_files(test: &str, files: &[(&str, usize)]) -> Dir {
        let dir = Dir::new(test);
        for &(name, bytes) in files {
            dir.write(name, &vec![b'x'; bytes]);
        }
        dir
    }

    fn write(&self, name: &str, content: &[u8]) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn measure(&self, patterns: &[&str], metric: &str) -> Result<Reading, Unmeasured> {
        let patterns: Vec<_> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        let metric = Metric::of(SubjectKind::Artifact, metric).unwrap();
        self.measure_within(&patterns, &metric, Duration::MAX)
    }

    fn measure_within(
        &self,
        patterns: &[String],
        metric: &Metric,
        timeout: Duration,
    ) -> Result<Reading, Unmeasured> {
        let cache = self.0.with_extension("cache");
        measure(patterns, &self.0, std::slice::from_ref(metric), &cache, timeout)
            .into_iter()
            .find(|row| row.0 == *metric)
            .unwrap()
            .1
    }

    #[track_caller]
    fn check(&self, patterns: &[&str], metric: &str, value: f64, notes: &[&str]) {
        let want = Reading { value, notes: notes.iter().map(|&note| note.to_owned()).collect() };
        assert_eq!(self.measure(patterns, metric), Ok(want), "{patterns:?}");
    }

    /// Asserts that there is no reading, for this cause, with all of these words in the message.
    #[track_caller]
    fn fails(&self, patterns: &[&str], metric: &str, cause: Cause, words: &[&str]) {
        let why = self.measure(patterns, metric).unwrap_err();
        assert_eq!(why.cause, cause, "{why}");
        for word in words {
            assert!(why.text.contains(word), "`{word}` is not in: {why}");
        }
        assert!(why.text.starts_with("failed to "), "{why}");
    }
}

/// Returns the digest in hexadecimal digits.
fn sha256(bytes: &[u8]) -> String {
    hmac_sha256::Hash::hash(bytes).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

#[test]
fn patterns_stand_for_files() {
    let files = [("a.js", 10), ("b.js", 20), ("c.css", 40), ("sub/d.js", 80), ("sub/.hidden", 160)];
    let dir = Dir::with_files("patterns", &files);
    dir.check(&["a.js"], "size", 10.0, &[]);
    dir.check(&["./a.js"], "size", 10.0, &[]);
    dir.check(&["*.js"], "size", 30.0, &["2 files; the largest is `b.js` with 20 B"]);
    dir.check(&["?.js", "c.css"], "size", 70.0, &["3 files; the largest is `c.css` with 40 B"]);
    dir.check(&["[!ab].css"], "size", 40.0, &[]);
    dir.check(&["**/*.js"], "size", 110.0, &["3 files; the largest is `sub/d.js` with 80 B"]);
    dir.check(&["*/*.js"], "size", 80.0, &[]);
    dir.check(&["sub"], "size", 240.0, &["2 files; the largest is `sub/.hidden` with 160 B"]);
    dir.check(&["sub/*"], "size", 240.0, &["2 files; the largest is `sub/.hidden` with 160 B"]);
    dir.check(&["**"], "size", 310.0, &["5 files; the largest is `sub/.hidden` with 160 B"]);
    dir.check(&["."], "size", 310.0, &["5 files; the largest is `sub/.hidden` with 160 B"]);
    let absolute = dir.0.join("a.js");
    dir.check(&[absolute.to_str().unwrap()], "size", 10.0, &[]);
    let absolute = dir.0.join("*.css");
    dir.check(&[absolute.to_str().unwrap()], "size", 40.0, &[]);
}

#[test]
fn a_name_with_brackets_is_taken_literally_first() {
    let dir = Dir::with_files("brackets", &[("[id].js", 10), ("i.js", 20)]);
    dir.check(&["[id].js"], "size", 10.0, &[]);
    fs::remove_file(dir.0.join("[id].js")).unwrap();
    dir.check(&["[id].js"], "size", 20.0, &[]);
}

#[test]
fn a_file_counts_once() {
    let dir = Dir::with_files("once", &[("a.js", 10), ("sub/b.js", 20)]);
    let two = "2 files; the largest is `sub/b.js` with 20 B";
    dir.check(&["a.js", "*.js", "./a.js", ".", "sub"], "size", 30.0, &[two]);
    fs::hard_link(dir.0.join("a.js"), dir.0.join("again.js")).unwrap();
    dir.check(&["**/*.js"], "size", 30.0, &[two]);
}

#[cfg(unix)]
#[test]
fn links_are_followed_where_they_are_named() {
    use std::os::unix::fs::symlink;
    let dir = Dir::with_files("links", &[("lib.so.1.2", 10), ("out/far", 20), ("sub/near", 40)]);
    symlink("lib.so.1.2", dir.0.join("lib.so")).unwrap();
    symlink("../out", dir.0.join("sub/out")).unwrap();
    symlink("..", dir.0.join("sub/up")).unwrap();
    dir.check(&["lib.so"], "size", 10.0, &[]);
    dir.check(&["lib.so*"], "size", 10.0, &[]);
    dir.check(&["sub"], "size", 40.0, &["2 symbolic links are not followed"]);
    dir.check(&["sub/out"], "size", 20.0, &[]);
    dir.check(&["sub/**/*a*"], "size", 40.0, &[]);
    symlink("nothing", dir.0.join("lib.so.2")).unwrap();
    dir.fails(
        &["lib.so*"],
        "size",
        Cause::Missing,
        &["`lib.so.2`", "`lib.so*`", "link to nothing"],
    );
}

#[cfg(unix)]
#[test]
fn a_name_that_is_not_unicode_still_matches() {
    use std::os::unix::ffi::OsStrExt;
    let dir = Dir::with_files("unicode", &[("a.js", 10)]);
    fs::write(dir.0.join(std::ffi::OsStr::from_bytes(b"\xff.js")), [0; 20]).unwrap();
    assert!((dir.measure(&["*.js"], "size").unwrap().value - 30.0).abs() < 0.5);
}

#[test]
fn missing_files_fail_every_metric() {
    let dir = Dir::with_files("missing", &[("a.js", 10), ("empty.js", 0), ("none/.keep", 0)]);
    fs::create_dir(dir.0.join("bare")).unwrap();
    let root = dir.0.to_str().unwrap();
    for metric in ["size", "gzip", "brotli", "zstd", "stripped", "layers", "unpacked"] {
        dir.fails(&["b.js"], metric, Cause::Missing, &["`b.js`", root, "build first"]);
        dir.fails(&["a.js", "b.js"], metric, Cause::Missing, &["`b.js`"]);
        dir.fails(&["*.wasm"], metric, Cause::Missing, &["`*.wasm`", "matches nothing", root]);
        dir.fails(
            &["a.js", "**/*.wasm"],
            metric,
            Cause::Missing,
            &["`**/*.wasm`", "matches nothing"],
        );
        dir.fails(&["{a,b}.js"], metric, Cause::Missing, &["`{a,b}.js`", "write a list"]);
        dir.fails(&["[a.js"], metric, Cause::Missing, &["`[a.js`", "the pattern"]);
        dir.fails(&[""], metric, Cause::Missing, &["``"]);
        dir.fails(&["empty.js"], metric, Cause::Empty, &["`empty.js`", "is empty"]);
        dir.fails(&["*.js"], metric, Cause::Empty, &["`empty.js`", "`*.js`", "is empty"]);
        dir.fails(&["bare"], metric, Cause::Empty, &["`bare`", "no file"]);
        dir.fails(&["none"], metric, Cause::Empty, &["`none`", "every file in it is empty"]);
    }
    let keep = "`none/.keep` is empty";
    let two = "2 files; the largest is `a.js` with 10 B";
    dir.check(&["a.js", "none"], "size", 10.0, &[two, keep]);
    #[cfg(unix)]
    dir.fails(&["/dev/null"], "size", Cause::Unsuitable, &["`/dev/null`", "neither a file nor"]);
}

/// A pipe is not opened, since that might never end, but it is mentioned.
#[cfg(unix)]
#[test]
fn a_pipe_below_a_directory_is_noted() {
    let dir = Dir::with_files("pipe", &[("site/a.js", 10)]);
    let made = std::process::Command::new("mkfifo").arg(dir.0.join("site/pipe")).status().unwrap();
    assert!(made.success());
    dir.check(&["site"], "size", 10.0, &["1 pipe, socket or device is not read"]);
}

/// Bytes that are appended to a program ship with it, although `strip` would drop them.
#[cfg(target_os = "linux")]
#[test]
fn what_is_appended_to_a_program_counts_and_is_named() {
    let dir = Dir::with_files("appended", &[("a", 1)]);
    let mut program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    dir.write("program", &program);
    let bare = dir.measure(&["program"], "stripped").unwrap();
    assert_eq!(bare.notes, Vec::<String>::new());
    program.extend([b'x'; 3000]);
    dir.write("program", &program);
    let whole = dir.measure(&["program"], "stripped").unwrap();
    assert_eq!((whole.value - bare.value) as u64, 3000);
    assert!(whole.notes[0].starts_with("3 KB at the end of `program`"), "{:?}", whole.notes);
}

#[test]
fn a_file_that_a_metric_cannot_read_fails_that_metric() {
    let dir = Dir::with_files("unsuitable", &[("a.js", 10), ("b.js", 20)]);
    dir.fails(&["a.js"], "stripped", Cause::Unsuitable, &["`a.js`", "not an ELF file"]);
    dir.fails(&["*.js"], "stripped", Cause::Unsuitable, &["`a.js`", "(and 1 more)"]);
    dir.fails(&["a.js"], "layers", Cause::Unsuitable, &["`a.js`", "container image"]);
    dir.fails(&["."], "unpacked", Cause::Unsuitable, &["`manifest.json`", "`oci-layout`"]);
    dir.check(&["a.js"], "size", 10.0, &[]);
    #[cfg(not(feature = "zstd"))]
    dir.fails(&["a.js"], "zstd", Cause::Unsupported, &["`a.js`", "cargo feature `zstd`"]);
}

#[test]
fn a_metric_of_other_subjects_is_refused() {
    let dir = Dir::with_files("foreign", &[("a.js", 10)]);
    let metrics = [Metric::from(Key::PeakRss), Metric::from(Key::Size)];
    let readings =
        measure(&["a.js".to_owned()], &dir.0, &metrics, &dir.0.join("cache"), Duration::MAX);
    let why = readings[&Metric::from(Key::PeakRss)].clone().unwrap_err();
    assert_eq!(why.cause, Cause::Unsupported);
    assert!(why.text.contains("`peak_rss`"), "{why}");
    assert!(readings[&Metric::from(Key::Size)].is_ok());
}

/// The time of an entry's last use shows that the cache is read. Other bytes have another entry, and a forged or damaged
/// entry is written again.
#[test]
fn sizes_are_cached_by_content() {
    let dir = Dir::with_files("cache", &[("a.js", 1000)]);
    let cache = dir.0.with_extension("cache");
    let _ = fs::remove_dir_all(&cache);
    let first = dir.measure(&["a.js"], "gzip").unwrap();
    let entries = || -> Vec<_> {
        let mut entries: Vec<_> =
            fs::read_dir(&cache).unwrap().map(|e| e.unwrap().path()).collect();
        entries.sort();
        entries
    };
    let [entry] = entries().try_into().unwrap();
    let body = format!("{}\n42\n", entry.file_name().unwrap().to_str().unwrap());
    let digest = sha256(body.as_bytes());
    let whole = fs::read(&entry).unwrap();
    for forged in [format!("{body}{digest}\n"), body] {
        fs::write(&entry, forged).unwrap();
        assert_eq!(dir.measure(&["a.js"], "gzip").unwrap(), first, "it has no seal");
        assert_eq!(fs::read(&entry).unwrap(), whole, "it is made again");
    }
    // Reading an entry sets the time of its last use.
    let old = SystemTime::now() - Duration::from_secs(30 * 24 * 3600);
    fs::File::options().append(true).open(&entry).unwrap().set_modified(old).unwrap();
    dir.check(&["a.js"], "gzip", first.value, &[]);
    assert!(entry.metadata().unwrap().modified().unwrap() > old);
    assert_eq!(fs::read(&entry).unwrap(), whole);

    // The same bytes under another name are the same, and other bytes are not.
    dir.write("b.js", &[b'x'; 1000]);
    assert_eq!(dir.measure(&["b.js"], "gzip").unwrap(), first);
    assert_eq!(entries().len(), 1);
    dir.write("b.js", &[b'y'; 1000]);
    dir.measure(&["b.js"], "gzip").unwrap();
    assert_eq!(entries().len(), 2);
    dir.measure(&["b.js"], "brotli").unwrap();
    assert_eq!(entries().len(), 3, "what another encoder makes of them is another size");

    fs::remove_dir_all(&cache).unwrap();
    fs::write(&cache, "no directory").unwrap();
    let reading = dir.measure(&["a.js"], "gzip").unwrap();
    assert!((reading.value - first.value).abs() < 0.5);
    assert!(reading.notes[0].contains("could not be kept"), "{:?}", reading.notes);
    fs::remove_file(&cache).unwrap();
}

#[test]
fn what_takes_longer_than_its_timeout_is_given_up() {
    let dir = Dir::with_files("timeout", &[("a.js", 1000)]);
    for metric in ["gzip", "brotli", "unpacked"] {
        let metric = Metric::of(SubjectKind::Artifact, metric).unwrap();
        let why = dir.measure_within(&["a.js".to_owned()], &metric, Duration::ZERO).unwrap_err();
        assert_eq!(why.cause, Cause::TimedOut, "{why}");
        assert!(why.text.contains("`a.js`") && why.text.contains("raise `timeout`"), "{why}");
    }
}

#[test]
fn each_file_is_compressed_by_itself() {
    let dir = Dir::with_files("sum", &[("a.js", 1000), ("b.js", 2000)]);
    let check = |metric| {
        let size_of = |name| dir.measure(&[name], metric).unwrap().value;
        let sum = size_of("a.js") + size_of("b.js");
        assert!((dir.measure(&["*.js"], metric).unwrap().value - sum).abs() < 0.5);
    };
    check("gzip");
    check("brotli");
}
