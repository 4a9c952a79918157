//! A number with its unit. Outside of `stats` every number has one.
//!
//! The text form is what people write in a budget: `100 KB` (1000 bytes each), `1 KiB` (1024 bytes), `10 ms`, `1_000
//! op/s`, `64 MB/s`, `95 %`, `12`. Inside, every value is in the base unit of its kind.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of a quantity, named by its base unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Unit {
    /// Sizes, in bytes.
    #[serde(rename = "B")]
    Bytes,
    /// Times, in seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Rates of operations, in operations per second.
    #[serde(rename = "op/s")]
    PerSecond,
    /// Rates of data, in bytes per second.
    #[serde(rename = "B/s")]
    BytesPerSecond,
    /// A part of a whole: 1.0 is 100 %.
    #[serde(rename = "share")]
    Share,
    /// A plain number: a count, an exponent, an exit code.
    #[serde(rename = "number")]
    Number,
    /// A multiple of another value.
    #[serde(rename = "ratio")]
    Ratio,
}

/// A value in the base unit of its kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    /// The value, in the base unit of `unit`. It is finite.
    pub value: f64,
    /// The unit of the value.
    pub unit: Unit,
}

/// The suffixes that are understood: the text, its unit, and how many base units it stands for. Within a unit, the
/// rows that are also printed come first, and of these the smallest first.
const SUFFIXES: &[(&str, Unit, f64)] = &[
    ("B", Unit::Bytes, 1.0),
    ("KB", Unit::Bytes, 1e3),
    ("MB", Unit::Bytes, 1e6),
    ("GB", Unit::Bytes, 1e9),
    ("TB", Unit::Bytes, 1e12),
    ("kB", Unit::Bytes, 1e3),
    ("KiB", Unit::Bytes, 1024.0),
    ("MiB", Unit::Bytes, 1_048_576.0),
    ("GiB", Unit::Bytes, 1_073_741_824.0),
    ("TiB", Unit::Bytes, 1_099_511_627_776.0),
    ("ns", Unit::Seconds, 1e-9),
    ("µs", Unit::Seconds, 1e-6),
    ("ms", Unit::Seconds, 1e-3),
    ("s", Unit::Seconds, 1.0),
    ("min", Unit::Seconds, 60.0),
    ("us", Unit::Seconds, 1e-6),
    ("μs", Unit::Seconds, 1e-6),
    ("h", Unit::Seconds, 3600.0),
    ("op/s", Unit::PerSecond, 1.0),
    ("K op/s", Unit::PerSecond, 1e3),
    ("M op/s", Unit::PerSecond, 1e6),
    ("G op/s", Unit::PerSecond, 1e9),
    ("ops/s", Unit::PerSecond, 1.0),
    ("msg/s", Unit::PerSecond, 1.0),
    ("B/s", Unit::BytesPerSecond, 1.0),
    ("KB/s", Unit::BytesPerSecond, 1e3),
    ("MB/s", Unit::BytesPerSecond, 1e6),
    ("GB/s", Unit::BytesPerSecond, 1e9),
    ("kB/s", Unit::BytesPerSecond, 1e3),
    ("KiB/s", Unit::BytesPerSecond, 1024.0),
    ("MiB/s", Unit::BytesPerSecond, 1_048_576.0),
    ("GiB/s", Unit::BytesPerSecond, 1_073_741_824.0),
    ("%", Unit::Share, 0.01),
    ("", Unit::Number, 1.0),
];

impl Unit {
    /// Returns an example of a limit in this unit, for messages.
    pub fn example(self) -> &'static str {
        match self {
            Unit::Bytes => "\"100 KB\"",
            Unit::Seconds => "\"10 ms\"",
            Unit::PerSecond => "\"1000 op/s\"",
            Unit::BytesPerSecond => "\"64 MB/s\"",
            Unit::Share => "\"95 %\"",
            Unit::Number => "12",
            Unit::Ratio => "\"1.5 x other\"",
        }
    }

    /// Returns the word for this unit in a sentence, such as "a size".
    pub fn noun(self) -> &'static str {
        match self {
            Unit::Bytes => "a size",
            Unit::Seconds => "a time",
            Unit::PerSecond => "a rate of operations",
            Unit::BytesPerSecond => "a rate of data",
            Unit::Share => "a share",
            Unit::Number => "a plain number",
            Unit::Ratio => "a ratio",
        }
    }

    /// Returns the suffix that a number without a unit was probably meant to have; empty for a plain number.
    pub fn usual(self) -> &'static str {
        match self {
            Unit::Bytes => "KB",
            Unit::Seconds => "ms",
            Unit::PerSecond => "op/s",
            Unit::BytesPerSecond => "MB/s",
            Unit::Share => "%",
            Unit::Number | Unit::Ratio => "",
        }
    }

    /// Returns every suffix of this unit that is understood.
    #[cfg(test)]
    pub fn suffixes(self) -> impl Iterator<Item = &'static str> {
        SUFFIXES.iter().filter(move |s| s.1 == self).map(|s| s.0)
    }

    fn scales(self) -> impl Iterator<Item = (&'static str, f64)> {
        let printed = match self {
            Unit::Bytes | Unit::Seconds => 5,
            Unit::PerSecond | Unit::BytesPerSecond => 4,
            Unit::Share | Unit::Number | Unit::Ratio => 1,
        };
        SUFFIXES.iter().filter(move |s| s.1 == self).take(printed).map(|s| (s.0, s.2))
    }
}

