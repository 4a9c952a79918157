//! The search itself: which commit is judged next, and what follows from the answers. It knows no git and measures nothing.

/// The answer about one commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The limit holds.
    Green,
    /// The limit is broken.
    Red,
    /// There is no answer, since the commit does not build, for instance.
    Unknown,
}

/// The result of a search so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SearchResult {
    /// The last commit is not red, so there is nothing to find.
    Holds,
    /// There is no answer for the last commit.
    Unknown,
    /// This commit is red, and the one before it is green.
    One(usize),
    /// The first red commit is one of these, from the first to the last. The last is red, and for the others there is no
    /// answer.
    Range(usize, usize),
}

/// A search in a series of commits, the oldest first. The commit before the first one is green.
#[derive(Debug, Clone)]
pub(super) struct Search {
    answers: Vec<Option<Answer>>,
    /// The first commit that is not known to be green.
    from: usize,
    /// The first commit that is known to be red.
    red: Option<usize>,
}

impl Search {
    /// Begins the search in this number of commits, at least one.
    pub(super) fn new(commits: usize) -> Search {
        Search { answers: vec![None; commits], from: 0, red: None }
    }

    /// Returns the commit to judge next: first the last one, and then the one nearest to the middle of the open ones. Returns
    /// `None` when the search is over.
    pub(super) fn next(&self) -> Option<usize> {
        let Some(red) = self.red else {
            let last = self.answers.len() - 1;
            return self.answers[last].is_none().then_some(last);
        };
        let open = (self.from..red).filter(|&at| self.answers[at].is_none());
        // If there are two in the middle, this takes the older one, which leaves as many commits on either side.
        open.min_by_key(|at| (2 * at + 1).abs_diff(self.from + red))
    }

    /// Records the answer for a commit.
    pub(super) fn answer(&mut self, at: usize, answer: Answer) {
        self.answers[at] = Some(answer);
        match answer {
            Answer::Red => self.red = Some(at),
            Answer::Green if self.red.is_some() => self.from = at + 1,
            Answer::Green | Answer::Unknown => {}
        }
    }

    /// Returns what was found, once [`Search::next`] returns no commit.
    pub(super) fn result(&self) -> SearchResult {
        match (self.red, self.answers.last()) {
            (None, Some(Some(Answer::Green))) => SearchResult::Holds,
            (None, _) => SearchResult::Unknown,
            (Some(red), _) if red == self.from => SearchResult::One(red),
            (Some(red), _) => SearchResult::Range(self.from, red),
        }
    }

    /// Returns the most comparisons that a search in this number of commits takes, where each is settled.
    pub(super) fn max_comparisons(commits: usize) -> u32 {
        1 + commits.next_power_of_two().trailing_zeros()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a search, and returns what it found and how many of the answers were not unknown.
    fn run(commits: usize, answer: impl Fn(usize) -> Answer) -> (SearchResult, u32) {
        let mut search = Search::new(commits);
        let mut settled = 0;
        while let Some(at) = search.next() {
            settled += u32::from(answer(at) != Answer::Unknown);
            search.answer(at, answer(at));
        }
        (search.result(), settled)
    }

    #[test]
    fn the_first_red_is_found_in_as_few_steps_as_there_are_bits() {
        for commits in 1..70 {
            for first in 0..commits {
                let red = |at| if at >= first { Answer::Red } else { Answer::Green };
                let (found, steps) = run(commits, red);
                assert_eq!(found, SearchResult::One(first), "{commits}");
                assert!(steps <= Search::max_comparisons(commits), "{commits}: {steps}");
            }
        }
        assert_eq!(run(9, |_| Answer::Green), (SearchResult::Holds, 1));
        assert_eq!(run(9, |_| Answer::Unknown).0, SearchResult::Unknown);
        assert_eq!([1, 2, 3, 40].map(Search::max_comparisons), [1, 2, 3, 7]);
    }

    #[test]
    fn a_commit_without_an_answer_is_passed_over_and_may_widen_the_result() {
        let some = |unknown: &'static [usize], first: usize| {
            move |at| match at {
                at if unknown.contains(&at) => Answer::Unknown,
                at if at >= first => Answer::Red,
                _ => Answer::Green,
            }
        };
        assert_eq!(run(9, some(&[3, 4], 6)).0, SearchResult::One(6));
        assert_eq!(run(9, some(&[5], 6)).0, SearchResult::Range(5, 6));
        assert_eq!(run(9, some(&[0, 1, 2, 3, 4, 5, 6, 7], 8)).0, SearchResult::Range(0, 8));
    }

    #[test]
    fn a_history_that_goes_back_and_forth_gives_a_commit_that_is_red_after_a_green_one() {
        let reds = [2, 3, 7, 8];
        let (found, _) = run(9, |at| if reds.contains(&at) { Answer::Red } else { Answer::Green });
        let SearchResult::One(at) = found else { panic!("{found:?}") };
        assert!(reds.contains(&at) && !reds.contains(&(at - 1)));
    }
}
