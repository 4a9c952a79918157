//! The instructions of both sides of a red by address: a file that the harness writes. The command reads it, and knows which
//! functions were inlined at these addresses.
//!
//! The file begins with a line of JSON; the profiles follow as callgrind writes them.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::callgrind::Profile;
use crate::error::Error;
use crate::exact;
use crate::samples::{CUT_SHORT, Code, begins_as, check_version, read_as};

/// The version of the form that is written.
const VERSION: u32 = 1;
/// The largest file that is written and read.
const LARGEST: u64 = 128 << 20;

/// The profiles of both sides, by address.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    /// The facts about the process beside its counts.
    pub about: CountContext,
    /// The operations of the reference; `None` if there is none.
    pub before: Option<Vec<Profile>>,
    /// The operations now.
    pub now: Vec<Profile>,
}

/// The facts that are known of counts beside the counts themselves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CountContext {
    /// The version of the form. It is set when the file is written.
    pub counts: u32,
    /// The crates of the project.
    pub own: BTreeSet<String>,
    /// The programs and libraries that were profiled.
    pub objects: Vec<CountedObject>,
    /// The lengths in bytes of the reference's profiles in the file; `None` without a reference. They are set when the file is
    /// written.
    pub before: Option<Vec<u64>>,
    /// The same lengths of the profiles now.
    pub now: Vec<u64>,
}

/// A file that was profiled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedObject {
    /// Its path.
    pub path: String,
    /// Its length, and when it was written, in nanoseconds since 1970. Another file is not this one.
    pub file: Option<(u64, u64)>,
}

impl Counts {
    /// Returns the counts of both sides. The files that were profiled are looked at.
    pub fn of(before: Option<Vec<Profile>>, now: Vec<Profile>, own: BTreeSet<String>) -> Counts {
        let profiles = before.iter().flatten().chain(&now);
        let functions = profiles.flat_map(|profile| &profile.functions);
        let paths: BTreeSet<&String> = functions.map(|function| &function.object).collect();
        let object = |path: &String| CountedObject {
            path: path.clone(),
            file: Code::state(Path::new(path)),
        };
        let objects = paths.into_iter().map(object).collect();
        Counts { about: CountContext { own, objects, ..CountContext::default() }, before, now }
    }

    /// Returns the content of the file; `None` if it would be too long.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let text = |profiles: &[Profile]| profiles.iter().map(Profile::to_text).collect::<Vec<_>>();
        let lengths = |texts: &[String]| texts.iter().map(|text| text.len() as u64).collect();
        let (before, now) = (self.before.as_deref().map(text), text(&self.now));
        let about = CountContext {
            counts: VERSION,
            before: before.as_deref().map(lengths),
            now: lengths(&now),
            ..self.about.clone()
        };
        let first = serde_json::json!(about).to_string();
        let rest = before.into_iter().flatten().chain(now).collect::<String>();
        let bytes = format!("{first}\n{rest}").into_bytes();
        (bytes.len() as u64 <= LARGEST).then_some(bytes)
    }

    /// Whether a file begins as counts do, even if what follows is damaged.
    pub fn begin(path: &Path) -> bool {
        begins_as::<CountContext>(path)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, or is not a file of counts that this release knows.
    pub fn read(path: &Path) -> Result<Counts, Error> {
        read_as("counts", path, LARGEST, |bytes| {
            Counts::of_text(std::str::from_utf8(bytes).map_err(|e| e.to_string())?)
        })
    }

    /// Reads the content of a file.
    ///
    /// # Errors
    /// If it is cut short, or of a form that this release does not know.
    pub fn of_text(text: &str) -> Result<Counts, String> {
        let (first, mut rest) = text.split_once('\n').ok_or("it has no first line")?;
        let about: CountContext = exact::read(first.as_bytes()).map_err(|e| e.to_string())?;
        check_version(about.counts, VERSION)?;
        let mut take = |length: &u64| {
            let length = usize::try_from(*length).map_err(|_| CUT_SHORT)?;
            let (first, other) = rest.split_at_checked(length).ok_or(CUT_SHORT)?;
            rest = other;
            Profile::parse(first)
        };
        let mut all = |lengths: &[u64]| lengths.iter().map(&mut take).collect::<Result<_, _>>();
        let before = about.before.as_deref().map(&mut all).transpose()?;
        let now = all(&about.now)?;
        if !rest.is_empty() {
            return Err("more follows than it says".to_owned());
        }
        Ok(Counts { about, before, now })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callgrind::Function;
    use crate::exact::frozen::frozen;

    fn counts() -> Counts {
        let profile = |cost| Profile {
            creator: "callgrind-3.19.0".to_owned(),
            system_calls: None,
            functions: vec![Function {
                name: "work::merge'main".to_owned(),
                object: "/work".to_owned(),
                cost,
                has_lines: true,
                at: vec![(16, cost)],
                ..Function::default()
            }],
        };
        let own = BTreeSet::from(["work".to_owned()]);
        Counts::of(Some(vec![profile(7)]), vec![profile(8), profile(9)], own)
    }

    #[test]
    fn the_form_is_frozen() {
        let about = r#"{"counts":1,"own":["work"],"objects":[{"path":"/work","file":[12,34]}],"before":[120],"now":[120,121]}"#;
        assert_eq!(frozen::<CountContext>(about).objects[0].file, Some((12, 34)));
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let bytes = counts().to_bytes().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let read = Counts::of_text(&text).unwrap();
        assert_eq!((&read.before, &read.now), (&counts().before, &counts().now));
        assert_eq!((read.about.counts, read.about.own), (1, counts().about.own));
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let text = String::from_utf8(counts().to_bytes().unwrap()).unwrap();
        let refused = |text: &str, why: &str| {
            let error = Counts::of_text(text).unwrap_err();
            assert!(error.contains(why), "{error}");
        };
        refused(&text[..text.len() - 1], CUT_SHORT);
        refused(&format!("{text} "), "more follows");
        refused(&text.replace("\"counts\":1", "\"counts\":2"), "version 2");
        refused(&text.replace("totals: 9", "totals: 8"), "add up to 9");
        refused("{}\n", "missing field");
        refused("", "no first line");
    }
}
