//! The changes between the base and this revision in what the running code is made from.

use serde::{Deserialize, Serialize};

/// How many files or dependencies are named in a sentence.
const NAMED: usize = 5;

/// The differences from the base in the code that runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeChanges {
    /// The files from which the measured program is compiled, or which decide how, by their paths in the repository.
    pub files: Vec<String>,
    /// The dependencies of `Cargo.lock`: `serde_json 1.0.140 -> 1.0.154`.
    pub dependencies: Vec<String>,
    /// The other files that the measured program may read while it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<String>,
}

impl CodeChanges {
    /// Whether nothing has changed.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.dependencies.is_empty() && self.read.is_empty()
    }

    /// Returns what has changed, in words.
    pub fn describe(&self) -> String {
        let named = |all: &[String]| {
            let more = all.len().saturating_sub(NAMED);
            let mut words = all[..all.len() - more].join(", ");
            if more > 0 {
                words = format!("{words} and {more} more");
            }
            words
        };
        let mut read = named(&self.read);
        if !read.is_empty() {
            read += ", which may be read at run time";
        }
        let parts = [named(&self.dependencies), named(&self.files), read];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            "nothing that it is compiled from".to_owned()
        } else {
            parts.join("; ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_named_and_the_others_counted() {
        let files = (0..7).map(|n| format!("src/{n}.rs")).collect();
        let changed = CodeChanges {
            files,
            dependencies: vec!["a 1 -> 2".to_owned()],
            ..CodeChanges::default()
        };
        let want = "a 1 -> 2; src/0.rs, src/1.rs, src/2.rs, src/3.rs, src/4.rs and 2 more";
        assert_eq!(changed.describe(), want);
        assert_eq!(CodeChanges::default().describe(), "nothing that it is compiled from");
    }
    #[test]
    fn what_may_be_read_at_run_time_is_named() {
        let read = vec!["dist/index.html".to_owned(), "dist/app.js".to_owned()];
        let mut changed = CodeChanges { read, ..CodeChanges::default() };
        assert!(!changed.is_empty());
        let want = "dist/index.html, dist/app.js, which may be read at run time";
        assert_eq!(changed.describe(), want);
        changed.files.push("src/lib.rs".to_owned());
        assert_eq!(changed.describe(), format!("src/lib.rs; {want}"));
    }

    #[test]
    fn an_older_record_is_read_and_an_empty_list_is_not_written() {
        let text = r#"{"files":["src/lib.rs"],"dependencies":[]}"#;
        let changed: CodeChanges = serde_json::from_str(text).unwrap();
        assert_eq!(changed.read, Vec::<String>::new());
        assert_eq!(serde_json::to_string(&changed).unwrap(), text);
    }
}
