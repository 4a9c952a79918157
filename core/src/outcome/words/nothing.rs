//! The sentence about an operation that takes less time than any work.

use crate::budget::{Bound, Limit};
use crate::metric::SampleKind;
use crate::quantity::Unit;

/// The time below which an operation of a batch has done nothing: about one step of a processor. The loop around the
/// operation takes that long already.
const NOTHING: f64 = 0.5e-9;

/// The same time if each operation is timed alone: clocks count whole nanoseconds, and their own cost is subtracted.
const NOTHING_ALONE: f64 = 2.5e-9;

/// Says that an operation takes less time than can be measured, if that is so. Such a value is within every limit, and
/// often the compiler has removed the work. `work` is the number of operations or bytes that a rate counts for one
/// operation.
pub fn did_nothing(value: f64, limit: &Limit, work: f64) -> Option<String> {
    let unit = limit.number().1;
    let is_absolute = match limit.bound {
        Bound::Max => unit == Unit::Seconds,
        Bound::Min => [Unit::PerSecond, Unit::BytesPerSecond].contains(&unit),
    };
    let is_nothing = match limit.metric.sample() {
        SampleKind::Operation => value < NOTHING_ALONE,
        SampleKind::Batch => value < NOTHING,
        SampleKind::Rate => work / value < NOTHING,
        SampleKind::File
        | SampleKind::Process
        | SampleKind::Failure
        | SampleKind::Run
        | SampleKind::Record
        | SampleKind::Sweep => false,
    };
    (is_absolute && is_nothing).then(|| {
        "an operation takes less time than the clock can tell: the compiler may have removed its work, or turned it into \
         a formula; pass what goes in through `std::hint::black_box` and return what comes out"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn only_the_time_of_an_operation_can_be_too_short() {
        let check = |metric: &str, value: f64, want: bool| {
            let text = format!("[budget.b]\nworkload = \"w\"\n{metric}\n");
            let file = crate::budget::parse(&text, Path::new("budgets.toml")).unwrap();
            let limit = &file.budgets[0].limits[0];
            assert_eq!(did_nothing(value, limit, 2.0).is_some(), want, "{metric}: {value}");
        };
        check("max.p50 = \"1 ms\"", 0.0, true);
        check("max.p50 = \"1 ms\"", 2e-9, true);
        check("max.p50 = \"1 ms\"", 3e-9, false);
        check("max.mean = \"1 ms\"", 3e-10, true);
        check("max.mean = \"1 ms\"", 6e-10, false);
        check("min.throughput = \"1 op/s\"", 6e9, true);
        check("min.throughput = \"1 op/s\"", 3e9, false);
        check("max.mean = \"1.1 x base\"", 0.0, false);
        check("max.cpu = \"1 ms\"", 0.0, false);
        check("max.allocs = 3", 0.0, false);
    }
}
