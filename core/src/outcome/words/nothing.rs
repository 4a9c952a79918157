//! The sentence about an operation that takes less time than any work.

use crate::budget::{Bound, Limit};
use crate::metric::SampleKind;
use crate::outcome::Outcome;
use crate::quantity::Unit;

/// The time below which an operation has done nothing: no processor adds two numbers in less.
const NOTHING: f64 = 0.2e-9;

/// Says that an operation takes less time than can be told, if that is so. Such a value holds every limit, and often
/// the compiler has removed the work.
pub fn did_nothing(outcome: &Outcome, limit: &Limit) -> Option<String> {
    let of_operations = matches!(limit.metric.sample(), SampleKind::Operation | SampleKind::Batch);
    let is_time = limit.number().1 == Unit::Seconds && limit.bound == Bound::Max;
    let value = outcome.estimate?.value;
    (of_operations && is_time && value < NOTHING).then(|| {
        "an operation takes less time than the clock can tell: the compiler may have removed its work, or turned it into \
         a formula; pass what goes in through `std::hint::black_box` and return what comes out"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::outcome::Estimate;

    #[test]
    fn only_the_time_of_an_operation_can_be_too_short() {
        let check = |metric: &str, value: f64, want: bool| {
            let text = format!("[budget.b]\nworkload = \"w\"\n{metric}\n");
            let file = crate::budget::parse(&text, Path::new("budgets.toml")).unwrap();
            let estimate = Some(Estimate { value, low: None, high: None });
            let outcome = Outcome { estimate, ..Outcome::default() };
            let limit = &file.budgets[0].limits[0];
            assert_eq!(did_nothing(&outcome, limit).is_some(), want, "{metric}: {value}");
        };
        check("max.p50 = \"1 ms\"", 0.0, true);
        check("max.mean = \"1 ms\"", 1e-10, true);
        check("max.mean = \"1 ms\"", 3e-10, false);
        check("max.mean = \"1.1 x base\"", 0.0, false);
        check("max.cpu = \"1 ms\"", 0.0, false);
        check("max.allocs = 3", 0.0, false);
    }
}
