//! The writing of the site's files. Only files that changed are written, so that a copy to a server, or a commit, has only
//! those.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::failure::Failure;
use crate::file;

/// The directory of a site, while it is written.
#[derive(Debug)]
pub(super) struct Writer {
    directory: PathBuf,
    /// Every file that belongs to the site.
    files: BTreeSet<String>,
    pub(super) written: usize,
    pub(super) removed: usize,
}

impl Writer {
    pub(super) fn new(directory: &Path) -> Writer {
        Writer { directory: directory.to_owned(), files: BTreeSet::new(), written: 0, removed: 0 }
    }

    /// Writes a file unless it has this text already.
    pub(super) fn write(&mut self, name: &str, text: &str) -> Result<(), Failure> {
        self.files.insert(name.to_owned());
        let path = self.directory.join(name);
        if std::fs::read(&path).is_ok_and(|old| old == text.as_bytes()) {
            return Ok(());
        }
        file::write(&path, text)?;
        self.written += 1;
        Ok(())
    }

    /// Keeps files as they are, if all of them are there.
    pub(super) fn keep(&mut self, names: &[String]) -> bool {
        let all = !names.is_empty() && names.iter().all(|name| self.directory.join(name).is_file());
        if all {
            self.files.extend(names.iter().cloned());
        }
        all
    }

    /// Removes the files of an earlier site that no longer belong to it. Returns the files that do.
    pub(super) fn finish(
        &mut self,
        before: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, Failure> {
        for old in before.difference(&self.files) {
            // The list is a file that somebody may have written: nothing outside of the directory is removed.
            let inside =
                Path::new(old).components().all(|part| matches!(part, Component::Normal(_)));
            let path = self.directory.join(old);
            if inside && path.is_file() {
                std::fs::remove_file(&path).map_err(|e| Failure::io("remove", &path, &e))?;
                self.removed += 1;
            }
        }
        Ok(self.files.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_written_and_only_own_files_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let outside = tempfile::NamedTempFile::new_in(dir.path()).unwrap();
        let site = dir.path().join("site");
        let mut first = Writer::new(&site);
        first.write("a.html", "a").unwrap();
        first.write("b/c.html", "c").unwrap();
        assert_eq!(first.written, 2);
        let files = first.finish(&BTreeSet::new()).unwrap();
        std::fs::write(site.join("CNAME"), "example.org").unwrap();
        let mut second = Writer::new(&site);
        second.write("a.html", "a").unwrap();
        second.write("d.html", "d").unwrap();
        let mut before = files;
        let name = outside.path().file_name().unwrap().to_str().unwrap();
        before.insert(format!("../{name}"));
        second.finish(&before).unwrap();
        assert_eq!((second.written, second.removed), (1, 1));
        assert!(outside.path().is_file() && site.join("CNAME").is_file());
        assert!(!site.join("b/c.html").exists());
        assert!(!second.keep(&["b/c.html".to_owned()]) && second.keep(&["a.html".to_owned()]));
    }
}
