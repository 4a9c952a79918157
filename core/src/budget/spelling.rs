//! The search for the word that a misspelt one was meant to be.

/// Returns the candidate nearest to `word`, if it is near enough to be meant. If several are equally near, the first by
/// name.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    nearest_of(word, &mut candidates.into_iter())
}

fn nearest_of<'c>(word: &str, candidates: &mut dyn Iterator<Item = &'c str>) -> Option<&'c str> {
    let most = match word.chars().count() {
        0..=1 => return None,
        2..=5 => 1,
        6..=11 => 2,
        _ => 3,
    };
    let near = |c: &'c str| Some((distance(word, c, most)?, c));
    candidates.filter_map(near).min().map(|(_, c)| c)
}

/// Returns the number of insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b` (optimal
/// string alignment). Case is ignored. `None` if there are more than `most`.
fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    if a.chars().count().abs_diff(b.chars().count()) > most {
        return None;
    }
    let lower = |s: &str| s.chars().map(|c| c.to_ascii_lowercase()).collect::<Vec<_>>();
    let (a, b) = (lower(a), lower(b));
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let replaced = last[j] + usize::from(a[i] != b[j]);
            let mut cost = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().filter(|&d| d <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, want: Option<&str>) {
        assert_eq!(nearest(word, ["p95", "p99", "throughput", "rss", "peak_rss"]), want, "{word}");
    }

    #[test]
    fn a_misspelt_word_is_close_to_the_one_that_is_meant() {
        check("p98", Some("p95"));
        check("P99", Some("p99"));
        check("thruoghput", Some("throughput"));
        check("troughputt", Some("throughput"));
        check("peek_rss", Some("peak_rss"));
        check("accuracy", None);
        check("r", None);
        check("", None);
    }
}