impl Quantity {
    /// Makes a value in the base unit of `unit`.
    pub fn new(value: f64, unit: Unit) -> Self {
        Quantity { value, unit }
    }

    /// Reads a text such as `"1.5 MiB"`, `"10ms"`, `"1_000 op/s"`, `"95 %"` or `"12"`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the text. For a unit in the wrong case, it says which one was meant.
    pub fn parse(text: &str) -> Result<Quantity, String> {
        let (digits, suffix) = Self::split(text);
        let text = text.trim();
        let value: f64 = digits
            .replace('_', "")
            .parse()
            .map_err(|_| format!("`{text}` does not start with a number"))?;
        let known = SUFFIXES.iter().find(|s| s.0 == suffix);
        let Some(&(_, unit, factor)) = known else {
            return Err(match suggestion(suffix) {
                Some(near) => format!("unknown unit `{suffix}`; did you mean `{near}`?"),
                None if suffix.starts_with(',') => {
                    format!("`{text}` is not a number; thousands are set off by `_`, as in `1_000`")
                }
                None => format!(
                    "unknown unit `{suffix}`; known are B KB KiB MB MiB GB GiB, ns µs ms s min, \
                     op/s, B/s KB/s MB/s GiB/s, and %"
                ),
            });
        };
        let value = value * factor;
        if value.is_finite() {
            Ok(Quantity::new(value, unit))
        } else {
            Err(format!("`{text}` is too large"))
        }
    }

    /// Splits a text into what may be the number and what follows it, both without the space around them.
    pub fn split(text: &str) -> (&str, &str) {
        let text = text.trim();
        let end = text
            .char_indices()
            .find(|&(i, c)| {
                let sign = (c == '-' || c == '+') && (i == 0 || text[..i].ends_with(['e', 'E']));
                let exponent = (c == 'e' || c == 'E')
                    && text[i + 1..].starts_with(|d: char| d.is_ascii_digit() || "+-".contains(d));
                !(c.is_ascii_digit() || c == '.' || c == '_' || sign || exponent)
            })
            .map_or(text.len(), |(i, _)| i);
        (&text[..end], text[end..].trim())
    }

    /// Prints the value at the scale that suits `row`, so that all numbers of a row have the same scale.
    pub fn at_scale_of(self, row: Quantity) -> String {
        let magnitude = row.value.abs();
        let mut scale = ("", 1.0);
        for (i, (suffix, factor)) in row.unit.scales().enumerate() {
            // Minutes are used from two minutes on, because people easily compare "90 s" with "60 s".
            let from = if suffix == "min" { factor * 2.0 } else { factor };
            if i == 0 || magnitude >= from * 0.9995 {
                scale = (suffix, factor);
            }
        }
        // No clock can tell such a short time from 0.
        let is_zero = row.unit == Unit::Seconds && self.value.abs() < SHORTEST;
        let number = digits(if is_zero { 0.0 } else { self.value / scale.1 }, row.unit);
        if scale.0.is_empty() { number } else { format!("{number} {}", scale.0) }
    }
}

/// The shortest time that is shown, in seconds: less than a thousandth of a nanosecond rounds to nothing.
const SHORTEST: f64 = 0.5e-12;

/// Returns the known suffix that was probably meant by an unknown one.
fn suggestion(suffix: &str) -> Option<&'static str> {
    let word = match suffix.to_ascii_lowercase().as_str() {
        "m" if suffix == "M" => "MB",
        "sec" | "secs" | "second" | "seconds" => "s",
        "msec" | "millis" | "milliseconds" => "ms",
        "usec" | "micros" | "microseconds" => "µs",
        "nsec" | "nanos" | "nanoseconds" => "ns",
        "m" | "mins" | "minute" | "minutes" => "min",
        "hour" | "hours" => "h",
        "byte" | "bytes" => "B",
        "k" => "KB",
        "g" => "GB",
        "op/sec" | "ops/sec" | "ops" | "/s" => "op/s",
        "percent" | "pct" => "%",
        _ => "",
    };
    let near = SUFFIXES.iter().find(|s| s.0.eq_ignore_ascii_case(suffix)).map(|s| s.0);
    near.or_else(|| (!word.is_empty()).then_some(word))
}

