//! The counters of Divan, and what each of them counts for a throughput.

use std::fmt::Debug;

use perf_budget::internals::served::Work;

/// Returns what a counter counts, for a throughput. Divan shows it only by `Debug`, as in `BytesCount { count: 7 }`. `None` if
/// the text has another form.
pub fn work(counter: &impl Debug) -> Option<Work> {
    let text = format!("{counter:?}");
    let (kind, rest) = text.split_once(" { count: ")?;
    let count: f64 = rest.strip_suffix(" }")?.parse().ok()?;
    match kind {
        "BytesCount" => Some(Work::Bytes(count)),
        "ItemsCount" | "CharsCount" | "CyclesCount" => Some(Work::Operations(count)),
        _ => None,
    }
}

/// Returns the work that is the throughput of a benchmark with several counters: the bytes if there are any, and
/// otherwise the first counter.
pub(crate) fn first_bytes(one: Work, other: Work) -> Work {
    if matches!(other, Work::Bytes(_)) && !matches!(one, Work::Bytes(_)) { other } else { one }
}

#[cfg(test)]
mod tests {
    use divan::counter::{BytesCount, CharsCount, ItemsCount};

    use super::*;

    #[test]
    fn a_counter_of_divan_is_read() {
        assert_eq!(work(&BytesCount::new(1024_u32)), Some(Work::Bytes(1024.0)));
        assert_eq!(work(&ItemsCount::new(3_u8)), Some(Work::Operations(3.0)));
        assert_eq!(work(&CharsCount::of_str("äb")), Some(Work::Operations(2.0)));
        assert_eq!(work(&"something else"), None);
    }
}
