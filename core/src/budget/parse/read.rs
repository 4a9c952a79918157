//! The conversion of TOML values to Rust values. A value of the wrong type is a problem that says what was
//! expected and what was found.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::collect::Mistakes;
use super::key::Key;
use super::printable::quoted;
use super::problem::Problem;
use crate::budget::spelling;
use crate::quantity::{Quantity, Unit};

/// A value with its place in the text.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// A key with its place, and its value.
pub(super) struct Entry<'t> {
    pub key: &'t str,
    pub at: Range<usize>,
    pub value: &'t Value<'t>,
}

/// The longest time of `effort` and `timeout`, which is a day.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns the entries of a table, in the order of the file.
pub(super) fn entries<'t>(table: &'t DeTable<'t>) -> Vec<Entry<'t>> {
    let mut entries: Vec<_> = unordered(table).collect();
    entries.sort_by_cached_key(|entry| entry.at.start);
    entries
}

/// Returns the entries of a table in any order. Problems are sorted later.
pub(super) fn unordered<'t>(table: &'t DeTable<'t>) -> impl Iterator<Item = Entry<'t>> {
    table.iter().map(|(key, value)| Entry { key: text_of(key), at: key.span(), value })
}

fn text_of<'t>(key: &'t Spanned<std::borrow::Cow<'t, str>>) -> &'t str {
    key.get_ref()
}

/// Returns the entry of a table with this key.
pub(super) fn entry<'t>(table: &'t DeTable<'t>, key: &str) -> Option<Entry<'t>> {
    let (found, value) = table.get_key_value(key)?;
    Some(Entry { key: found.get_ref(), at: found.span(), value })
}

impl<'t> Entry<'t> {
    fn mismatch<T>(&self, mistakes: &mut Mistakes<'_>, expected: &str, example: &str) -> Option<T> {
        mismatch(self.key, self.value, mistakes, expected, example)
    }

