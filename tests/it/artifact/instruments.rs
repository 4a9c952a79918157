//! Comparison with the programs by which people check a size: gzip, brotli, zstd and strip.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use super::Dir;

/// Returns what `program` writes to its standard output when it reads `input`; `None` if it is not installed.
fn run(program: &str, args: &[&str], input: &Path) -> Option<Vec<u8>> {
    let input = fs::File::open(input).unwrap();
    let ran = Command::new(program).args(args).stdin(input).stderr(Stdio::inherit()).output();
    match ran {
        Ok(output) => {
            assert!(output.status.success(), "{program} {args:?}: {}", output.status);
            Some(output.stdout)
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            report_skipped(program);
            None
        }
        Err(e) => panic!("{program}: {e}"),
    }
}

/// Reports a skipped test directly to standard error, because the test harness would capture the message.
pub(super) fn report_skipped(program: &str) {
    let _ = writeln!(io::stderr(), "skipped: {program} is not installed");
}

/// Makes files of the kinds that budgets are about.
fn samples(dir: &Dir) -> Vec<&'static str> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut numbers, mut noise) = (String::new(), Vec::new());
    let mut state: u64 = 1;
    for _ in 0..4_000 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        write!(numbers, "{{\"id\":{},\"load\":0.{}}},", state >> 44, state >> 50).unwrap();
        noise.extend(((state >> 32) as u32).to_le_bytes());
    }
    let source = fs::read(root.join("core/src/metric/mod.rs")).unwrap();
    dir.write("source.rs", &source);
    dir.write("lock.toml", &fs::read(root.join("Cargo.lock")).unwrap());
    dir.write("numbers.json", numbers.as_bytes());
    dir.write("noise.bin", &noise);
    dir.write("tiny.txt", b"x");
    vec!["source.rs", "lock.toml", "numbers.json", "noise.bin", "tiny.txt"]
}

/// Asserts that `metric` of each sample is within `tolerance` of the program's result.
#[track_caller]
fn check(metric: &str, program: &str, args: &[&str], tolerance: f64) {
    let dir = Dir::new(&format!("against-{program}"));
    for name in samples(&dir) {
        let Some(want) = run(program, args, &dir.0.join(name)) else { return };
        let (got, want) = (dir.measure(&[name], metric).unwrap().value, want.len() as f64);
        assert!((got / want - 1.0).abs() <= tolerance, "{name}: {got}, {program} makes it {want}");
    }
}

/// Other implementations of deflate choose other blocks. On text they come within 2 %.
#[test]
fn gzip_is_near_gnu_gzip() {
    check("gzip", "gzip", &["-9", "--no-name", "--stdout"], 0.02);
}

#[test]
fn brotli_is_the_reference_within_three_thousandths() {
    check("brotli", "brotli", &["--quality=11", "--stdout", "-"], 0.003);
}

/// The program uses the same library as the metric, but perhaps in another version.
#[cfg(feature = "zstd")]
#[test]
fn zstd_is_the_program_within_a_half_percent() {
    let dir = Dir::new("against-zstd");
    for name in samples(&dir) {
        let path = dir.0.join(name);
        // The file is given by its name, so that zstd knows the length beforehand, as we do.
        let args = ["-19", "--quiet", "--stdout", path.to_str().unwrap()];
        let Some(want) = run("zstd", &args, &path) else { return };
        let (got, want) = (dir.measure(&[name], "zstd").unwrap().value, want.len() as f64);
        assert!((got / want - 1.0).abs() <= 0.005, "{name}: {got}, zstd makes it {want}");
    }
}

/// Asserts that `stripped` of `name` is what `strip` makes of it, to the byte, and that stripping again changes
/// nothing.
#[cfg(target_os = "linux")]
#[track_caller]
fn stripped(dir: &Dir, name: &str) {
    let (from, to) = (dir.0.join(name), dir.0.join("stripped"));
    let ran = Command::new("strip").arg("-s").arg(&from).arg("-o").arg(&to).status();
    match ran {
        Ok(status) => assert!(status.success()),
        Err(_) => return report_skipped("strip"),
    }
    let want = fs::metadata(&to).unwrap().len() as f64;
    dir.check(&[name], "stripped", want, &[]);
    dir.check(&["stripped"], "stripped", want, &[]);
    assert!(dir.measure(&[name], "size").unwrap().value > want);
}

#[cfg(target_os = "linux")]
#[test]
fn stripped_is_what_strip_leaves_of_this_program() {
    let dir = Dir::new("against-strip");
    fs::copy(std::env::current_exe().unwrap(), dir.0.join("program")).unwrap();
    stripped(&dir, "program");
}

#[cfg(target_os = "linux")]
#[test]
fn stripped_is_what_strip_leaves_of_c() {
    let dir = Dir::new("against-strip-of-c");
    dir.write(
        "main.c",
        b"int table[999] = {1};\nint main(int c, char **v) { return table[c] + !v; }\n",
    );
    let ways: [&[&str]; 5] = [
        &["-g"],
        &["-g", "-no-pie"],
        &["-shared", "-fPIC"],
        &["-g", "-gz"],
        &["-Wl,--emit-relocs"],
    ];
    for way in ways {
        let mut gcc = Command::new("gcc");
        match gcc.args(way).args(["main.c", "-o", "program"]).current_dir(&dir.0).status() {
            Ok(status) => assert!(status.success(), "{way:?}"),
            Err(_) => return report_skipped("gcc"),
        }
        stripped(&dir, "program");
    }
}
