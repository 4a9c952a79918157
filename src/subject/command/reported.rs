//! The values that a command reports itself: lines of its standard output, each a name, a number and a unit.

use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::quantity::{Quantity, Unit};

use crate::exec::Written;

/// How many of the last bytes of the output are kept for them.
pub(super) const KEPT: usize = 1 << 20;

/// Returns the value of the line `NAME NUMBER UNIT`, in the base unit of `unit`.
///
/// Fails if there is no line with this name, or more than one; if its unit is of another kind; or if its number cannot be
/// a measured value because it is negative, or a time of 0.
pub(super) fn read(
    program: &str,
    stdout: &Written,
    name: &str,
    unit: Unit,
) -> Result<f64, Unmeasured> {
    let text = String::from_utf8_lossy(&stdout.tail);
    let mut found = text.lines().filter_map(|line| {
        let (first, rest) = line.trim().split_once(char::is_whitespace)?;
        (first == name).then_some(rest.trim())
    });
    let refuse = |cause, why: String| {
        let text =
            format!("`{program}` {why}; it should print a line such as `{}`", example(name, unit));
        Err(Unmeasured { cause, text, output: stdout.text() })
    };
    let Some(value) = found.next() else {
        let cut = stdout.bytes > stdout.tail.len() as u64;
        let place = if cut { "the end of its standard output" } else { "its standard output" };
        return refuse(Cause::MeasuredNothing, format!("did not report `{name}` in {place}"));
    };
    if found.next().is_some() {
        return refuse(Cause::InvalidReading, format!("reported `{name}` more than once"));
    }
    match Quantity::parse(value) {
        Ok(quantity) if quantity.unit != unit => {
            let why = format!("reported `{name}` as `{value}`, which is not {}", unit.noun());
            refuse(Cause::InvalidReading, why)
        }
        Ok(quantity) if quantity.value < 0.0 => refuse(
            Cause::InvalidReading,
            format!("reported `{name}` as `{value}`, which is negative"),
        ),
        Ok(quantity) if quantity.value == 0.0 && unit == Unit::Seconds => refuse(
            Cause::InvalidReading,
            format!("reported `{name}` as `{value}`, which is not a time"),
        ),
        Ok(quantity) => Ok(quantity.value),
        Err(why) => refuse(Cause::InvalidReading, format!("reported `{name}` as `{value}`: {why}")),
    }
}

fn example(name: &str, unit: Unit) -> String {
    format!("{name} {}", unit.example().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_from(text: &str, name: &str, unit: Unit) -> Result<f64, Unmeasured> {
        let bytes = text.len() as u64;
        read("page", &Written { tail: text.into(), bytes }, name, unit)
    }

    #[track_caller]
    fn refused(text: &str, unit: Unit, cause: Cause, words: &str) {
        let reason = read_from(text, "startup", unit).expect_err("it must be refused");
        assert!(reason.cause == cause && reason.text.contains(words), "{reason:?}");
    }

    #[test]
    fn a_line_is_a_name_a_number_and_a_unit() {
        let text = "startups 1 s\n  startup   125 ms\r\ntransferred 2 KiB\nthe startup 3 s\n";
        assert_eq!(read_from(text, "startup", Unit::Seconds).ok(), Some(0.125));
        assert_eq!(read_from(text, "transferred", Unit::Bytes).ok(), Some(2048.0));
        assert_eq!(read_from("wasm_memory 0 B", "wasm_memory", Unit::Bytes).ok(), Some(0.0));
    }

    #[test]
    fn what_is_no_value_is_refused() {
        refused("", Unit::Seconds, Cause::MeasuredNothing, "`startup 10 ms`");
        refused("startup\nSTARTUP 1 s", Unit::Seconds, Cause::MeasuredNothing, "did not report");
        refused("startup 1 s\nstartup 2 s", Unit::Seconds, Cause::InvalidReading, "more than once");
        refused("startup 12", Unit::Seconds, Cause::InvalidReading, "which is not a time");
        refused("startup 12 KB", Unit::Seconds, Cause::InvalidReading, "which is not a time");
        refused("startup 0 ms", Unit::Seconds, Cause::InvalidReading, "not a time");
        refused("startup -1 B", Unit::Bytes, Cause::InvalidReading, "negative");
        refused(
            "startup soon",
            Unit::Seconds,
            Cause::InvalidReading,
            "does not start with a number",
        );
        refused("startup nan s", Unit::Seconds, Cause::InvalidReading, "does not start");
        refused("startup 1e999 s", Unit::Seconds, Cause::InvalidReading, "too large");
    }
}
