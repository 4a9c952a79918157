//! The words for a number of things.

/// Returns a number with its noun: `1 process`, `2 processes`.
pub(super) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Returns a number of things with the noun for many of them, as `operations` or `batches of 7 operations`.
pub(super) fn of_these(n: usize, many: &str) -> String {
    let (noun, rest) = many.split_at(many.find(' ').unwrap_or(many.len()));
    let one = match noun.strip_suffix("ches") {
        Some(_) => noun.trim_end_matches("es"),
        None => noun.trim_end_matches('s'),
    };
    count(n, &format!("{one}{rest}"), many)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_thing_has_its_noun_in_the_singular() {
        let shown = |many| [of_these(1, many), of_these(2, many)];
        assert_eq!(shown("operations"), ["1 operation", "2 operations"]);
        let batches = "batches of 7 operations";
        assert_eq!(shown(batches), ["1 batch of 7 operations", "2 batches of 7 operations"]);
        assert_eq!(shown("pairs of processes"), ["1 pair of processes", "2 pairs of processes"]);
    }
}
