//! The text of the progress line: what is being done, how much of it is done, and how long the rest takes. It fits
//! the width of the terminal.

use std::time::Duration;

/// The characters that appear one after the other, like a turning wheel.
const WHEEL: [char; 4] = ['|', '/', '-', '\\'];
/// The width of the bar in columns; half of it is used where more does not fit.
const BAR: usize = 20;
/// The time before which an estimate of the rest would be a guess.
const SETTLED: Duration = Duration::from_secs(1);

/// The content of the line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) doing: &'a str,
    /// How many things are done, how many there are, and what they are; `None` where nothing is counted.
    pub(super) count: Option<(u64, u64, &'a str)>,
    /// The time since the work began.
    pub(super) passed: Duration,
    /// The number of times that the line was drawn before.
    pub(super) drawn: usize,
}

impl Line<'_> {
    /// Returns the text in its longest form that fits into this number of columns.
    pub(super) fn text(self, columns: usize) -> String {
        let Line { doing, count, passed, drawn } = self;
        let forms = match count {
            None => {
                let sign = WHEEL[drawn % WHEEL.len()];
                vec![format!("{sign} {doing}  {}", time(passed)), format!("{sign} {doing}")]
            }
            Some((done, all, things)) => {
                let done = done.min(all);
                let head = format!("{doing} {} of {} {things}", number(done), number(all));
                let share = format!("{:>3} %", done * 100 / all.max(1));
                let left = remaining_time(done, all, passed)
                    .map_or(String::new(), |left| format!("  {} left", time(left)));
                let with_bar =
                    |width| format!("{head}  [{}]  {share}{left}", bar(done, all, width));
                vec![with_bar(BAR), with_bar(BAR / 2), format!("{head}  {share}{left}"), head]
            }
        };
        let last = forms.last().cloned().unwrap_or_default();
        let fits = |form: &String| form.chars().count() <= columns;
        forms.into_iter().find(fits).unwrap_or_else(|| last.chars().take(columns).collect())
    }
}

/// Returns the bar, such as `====>   `. It is full only when everything is done.
fn bar(done: u64, all: u64, width: usize) -> String {
    let all = all.max(1);
    let full = usize::try_from(done * width as u64 / all).unwrap_or(width).min(width);
    let head = if full < width { ">" } else { "" };
    format!("{:<width$}", "=".repeat(full) + head)
}

/// Returns how long the rest takes at the present rate; `None` where there is no rate yet.
fn remaining_time(done: u64, all: u64, passed: Duration) -> Option<Duration> {
    let known = done > 0 && passed >= SETTLED;
    let rest = passed.as_secs_f64() * (all - done) as f64 / done as f64;
    known.then(|| Duration::try_from_secs_f64(rest.ceil()).unwrap_or(Duration::MAX))
}

/// Returns a time in its largest units, such as `59 s`, `2 min 5 s` or `3 h 5 min`, rounded down.
fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 60 {
        0 => format!("{seconds} s"),
        minutes @ 1..60 => format!("{minutes} min {} s", seconds % 60),
        minutes => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

/// Returns a number with its digits grouped in threes if it has five or more, such as `9999` or `12 400`.
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
    fn check(count: Option<(u64, u64, &str)>, seconds: f64, columns: usize, text: &str) {
        let doing = if count.is_some() { "importing" } else { "looking for changes" };
        let line = Line { doing, count, passed: Duration::from_secs_f64(seconds), drawn: 5 };
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
        // More steps than were announced count as all of them.
        check(some(4, 3), 60.0, 80, full);
        let full = "importing 1 of 9999 outcomes  [>                   ]    0 %  2 h 46 min left";
        check(some(1, 9999), 1.0, 90, full);
    }

    #[test]
    fn it_fits_the_width_of_the_terminal() {
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
    fn uncounted_work_has_a_turning_sign() {
        check(None, 2.9, 80, "/ looking for changes  2 s");
        check(None, 125.0, 80, "/ looking for changes  2 min 5 s");
    }
}
