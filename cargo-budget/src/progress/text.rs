//! The text of the line: what is done, of how much, and how long it will take, in the columns that there are.

use std::time::Duration;

/// One after the other, they turn.
const TURNING: [char; 4] = ['|', '/', '-', '\\'];
/// Columns of a bar; half of them where that is all that fits.
const BAR: usize = 20;
/// Before that, what is left would be a guess.
const SETTLED: Duration = Duration::from_secs(1);

/// What the line tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) doing: &'a str,
    /// How many are done, of how many, and what they are; `None` where nothing is counted.
    pub(super) of: Option<(u64, u64, &'a str)>,
    /// Since it began.
    pub(super) passed: Duration,
    /// How often the line was drawn before.
    pub(super) turn: usize,
}

impl Line<'_> {
    /// The text, in at most so many columns: the longest form that fits.
    pub(super) fn text(self, columns: usize) -> String {
        let Line { doing, of, passed, turn } = self;
        let forms = match of {
            None => {
                let sign = TURNING[turn % TURNING.len()];
                vec![format!("{sign} {doing}  {}", time(passed)), format!("{sign} {doing}")]
            }
            Some((done, all, things)) => {
                let done = done.min(all);
                let head = format!("{doing} {} of {} {things}", number(done), number(all));
                let share = format!("{:>3} %", done * 100 / all.max(1));
                let left = left(done, all, passed)
                    .map_or(String::new(), |left| format!("  {} left", time(left)));
                let barred = |wide| format!("{head}  [{}]  {share}{left}", bar(done, all, wide));
                vec![barred(BAR), barred(BAR / 2), format!("{head}  {share}{left}"), head]
            }
        };
        let last = forms.last().cloned().unwrap_or_default();
        let fits = |form: &String| form.chars().count() <= columns;
        forms.into_iter().find(fits).unwrap_or_else(|| last.chars().take(columns).collect())
    }
}

/// `[====>   ]` without its ends: full where all is done, and not before.
fn bar(done: u64, all: u64, wide: usize) -> String {
    let all = all.max(1);
    let full = usize::try_from(done * wide as u64 / all).unwrap_or(wide).min(wide);
    let head = if full < wide { ">" } else { "" };
    format!("{:<wide$}", "=".repeat(full) + head)
}

/// How long the rest takes at the rate so far; `None` as long as there is none.
fn left(done: u64, all: u64, passed: Duration) -> Option<Duration> {
    let known = done > 0 && passed >= SETTLED;
    let rest = passed.as_secs_f64() * (all - done) as f64 / done as f64;
    known.then(|| Duration::try_from_secs_f64(rest.ceil()).unwrap_or(Duration::MAX))
}

/// Seconds, then minutes, then hours: `59 s`, `2 min`, `3 h 5 min`; begun ones are left out.
fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 60 {
        0 => format!("{seconds} s"),
        minutes @ 1..60 => format!("{minutes} min {} s", seconds % 60),
        minutes => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

/// Digits in threes, from five on: `9999`, `12 400`.
fn number(number: u64) -> String {
    let digits = number.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut shown = String::new();
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            shown.push(' ');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(of: Option<(u64, u64, &str)>, seconds: f64, columns: usize, text: &str) {
        let doing = if of.is_some() { "importing" } else { "looking for changes" };
        let line = Line { doing, of, passed: Duration::from_secs_f64(seconds), turn: 5 };
        assert_eq!(line.text(columns), text);
    }

    #[test]
    fn it_says_how_much_is_done_and_what_is_left() {
        let some = |done, all| Some((done, all, "outcomes"));
        let full = "importing 12 400 of 100 000 outcomes  [==>                 ]   12 %  22 s left";
        check(some(12_400, 100_000), 3.0, 78, full);
        let full = "importing 0 of 3 outcomes  [>                   ]    0 %";
        check(some(0, 3), 9.0, 80, full);
        let full = "importing 1 of 3 outcomes  [======>             ]   33 %";
        check(some(1, 3), 0.9, 80, full);
        let full = "importing 3 of 3 outcomes  [====================]  100 %  0 s left";
        check(some(3, 3), 60.0, 80, full);
        // More than was said to come is no more than all.
        check(some(4, 3), 60.0, 80, full);
        let full = "importing 1 of 9999 outcomes  [>                   ]    0 %  2 h 46 min left";
        check(some(1, 9999), 1.0, 90, full);
    }

    #[test]
    fn it_has_the_columns_that_there_are() {
        let some = Some((12_400, 100_000, "outcomes"));
        let half = "importing 12 400 of 100 000 outcomes  [=>        ]   12 %  22 s left";
        check(some, 3.0, 77, half);
        check(some, 3.0, 60, "importing 12 400 of 100 000 outcomes   12 %  22 s left");
        check(some, 3.0, 40, "importing 12 400 of 100 000 outcomes");
        check(some, 3.0, 12, "importing 12");
        check(some, 3.0, 0, "");
        check(None, 3.0, 20, "/ looking for change");
    }

    #[test]
    fn what_is_not_counted_turns() {
        check(None, 2.9, 80, "/ looking for changes  2 s");
        check(None, 125.0, 80, "/ looking for changes  2 min 5 s");
    }
}