/// Prints three significant digits below a thousand, and whole numbers above and for counts.
fn digits(value: f64, unit: Unit) -> String {
    let magnitude = value.abs();
    let exact = (value - value.round()).abs() <= value.abs() * 1e-9;
    if unit == Unit::Ratio && (0.000_95..9.995).contains(&magnitude) {
        // Near 1 a tenth of a percent matters, and elsewhere three digits do: "0.125 x python" must not become 0.12.
        let decimals = match magnitude {
            m if m < 0.0995 => 4,
            m if m < 1.25 => 3,
            _ => 2,
        };
        let text = format!("{value:.decimals$}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    if magnitude >= f64::MAX {
        // The largest number stands for infinity, which JSON does not have.
        return if value > 0.0 { "∞" } else { "-∞" }.to_owned();
    }
    if magnitude >= 1e15 {
        return format!("{value:.2e}");
    }
    if exact && (unit == Unit::Number || magnitude < 1000.0 || unit == Unit::Bytes) {
        return format!("{value:.0}");
    }
    match magnitude {
        m if m >= 99.95 => format!("{value:.0}"),
        m if m >= 9.995 => format!("{value:.1}"),
        m if m >= 0.0095 || m == 0.0 => format!("{value:.2}"),
        // People read "0.005 %", and not "4.99e-3 %".
        m if m >= 0.000_095 => format!("{value:.*}", (1.0 - m.log10().floor()) as usize),
        _ => format!("{value:.2e}"),
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.at_scale_of(*self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, value: f64, unit: Unit, shown: &str) {
        let got = Quantity::parse(text).unwrap();
        assert!((got.value - value).abs() <= value.abs() * 1e-12, "{text}: {}", got.value);
        assert_eq!(got.unit, unit, "{text}");
        assert_eq!(got.to_string(), shown, "{text}");
    }

    #[test]
    fn quantities_that_people_write() {
        check("100 KB", 100_000.0, Unit::Bytes, "100 KB");
        check("100KiB", 102_400.0, Unit::Bytes, "102 KB");
        check("1.5 MiB", 1_572_864.0, Unit::Bytes, "1.57 MB");
        check("0 B", 0.0, Unit::Bytes, "0 B");
        check("10 ms", 0.01, Unit::Seconds, "10 ms");
        check("250us", 0.000_25, Unit::Seconds, "250 µs");
        check("2 min", 120.0, Unit::Seconds, "2 min");
        check("90 s", 90.0, Unit::Seconds, "90 s");
        check("1_000 op/s", 1000.0, Unit::PerSecond, "1 K op/s");
        check("2.5 GiB/s", 2_684_354_560.0, Unit::BytesPerSecond, "2.68 GB/s");
        check("98.4 %", 0.984, Unit::Share, "98.4 %");
        check("1_000_000", 1e6, Unit::Number, "1000000");
        check("1e3", 1000.0, Unit::Number, "1000");
        check("1e+3 B", 1000.0, Unit::Bytes, "1 KB");
        check("-3 %", -0.03, Unit::Share, "-3 %");
    }

    #[test]
    fn large_numbers_are_written_short() {
        let shown = |value| Quantity::new(value, Unit::Number).to_string();
        assert_eq!(shown(f64::MAX), "∞");
        assert_eq!([1e308, 1e15, 1e14].map(shown), ["1.00e308", "1.00e15", "100000000000000"]);
    }

    #[test]
    fn small_numbers_are_written_out() {
        let shown = |value| Quantity::new(value, Unit::Share).to_string();
        assert_eq!(
            [0.000_049_9, 0.000_005, 0.000_000_1, 0.0].map(shown),
            ["0.0050 %", "0.00050 %", "1.00e-5 %", "0 %"]
        );
    }

    #[test]
    fn times_that_are_too_short_for_a_clock_are_shown_as_zero() {
        let shown = |value| Quantity::new(value, Unit::Seconds).to_string();
        assert_eq!(
            [6.48e-315, 4e-13, 1.2e-12, 0.0].map(shown),
            ["0 ns", "0 ns", "0.0012 ns", "0 ns"]
        );
    }

    #[test]
    fn ratios_have_the_digits_that_matter() {
        let shown = |value| Quantity::new(value, Unit::Ratio).to_string();
        let values = [1.0, 1.0204, 0.9876, 1.5, 3.8673, 0.5, 0.125, 12.34, 0.0123, 0.00123, 0.0];
        let texts =
            ["1", "1.02", "0.988", "1.5", "3.87", "0.5", "0.125", "12.3", "0.0123", "0.0012", "0"];
        assert_eq!(values.map(shown), texts.map(str::to_owned));
    }

    #[track_caller]
    fn refuses(text: &str, word: &str) {
        let error = Quantity::parse(text).unwrap_err();
        assert!(error.contains(word), "{text}: {error}");
    }

    #[test]
    fn a_refusal_says_why() {
        refuses("", "number");
        refuses("ms", "number");
        refuses("10 MS", "did you mean `ms`");
        refuses("10 Kb", "did you mean `KB`");
        refuses("10 parsecs", "unknown unit");
        refuses("10 seconds", "did you mean `s`");
        refuses("5 m", "did you mean `min`");
        refuses("1,000 op/s", "`1_000`");
        refuses("1e999 ms", "too large");
        refuses("1e308 GB", "too large");
        refuses("1.2.3 ms", "number");
    }
}
