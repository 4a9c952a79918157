//! The injection of bytes for a selftest: bytes are added to a copy of an artifact's largest file.
//!
//! The bytes look random, so that no encoder makes them smaller, and they are the same every time. They are
//! appended to the file. If they must survive `strip`, they are in a section of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use perf_budget_core::outcome::{Cause, Unmeasured};

use super::elf;
use super::files::Artifact;

/// A copy of a file, which is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Copy(PathBuf);

impl Drop for Copy {
    fn drop(&mut self) {
        // If the file stays, it does no harm: nothing reads the directory that it is in.
        let _ = fs::remove_file(&self.0);
    }
}

/// Replaces the largest file by a copy in `scratch` that is longer by this many bytes. With `after_strip` the copy is
/// still longer when it is stripped.
pub(super) fn grow(
    artifact: &mut Artifact,
    bytes: u64,
    after_strip: bool,
    scratch: &Path,
) -> Result<Copy, Unmeasured> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let count = NEXT.fetch_add(1, Ordering::Relaxed);
    let place = scratch.join(format!("injected-{}-{count}", std::process::id()));
    let Some(largest) = artifact.files.iter_mut().max_by_key(|file| file.bytes) else {
        return Err(Unmeasured::new(Cause::Empty, "there is no file to inject bytes into"));
    };
    let mut text = fs::read(&largest.path).map_err(|e| largest.failed("read", &e))?;
    if after_strip {
        elf::add_section(&mut text, bytes, noise)
            .map_err(|why| largest.unsuitable("inject into", &why))?;
    } else {
        text.extend(noise(bytes));
    }
    let copy = Copy(place);
    let written = fs::create_dir_all(scratch).and_then(|()| fs::write(&copy.0, &text));
    written.map_err(|e| largest.failed("copy", &e))?;
    largest.replace_by(copy.0.clone(), text.len() as u64);
    Ok(copy)
}

/// Returns this many bytes of splitmix64 (Steele, Lea & Flood 2014), which are always the same.
fn noise(bytes: u64) -> Vec<u8> {
    let mut noise = Vec::new();
    for n in 1..=bytes.div_ceil(8) {
        let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        noise.extend_from_slice(&(z ^ (z >> 31)).to_le_bytes());
    }
    noise.truncate(bytes as usize);
    noise
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use perf_budget_core::metric::{Effect, Key, Metric};

    use super::*;
    use crate::inject::Injection;
    use crate::subject::artifact::{measure, measure_injected};

    #[test]
    fn injected_bytes_are_measured() {
        let dir = std::env::temp_dir().join(format!("perf-budget-inject-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        fs::copy(std::env::current_exe().unwrap(), dir.join("a")).unwrap();
        fs::write(dir.join("b"), "small").unwrap();
        let check = |file: &str, metric: Metric, bytes: u32, least: f64, most: f64| {
            let (patterns, metrics) = ([file.to_owned()], [metric.clone()]);
            let injection =
                Injection { effect: Effect::Bytes, share: 0.0, amount: f64::from(bytes) };
            let bare = measure(&patterns, &dir, &metrics, &dir.join("cache"), Duration::MAX);
            let scratch = dir.join("scratch");
            let at = (injection, 0.0, scratch.as_path());
            let grown =
                measure_injected(&patterns, &dir, &metrics, &dir.join("cache"), Duration::MAX, at);
            let value = |readings: &super::super::Readings| {
                readings.get(&metric).unwrap().as_ref().unwrap().value
            };
            let more = value(&grown) - value(&bare);
            assert!((least..=most).contains(&more), "{metric}: {more}");
            // The copy is gone.
            assert_eq!(fs::read_dir(scratch).unwrap().count(), 0);
        };
        check("*", Metric::from(Key::Size), 1000, 1000.0, 1000.0);
        check("a", Metric::from(Key::Size), 1, 1.0, 1.0);
        check("b", Metric::from(Key::Gzip), 5000, 5000.0, 5100.0);
        if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            check("a", Metric::from(Key::Stripped), 5000, 5000.0, 5007.0);
            check("a", Metric::from(Key::Stripped), 1, 1.0, 72.0);
        }
        fs::remove_dir_all(&dir).unwrap();
    }
}
