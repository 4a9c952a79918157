//! The folder with the files of samples. Only a file that the harness itself can have written is read and removed, whatever a
//! record says: a record may come from elsewhere, and must not lead to another file of the user.

use std::path::{Path, PathBuf};

use perf_budget_core::counts::Counts;
use perf_budget_core::samples::{self, Samples};

/// The folder of a project's samples.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Returns the folder beside the project's own record.
    pub(super) fn beside(record: &Path) -> Folder {
        let results = record.parent().filter(|results| *results != Path::new(""));
        Folder(results.unwrap_or(Path::new(".")).join(samples::FOLDER))
    }

    /// Returns the path of a file by the path that a record has for it.
    ///
    /// # Errors
    /// If it is not in this folder, or is not one that the harness can have written.
    pub(super) fn file(&self, recorded: &str) -> Result<PathBuf, String> {
        let path = Path::new(recorded);
        let elsewhere = || {
            format!(
                "`{recorded}` is not a file of this project's samples; run the tests again here"
            )
        };
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !samples::is_file_name(name) || !path.is_absolute() {
            return Err(elsewhere());
        }
        // Neither the folder nor the file may be a link, which could lead anywhere.
        let is_folder = self.0.symlink_metadata().is_ok_and(|data| data.is_dir());
        let (own, other) = (self.0.canonicalize(), path.parent().map(Path::canonicalize));
        let file = match (own, other) {
            (Ok(own), Some(Ok(other))) if is_folder && own == other => own.join(name),
            // A folder that is gone has no files.
            (Err(_), Some(Err(_))) => return Err(GONE.to_owned()),
            _ => return Err(elsewhere()),
        };
        match file.symlink_metadata() {
            Ok(data) if data.is_file() => Ok(file),
            Ok(_) => Err(elsewhere()),
            Err(_) => Err(GONE.to_owned()),
        }
    }

    /// Removes a file, by the path that a record has for it, if it is one of samples or of counts.
    pub(super) fn remove(&self, recorded: &str) {
        if let Ok(file) = self.file(recorded)
            && (Samples::begin(&file) || Counts::begin(&file))
        {
            // A file that stays does no harm: the harness removes it later.
            let _ = std::fs::remove_file(file);
        }
    }
}

/// The reason why functions have no names where the samples are gone.
pub(super) const GONE: &str = "they are gone, or a later run has taken others; run the tests again";

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const NAME: &str = "0123456789abcdef-now.samples";

    /// A folder of results with one file of samples, and beside it a file of the user that looks like one.
    struct Results(tempfile::TempDir);

    impl Results {
        fn new() -> Results {
            let results = Results(tempfile::tempdir().unwrap());
            for folder in ["budgets/samples", "other/samples"] {
                fs::create_dir_all(results.path(folder)).unwrap();
                fs::write(results.path(folder).join(NAME), Samples::default().to_bytes()).unwrap();
            }
            results
        }

        fn path(&self, below: &str) -> PathBuf {
            self.0.path().join(below)
        }

        fn folder(&self) -> Folder {
            Folder::beside(&self.path("budgets/outcomes.jsonl"))
        }

        /// Checks that a recorded path is neither read nor removed.
        #[track_caller]
        fn refuses(&self, recorded: &Path, is_there: &str) {
            let recorded = recorded.to_str().unwrap();
            assert!(self.folder().file(recorded).is_err(), "{recorded}");
            self.folder().remove(recorded);
            assert!(self.path(is_there).symlink_metadata().is_ok(), "{is_there} was removed");
        }
    }

    #[test]
    fn a_file_of_the_harness_is_found_and_removed() {
        let results = Results::new();
        let file = results.path("budgets/samples").join(NAME);
        let recorded = file.to_str().unwrap();
        let found = results.folder().file(recorded).unwrap();
        assert_eq!(found, file.canonicalize().unwrap());
        results.folder().remove(recorded);
        assert!(!file.exists());
        assert_eq!(results.folder().file(recorded).unwrap_err(), GONE);
        fs::remove_dir(results.path("budgets/samples")).unwrap();
        assert_eq!(results.folder().file(recorded).unwrap_err(), GONE);
    }

    #[test]
    fn a_file_elsewhere_stays() {
        let results = Results::new();
        results.refuses(
            &results.path("other/samples").join(NAME),
            "other/samples/0123456789abcdef-now.samples",
        );
        let up = results.path("budgets/samples/../../other/samples").join(NAME);
        results.refuses(&up, "other/samples/0123456789abcdef-now.samples");
        fs::write(results.path("budgets/outcomes.jsonl"), "").unwrap();
        results
            .refuses(&results.path("budgets/samples/../outcomes.jsonl"), "budgets/outcomes.jsonl");
        fs::write(results.path("budgets/samples/notes.txt"), Samples::default().to_bytes())
            .unwrap();
        results.refuses(&results.path("budgets/samples/notes.txt"), "budgets/samples/notes.txt");
        results.refuses(Path::new(NAME), "budgets/samples");
        results.refuses(Path::new(""), "budgets/samples");
        results.refuses(Path::new("/"), "budgets/samples");
        results.refuses(&results.path("budgets/samples/.."), "budgets/samples");
    }

    #[test]
    fn a_file_without_samples_is_not_removed() {
        let results = Results::new();
        let file = results.path("budgets/samples").join(NAME);
        for other in [&b"a letter"[..], b"", b"{\"version\":1}\n"] {
            fs::write(&file, other).unwrap();
            results.folder().remove(file.to_str().unwrap());
            assert!(file.exists());
        }
        // A directory with the name of such a file stays too.
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        results.refuses(&file, "budgets/samples/0123456789abcdef-now.samples");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed() {
        let results = Results::new();
        let target = results.path("other/samples").join(NAME);
        let file = results.path("budgets/samples").join(NAME);
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink(&target, &file).unwrap();
        results.refuses(&file, "other/samples/0123456789abcdef-now.samples");
        assert!(file.symlink_metadata().is_ok());
        // The folder itself is a link.
        fs::remove_file(&file).unwrap();
        fs::remove_dir(results.path("budgets/samples")).unwrap();
        std::os::unix::fs::symlink(results.path("other/samples"), results.path("budgets/samples"))
            .unwrap();
        results.refuses(&file, "other/samples/0123456789abcdef-now.samples");
        results.refuses(&target, "other/samples/0123456789abcdef-now.samples");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_is_not_read() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let results = Results::new();
        let file = results.path("budgets/samples").join(NAME);
        fs::remove_file(&file).unwrap();
        mknodat(CWD, &file, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        results.refuses(&file, "budgets/samples/0123456789abcdef-now.samples");
        assert!(!Samples::begin(&file));
        assert!(Samples::read(&file).is_err());
        // The file of a sampled program may have been replaced by a pipe.
        assert_eq!(samples::Code::state(&file), None);
    }
}
