//! A shard: one part of the tests, where several machines share them.

use perf_budget_core::error::Error;
use perf_budget_core::suite::Test;

/// The variable that says which part this run measures, as in `2/4`.
const VARIABLE: &str = "PERF_BUDGET_SHARD";

/// One part of the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    /// The number of this part, from 1.
    part: usize,
    /// The number of parts.
    of: usize,
}

impl Shard {
    /// Returns the part that the environment names, or the whole if it names none.
    ///
    /// # Errors
    /// If the variable's value does not have the form `PART/OF`.
    pub(crate) fn of_environment() -> Result<Shard, Error> {
        match std::env::var(VARIABLE) {
            Err(_) => Ok(Shard { part: 1, of: 1 }),
            Ok(text) => Shard::parse(&text).ok_or_else(|| {
                Error::other(format!(
                    "{VARIABLE} is `{text}`, which is not a part: write `2/4` for the second of four"
                ))
            }),
        }
    }

    fn parse(text: &str) -> Option<Shard> {
        let (part, of) = text.split_once('/')?;
        let (part, of) = (part.trim().parse().ok()?, of.trim().parse().ok()?);
        (1..=of).contains(&part).then_some(Shard { part, of })
    }

    /// Whether a test is in this part. Tests that share a measurement are in the same part, and all parts have about
    /// the same number of measurements.
    pub(crate) fn has(self, test: &Test) -> bool {
        test.group % self.of == self.part - 1
    }

    /// Whether this part has the tests that are not in the file: those of workloads without a budget.
    pub(crate) fn has_rest(self) -> bool {
        self.part == 1
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use perf_budget_core::budget;
    use perf_budget_core::suite::Suite;

    use super::*;

    #[track_caller]
    fn check(text: &str, shard: Option<(usize, usize)>) {
        assert_eq!(Shard::parse(text).map(|shard| (shard.part, shard.of)), shard, "{text}");
    }

    #[test]
    fn a_shard_is_read_as_part_and_number_of_parts() {
        check("1/1", Some((1, 1)));
        check("2/4", Some((2, 4)));
        check(" 4 / 4 ", Some((4, 4)));
        for wrong in ["", "2", "0/4", "5/4", "1/0", "-1/4", "a/b", "1/2/3"] {
            check(wrong, None);
        }
    }
    #[test]
    fn each_of_many_benchmarks_is_in_one_part_and_all_parts_have_as_many() {
        let cases = (0..1700).map(|nth| format!("[budget.b{nth}]\ncriterion = \"bench {nth}\"\nmax = {{ mean = [\"1 s\", \"1.05 x base\"] }}\n"));
        let text: String = cases.collect();
        let budgets = budget::parse(&text, Path::new("budgets.toml")).unwrap();
        let suite = Suite::of(&budgets, true);
        let part = |part| Shard { part, of: 4 };
        let mut counts = [0; 4];
        for test in &suite.tests {
            let parts: Vec<usize> = (1..=4).filter(|&nth| part(nth).has(test)).collect();
            let [only] = parts[..] else { panic!("{}: {parts:?}", test.name) };
            counts[only - 1] += 1;
        }
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(
            most - least <= 2 && counts.iter().sum::<usize>() == suite.tests.len(),
            "{counts:?}"
        );
    }
}
