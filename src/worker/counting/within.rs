//! The counting of instructions of a program that knows nothing of this library: callgrind is told the names of the
//! functions within which it counts.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use perf_budget_core::callgrind::Profile;
use perf_budget_core::outcome::{Cause, Unmeasured};

use super::{DUMPS, callgrind, place, profile_options};
use crate::exec::Launch;

/// A process under callgrind that counts within some functions. Its files are removed when this is dropped.
pub(crate) struct CountedWithin {
    dir: PathBuf,
}

impl CountedWithin {
    /// Changes a launch so that the same program runs under callgrind, which counts while one of `functions` runs. These
    /// are patterns, in which `*` stands for anything; none may match a function that another one calls. A profile also
    /// tells callers apart.
    ///
    /// # Errors
    /// If there is no Valgrind, or the files cannot be written.
    pub(crate) fn new(
        launch: &mut Launch,
        functions: &[&str],
        is_profile: bool,
        scratch: &Path,
    ) -> Result<CountedWithin, Unmeasured> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let program = callgrind()?;
        let failed = |e: std::io::Error| {
            let text = format!("failed to prepare a count in `{}`: {e}", scratch.display());
            Unmeasured::new(Cause::Harness, text)
        };
        let name =
            format!("counted-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let counted =
            CountedWithin { dir: std::path::absolute(scratch).map_err(failed)?.join(name) };
        std::fs::create_dir_all(&counted.dir).map_err(failed)?;
        // The functions of another thread are not counted, so other threads have to be noticed.
        let mut options = vec!["--separate-threads=yes".to_owned()];
        options.extend(functions.iter().map(|function| format!("--toggle-collect={function}")));
        if is_profile {
            options.extend(profile_options());
        }
        place(launch, &program, &counted.dir.join(DUMPS), options).map_err(failed)?;
        Ok(counted)
    }

    /// Returns what was counted, after the process has ended.
    ///
    /// # Errors
    /// If the process ran several threads, or the file cannot be read.
    pub(crate) fn read(&self) -> Result<Profile, Unmeasured> {
        let thread = |number: u32| self.dir.join(format!("{DUMPS}-{number:02}"));
        if thread(2).exists() {
            let text = "it runs several threads, and only the instructions of the one that iterates can be told from others";
            return Err(Unmeasured::new(Cause::Unsuitable, text));
        }
        let text = std::fs::read_to_string(thread(1)).map_err(|e| e.to_string());
        text.and_then(|text| Profile::parse(&text)).map_err(|why| {
            let text = format!("failed to read what callgrind counted: {why}");
            Unmeasured::new(Cause::Harness, text)
        })
    }
}

impl Drop for CountedWithin {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
