//! The place of a limit's label in a chart: beside its line, where no value is drawn.

/// The greatest width of a label, in percent of the chart's width.
const WIDTH: f64 = 24.0;
/// Where the labels of the vertical axis end, in percent.
const TICKS: f64 = 12.0;
/// The distance between two places that are tried, in percent.
const STEP: f64 = 4.0;
/// The height of a label, and its distance from the line.
const HEIGHT: f64 = 12.0;
const GAP: f64 = 4.0;

/// Returns the right end and the base of the label for a line at this height. The label is put above or below the line, as
/// far to the right as possible without covering anything that is `drawn`. If there is no such place, it is put above the
/// right end of the line. Horizontal places are in percent, heights in pixels from the top, and `floor` is the height of
/// the horizontal axis.
pub(super) fn place(height: f64, floor: f64, drawn: &[[(f64, f64); 2]]) -> (f64, f64) {
    let above = height - GAP;
    let below = height + GAP + HEIGHT;
    let steps = ((100.0 - TICKS - WIDTH) / STEP) as u32;
    let ends = (0..=steps).map(|step| 100.0 - f64::from(step) * STEP);
    let places = ends.flat_map(|end| [(end, above), (end, below)]);
    let is_free = |(end, base): &(f64, f64)| {
        *base < floor && !drawn.iter().any(|line| meets(*line, *end, *base))
    };
    places.into_iter().find(is_free).unwrap_or((100.0, above))
}

/// Whether a straight line crosses the label at this place.
fn meets([from, to]: [(f64, f64); 2], end: f64, base: f64) -> bool {
    // How much of the line lies within each direction's bounds, as shares of its length.
    let within = |from: f64, to: f64, low: f64, high: f64| {
        let length = to - from;
        if length.abs() < f64::EPSILON {
            return if (low..=high).contains(&from) { (0.0, 1.0) } else { (1.0, 0.0) };
        }
        let (a, b) = ((low - from) / length, (high - from) / length);
        (a.min(b).max(0.0), a.max(b).min(1.0))
    };
    let across = within(from.0, to.0, end - WIDTH, end);
    let down = within(from.1, to.1, base - HEIGHT, base + 2.0);
    across.0.max(down.0) <= across.1.min(down.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_covers_nothing_that_is_drawn() {
        assert_eq!(place(90.0, 138.0, &[]), (100.0, 86.0));
        // The last value is at the limit: the label is left of the line that leads down to it, or below it.
        let down = [(70.0, 30.0), (95.0, 93.0)];
        let interval = [(95.0, 80.0), (95.0, 104.0)];
        let (end, base) = place(90.0, 138.0, &[down, interval]);
        assert!(end < 95.0, "{end} {base}");
        assert!(!meets(down, end, base) && !meets(interval, end, base));
        // A line is drawn everywhere above, so the label is put below, unless the axis is there.
        let over = [(0.0, 84.0), (100.0, 84.0)];
        assert_eq!(place(90.0, 138.0, &[over]), (100.0, 106.0));
        assert_eq!(place(90.0, 100.0, &[over]), (100.0, 86.0));
    }

    #[test]
    fn a_line_meets_a_label_that_it_crosses() {
        let meets = |from, to| meets([from, to], 100.0, 86.0);
        assert!(meets((80.0, 0.0), (90.0, 138.0)));
        assert!(meets((0.0, 80.0), (100.0, 80.0)));
        assert!(meets((90.0, 60.0), (90.0, 100.0)) && !meets((70.0, 60.0), (70.0, 100.0)));
        assert!(!meets((0.0, 95.0), (100.0, 95.0)));
    }
}
