//! Which cases of a budget a limit is for, as in `max.p99 = { n = { 100 = "1 µs", 100000 = "2 ms" } }`.

use std::fmt;

use super::Case;

/// The cases that a limit is for: those whose parameters have one of the listed values. Without any parameter these are
/// all cases.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CaseFilter {
    /// Parameters, each with the texts of its values.
    wanted: Vec<(String, Vec<String>)>,
}

impl CaseFilter {
    /// Returns the filter of one case: the parameters that are in its label.
    pub fn of(case: &Case) -> CaseFilter {
        let texts = case.params.iter().map(|(name, value)| (name, value.to_string()));
        let is_listed = |(name, text): &(&String, String)| {
            case.label
                .split(',')
                .any(|part| part.split_once('=') == Some((name.as_str(), text.as_str())))
        };
        let wanted = texts.filter(is_listed).map(|(name, text)| (name.clone(), vec![text]));
        CaseFilter { wanted: wanted.collect() }
    }

    /// Returns the filter that this parameter must pass too.
    #[must_use]
    pub fn and(&self, parameter: &str, values: Vec<String>) -> CaseFilter {
        let mut both = self.clone();
        both.wanted.push((parameter.to_owned(), values));
        both
    }

    /// Whether it lets every case through.
    pub fn is_all(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Whether it lets this case through.
    pub fn has(&self, case: &Case) -> bool {
        let has = |(parameter, values): &(String, Vec<String>)| {
            let own = case.params.iter().find(|(name, _)| name == parameter);
            own.is_some_and(|(_, value)| values.contains(&value.to_string()))
        };
        self.wanted.iter().all(has)
    }

    /// Whether no case passes both: they want other values of one parameter.
    pub fn excludes(&self, other: &CaseFilter) -> bool {
        self.wanted.iter().any(|(parameter, values)| {
            let mut same = other.wanted.iter().filter(|(name, _)| name == parameter);
            same.any(|(_, others)| !values.iter().any(|value| others.contains(value)))
        })
    }

    /// Returns the parameters with the texts of their values, as they are nested in the file.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.wanted.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }
}

/// Writes the filter as the label of a case is written, with `|` between several values.
impl fmt::Display for CaseFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (name, values)) in self.wanted.iter().enumerate() {
            let comma = if nth == 0 { "" } else { "," };
            write!(f, "{comma}{name}={}", values.join("|"))?;
        }
        Ok(())
    }
}
