//! Further links of both revisions, which the command makes for the harness while it measures: the request, and the answer.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::exact;

/// How further links of both revisions are made: a program that the harness starts. The numbers of the first and of the
/// last link that are wanted, counted from 1, follow the arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoreLinks {
    /// The program. It is the same file as long as the command runs, even if the command is installed anew.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The most links of each revision that there can be.
    pub most: u32,
}

/// The answer of that program, as JSON on its standard output: the links from the first number to the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeLinks {
    /// This revision's links.
    pub heads: Vec<PathBuf>,
    /// The base's links.
    pub links: Vec<PathBuf>,
}

impl MadeLinks {
    /// Returns the answer as it is written.
    ///
    /// # Errors
    /// If a path is not UTF-8.
    pub fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|e| Error::other(format!("failed to write links: {e}")))
    }

    /// Reads an answer of `count` links of each revision.
    ///
    /// # Errors
    /// If it is not understood, or has another number of links.
    pub fn read(text: &[u8], count: usize) -> Result<MadeLinks, Error> {
        let made: MadeLinks = exact::read(text)
            .map_err(|e| Error::other(format!("the answer is not understood: {e}")))?;
        if (made.heads.len(), made.links.len()) != (count, count) {
            return Err(Error::other(format!(
                "{count} links of each side were wanted, and there are {} and {}",
                made.heads.len(),
                made.links.len()
            )));
        }
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::frozen::frozen;

    #[test]
    fn the_formats_stay_the_same() {
        let more: MoreLinks =
            frozen(r#"{"program":"/t/perf-budget-links","arguments":["{}"],"most":128}"#);
        assert_eq!(more.most, 128);
        let text = r#"{"heads":["/h/t.link-9"],"links":["/b/t.link-9"]}"#;
        let made: MadeLinks = frozen(text);
        assert_eq!(made.to_json().unwrap(), text);
        assert_eq!(MadeLinks::read(text.as_bytes(), 1).unwrap(), made);
        let few = MadeLinks::read(text.as_bytes(), 2).unwrap_err().to_string();
        assert!(few.contains("2 links of each side were wanted, and there are 1 and 1"), "{few}");
        assert!(MadeLinks::read(b"error", 1).is_err());
    }
}