    /// Reads a table. The message about a mistake shows `example`.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other values of TOML are treated alike"
    )]
    pub(super) fn table(
        &self,
        mistakes: &mut Mistakes<'_>,
        example: &str,
    ) -> Option<&'t DeTable<'t>> {
        match self.value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => self.mismatch(mistakes, "a table", example),
        }
    }

    /// Reads a text that is not empty.
    pub(super) fn text(&self, mistakes: &mut Mistakes<'_>, example: &str) -> Option<String> {
        text(self.key, self.value, mistakes, example)
    }

    /// Reads a list of texts that is not empty.
    pub(super) fn texts(&self, mistakes: &mut Mistakes<'_>, example: &str) -> Option<Vec<String>> {
        let DeValue::Array(array) = self.value.get_ref() else {
            return self.mismatch(mistakes, "a list of strings", example);
        };
        if array.is_empty() {
            let empty = format!("`{}` is an empty list", self.key);
            mistakes
                .report(Problem::new(self.value.span(), empty).help(format!("write {example}")));
            return None;
        }
        let texts: Vec<_> =
            array.iter().map(|item| text(self.key, item, mistakes, example)).collect();
        texts.into_iter().collect()
    }

    /// Reads one of a few words.
    pub(super) fn choice<T: Copy>(
        &self,
        mistakes: &mut Mistakes<'_>,
        choices: &[(&str, &str, T)],
    ) -> Option<T> {
        let words: Vec<_> = choices.iter().map(|choice| choice.0).collect();
        self.word(mistakes, &words).map(|chosen| choices[chosen].2)
    }

    /// Reads one of a few names, and returns it.
    pub(super) fn known(
        &self,
        mistakes: &mut Mistakes<'_>,
        names: impl Iterator<Item = &'static str>,
    ) -> Option<&'static str> {
        let names: Vec<_> = names.collect();
        self.word(mistakes, &names).map(|chosen| names[chosen])
    }

    /// Reads one of a few words, and returns its index.
    fn word(&self, mistakes: &mut Mistakes<'_>, words: &[&str]) -> Option<usize> {
        let all = || words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let DeValue::String(word) = self.value.get_ref() else {
            return self.mismatch(mistakes, "a string", &format!("one of {}", all()));
        };
        let chosen = words.iter().position(|known| known == word);
        if chosen.is_none() {
            let title = format!("`{}` cannot be {}", self.key, quoted(word));
            let near = spelling::nearest(word, words.iter().copied());
            let label = near.map(|near| format!("did you mean \"{near}\"?")).unwrap_or_default();
            mistakes.report(
                Problem::new(self.value.span(), title)
                    .label(label)
                    .help(format!("write one of {}", all())),
            );
        }
        chosen
    }

    /// Reads `true` or `false`.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other values of TOML are treated alike"
    )]
    pub(super) fn truth(&self, mistakes: &mut Mistakes<'_>) -> Option<bool> {
        match self.value.get_ref() {
            DeValue::Boolean(truth) => Some(*truth),
            _ => self.mismatch(mistakes, "true or false", "true or false, without quotes"),
        }
    }

    /// Reads a time above zero.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other values of TOML are treated alike"
    )]
    pub(super) fn duration(&self, mistakes: &mut Mistakes<'_>) -> Option<Duration> {
        let key = self.key;
        let text = match self.value.get_ref() {
            DeValue::String(text) => text,
            number @ (DeValue::Integer(_) | DeValue::Float(_)) => {
                let title = format!("`{key}` is a time and needs a unit");
                let help = format!("write \"{} s\"", number_text(number));
                mistakes.report(Problem::new(self.value.span(), title).help(help));
                return None;
            }
            _ => return self.mismatch(mistakes, "a time", "\"10 s\""),
        };
        let problem = match Quantity::parse(text) {
            Ok(Quantity { value, unit: Unit::Seconds }) => {
                match Duration::try_from_secs_f64(value) {
                    Ok(time) if !time.is_zero() && time <= LONGEST => return Some(time),
                    _ => Problem::new(
                        self.value.span(),
                        format!("`{key}` has to be over 0 s and at most 24 h"),
                    )
                    .help("write a time such as \"10 s\""),
                }
            }
            Ok(Quantity { unit: Unit::Number, .. }) => {
                Problem::new(self.value.span(), format!("`{key}` is a time and needs a unit"))
                    .help(format!("write \"{} s\"", text.trim()))
            }
            Ok(other) => Problem::new(
                self.value.span(),
                format!("`{key}` is a time, found {}", other.unit.noun()),
            )
            .help("write a time such as \"10 s\""),
            Err(fault) => Problem::new(self.value.span(), format!("`{key}`: {fault}"))
                .help("write a time such as \"10 s\""),
        };
        mistakes.report(problem);
        None
    }

    /// Reads a whole number from 1 to `most`.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other values of TOML are treated alike"
    )]
    pub(super) fn count(&self, mistakes: &mut Mistakes<'_>, most: u32) -> Option<u32> {
        let count = match self.value.get_ref() {
            DeValue::Integer(integer) => {
                u32::from_str_radix(integer.as_str(), integer.radix()).ok()
            }
            _ => None,
        };
        let count = count.filter(|count| (1..=most).contains(count));
        if count.is_none() {
            let title = format!("`{}` has to be a whole number from 1 to {most}", self.key);
            mistakes
                .report(Problem::new(self.value.span(), title).help("write a number such as 8"));
        }
        count
    }

    /// Reads a share above zero and at most `most`, which is written as `"90 %"` or 0.9.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other values of TOML are treated alike"
    )]
    pub(super) fn share(&self, mistakes: &mut Mistakes<'_>, most: f64) -> Option<f64> {
        let example = if most < 0.9 { "\"1 %\" or 0.01" } else { "\"90 %\" or 0.9" };
        let share = match self.value.get_ref() {
            DeValue::String(text) => match Quantity::parse(text) {
                Ok(Quantity { value, unit: Unit::Share | Unit::Number }) => Some(value),
                _ => None,
            },
            value => number(value),
        };
        let Some(share) = share else {
            return self.mismatch(mistakes, "a share", example);
        };
        if share > 0.0 && share <= most {
            return Some(share);
        }
        let (most, key) = (most * 100.0, self.key);
        let title = format!("`{key}` has to be over 0 % and at most {most} %");
        let help = if share > 1.0 && share <= most {
            format!("did you mean \"{share} %\"?")
        } else {
            format!("write a share such as {example}")
        };
        mistakes.report(Problem::new(self.value.span(), title).help(help));
        None
    }
}

