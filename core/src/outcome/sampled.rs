//! The samples of a red that wait for the command, which names their functions: as data.

use serde::{Deserialize, Serialize};

use super::Change;

/// Where the samples of both sides are, and what is needed to compare them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sampled {
    /// The file with the samples of what is measured.
    pub now: String,
    /// The file with the samples of the reference; `None` if there is no reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The moment at which they were written, in nanoseconds since 1970: a later run writes to the same files.
    pub at: u64,
    /// The number of samples of each side; `before` is 0 if there is no reference.
    pub samples: Change,
    /// The seconds that one operation takes on each side, as it was judged; `None` if the samples themselves say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Change>,
    /// The crates of the project.
    pub own: Vec<String>,
    /// The seconds that sampling took, both sides together.
    pub seconds: f64,
    /// Why no instructions were counted instead; empty if they were counted, and were equal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::frozen::frozen;

    #[test]
    fn the_form_is_frozen() {
        let all = r#"{"now":"a.samples","before":"b.samples","at":5,"samples":{"before":3.0,"now":2.0},"judged":{"before":1.0,"now":1.5},"own":["work"],"seconds":0.5,"why":"no Valgrind"}"#;
        let sampled: Sampled = frozen(all);
        assert_eq!(sampled.own, ["work"]);
        let least: Sampled = frozen(
            r#"{"now":"a","at":0,"samples":{"before":0.0,"now":2.0},"own":[],"seconds":0.0}"#,
        );
        assert_eq!(least.before, None);
    }
}