/// Reads a text that is not empty and has no NUL, since no path, argument or name can have one.
pub(super) fn text(
    key: &str,
    value: &Value<'_>,
    mistakes: &mut Mistakes<'_>,
    example: &str,
) -> Option<String> {
    let DeValue::String(text) = value.get_ref() else {
        return mismatch(key, value, mistakes, "a string", example);
    };
    if text.trim().is_empty() || text.contains('\0') {
        let what = if text.contains('\0') { "has a NUL in it" } else { "is empty" };
        let help = format!("write {example}");
        mistakes.report(Problem::new(value.span(), format!("`{key}` {what}")).help(help));
        return None;
    }
    Some(text.clone().into_owned())
}

/// Reports a value of the wrong type.
pub(super) fn mismatch<T>(
    key: &str,
    value: &Value<'_>,
    mistakes: &mut Mistakes<'_>,
    expected: &str,
    example: &str,
) -> Option<T> {
    mistakes.report(unexpected_value(key, value, expected, example));
    None
}

fn unexpected_value(key: &str, value: &Value<'_>, expected: &str, example: &str) -> Problem {
    let title =
        format!("expected {expected} for {}, found {}", quoted(key), type_with_article(value));
    Problem::new(value.span(), title).help(format!("write {example}"))
}

/// Returns the type of a value with its article, as in "a list" or "an integer". A string is shown itself.
pub(super) fn type_with_article(value: &Value<'_>) -> String {
    match value.get_ref() {
        DeValue::String(text) => format!("the string {}", quoted(text)),
        DeValue::Integer(_) => "an integer".to_owned(),
        DeValue::Float(_) => "a float".to_owned(),
        DeValue::Boolean(_) => "a boolean".to_owned(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(list) if list.is_empty() => "an empty list".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// Returns an integer or a float as a number, if it is finite.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other values of TOML are treated alike")]
pub(super) fn number(value: &DeValue<'_>) -> Option<f64> {
    let number = match value {
        DeValue::Integer(integer) => {
            i64::from_str_radix(integer.as_str(), integer.radix()).ok()? as f64
        }
        DeValue::Float(float) => float.as_str().parse().ok()?,
        _ => return None,
    };
    Some(number).filter(|n| n.is_finite())
}

/// Returns a number as it is written.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other values of TOML are treated alike")]
pub(super) fn number_text(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Integer(integer) => integer.to_string(),
        DeValue::Float(float) => float.to_string(),
        _ => String::new(),
    }
}

/// Reports keys that are not among `known`.
pub(super) fn check_keys(
    table: &DeTable<'_>,
    place: &str,
    known: &[Key],
    mistakes: &mut Mistakes<'_>,
) {
    check_keys_but(table, place, known, &[], mistakes);
}

/// Reports keys that are neither among `known` nor among the `old` names, which are read but not suggested.
pub(super) fn check_keys_but(
    table: &DeTable<'_>,
    place: &str,
    known: &[Key],
    old: &[&str],
    mistakes: &mut Mistakes<'_>,
) {
    let names = || known.iter().map(|key| key.name);
    let is_known = |key: &str| names().chain(old.iter().copied()).any(|name| name == key);
    for entry in unordered(table).filter(|e| !is_known(e.key)) {
        let near = spelling::nearest(entry.key, names());
        let label = near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
        let title = format!("unknown key {} in {place}", quoted(entry.key));
        let help = format!("{place} has {}", names().collect::<Vec<_>>().join(", "));
        mistakes.report(Problem::new(entry.at, title).label(label).help(help));
    }
}
