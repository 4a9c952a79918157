//! A split that is beyond doubt by the ranks of the values beside it, so that nothing has to be shuffled.
//!
//! In a series without a step all orders of the values are equally likely, within any window too. Then the number of pairs
//! across a split that rise (Mann & Whitney 1947) has a known moment generating function, which bounds how likely an extreme
//! number is (Chernoff 1952). Values that are equal count as half a pair. That only makes the number less extreme, as the mean
//! over all ways to order them, so the bound holds for them too. The bound is multiplied by the number of all windows, so that
//! it does not matter which split was chosen, or how.

/// The width of the narrowest window on either side of a split. Each further window is twice as wide. A narrower one could not
/// be beyond doubt even if all of its values rise across the split.
const NARROWEST: usize = 16;

/// The chance that any window of a series without a step is beyond doubt.
const CHANCE: f64 = 0.0005;

/// The longest side of a split for which the sharp bound is computed; a longer one needs no sharp bound.
const LONGEST_SHARP: usize = 64;

/// The places at which the sharp bound is tried are multiples of the best place for a normal distribution, which is never
/// above the best one. Each is so many times the one before it.
const PLACES: i32 = 16;
const RATIO: f64 = 1.3;

/// Whether the values before `at` and those from `at` on are beyond doubt of different levels, in any window around it. The
/// values are a part of a series of `length` values.
pub(super) fn are_apart(values: &[f64], at: usize, length: usize) -> bool {
    let widths = || std::iter::successors(Some(NARROWEST), |width| Some(width * 2));
    let windows = widths().take_while(|width| *width < 2 * length).count() * length;
    // A window counts twice, since its values may rise or fall.
    let most = (CHANCE / (2 * windows) as f64).ln();
    let (before, after) = values.split_at(at);
    let widest = before.len().max(after.len());
    widths().take_while(|width| *width < 2 * widest).any(|width| {
        let before = &before[before.len().saturating_sub(width)..];
        let after = &after[..width.min(after.len())];
        log_chance(before.len(), after.len(), exceptions(before, after)) <= most
    })
}

/// Returns how many of the pairs across a split are in the rarer order. Equal values are half a pair.
fn exceptions(before: &[f64], after: &[f64]) -> f64 {
    let mut sorted = after.to_vec();
    sorted.sort_by(f64::total_cmp);
    let falls = before.iter().map(|early| {
        let below = sorted.partition_point(|late| late < early);
        let equal = sorted[below..].partition_point(|late| late <= early);
        below as f64 + equal as f64 / 2.0
    });
    let falls: f64 = falls.sum();
    falls.min((before.len() * after.len()) as f64 - falls)
}

/// Returns a bound on the logarithm of the chance that at most `exceptions` of the pairs fall, where all orders of the values
/// are equally likely. There are `m` values on one side and `n` on the other.
fn log_chance(m: usize, n: usize, exceptions: f64) -> f64 {
    let (short, long) = (m.min(n), m.max(n) as f64);
    let pairs = short as f64 * long;
    let variance = pairs * (short as f64 + long + 1.0) / 12.0;
    let aside = pairs / 2.0 - exceptions;
    // The number of pairs has lighter tails than a normal distribution of the same variance.
    let normal = -aside * aside / (2.0 * variance);
    if short > LONGEST_SHARP || aside <= 0.0 {
        return normal;
    }
    // The generating function is a Gaussian binomial coefficient, divided by the number of orders.
    let bound = |t: f64| {
        let log = |count: f64| (-(-t * count).exp_m1() / count).ln();
        let terms = (1..=short).map(|i| log(long + i as f64) - log(i as f64));
        t * exceptions + terms.sum::<f64>()
    };
    let first = aside / variance;
    let places = (0..PLACES).map(|nth| first * RATIO.powi(nth));
    places.map(bound).fold(normal, f64::min)
}

#[cfg(test)]
mod tests {
    use super::super::synthetic::Noise;
    use super::*;

    /// Returns the chance that at most `exceptions` pairs fall, by counting all orders.
    fn exact_chance(m: usize, n: usize, exceptions: usize) -> f64 {
        // The number of orders with so many pairs that fall: the last value is one of the first side, above `n` others, or not.
        fn orders(m: usize, n: usize, falling: usize) -> f64 {
            if m == 0 || n == 0 {
                return if falling == 0 { 1.0 } else { 0.0 };
            }
            let of_first = falling.checked_sub(n).map_or(0.0, |rest| orders(m - 1, n, rest));
            of_first + orders(m, n - 1, falling)
        }
        let few: f64 = (0..=exceptions).map(|falling| orders(m, n, falling)).sum();
        let all: f64 = (0..=m * n).map(|falling| orders(m, n, falling)).sum();
        few / all
    }

    #[test]
    fn the_bound_is_never_below_the_chance() {
        for (m, n) in [(1, 1), (3, 8), (5, 5), (6, 6), (8, 3)] {
            for exceptions in 0..=m * n / 2 {
                let (bound, exact) =
                    (log_chance(m, n, exceptions as f64), exact_chance(m, n, exceptions).ln());
                assert!(bound >= exact - 1e-9, "{m} {n} {exceptions}: {bound} and {exact}");
                assert!(bound <= exact + 3.0, "{m} {n} {exceptions}: {bound} and {exact}");
            }
        }
    }

    /// The binomial coefficient of 32 over 16 is 601 080 390, which is the number of orders.
    #[test]
    fn the_bound_is_sharp_where_no_pair_falls() {
        assert!((log_chance(16, 16, 0.0) + 601_080_390_f64.ln()).abs() < 0.2);
    }

    #[test]
    fn levels_are_apart_in_a_window_even_if_they_come_again() {
        let noise = Noise::new(1).level(400, 1.0);
        let alternating = |i: usize| if (i / 20).is_multiple_of(2) { 0.0 } else { 10.0 };
        let values: Vec<f64> = noise.iter().enumerate().map(|(i, v)| v + alternating(i)).collect();
        assert!(are_apart(&values, 20, 2000) && are_apart(&values, 380, 2000));
        assert!(!are_apart(&values, 30, 2000));
        let falling: Vec<f64> = values.iter().map(|value| -value).collect();
        assert!(are_apart(&falling, 20, 2000));
    }

    #[test]
    fn few_values_equal_values_and_noise_are_never_apart() {
        let step = |before: usize, after: usize| [vec![1.0; before], vec![2.0; after]].concat();
        assert!(!are_apart(&step(5, 5), 5, 10));
        assert!(!are_apart(&step(3, 30), 3, 33));
        assert!(are_apart(&step(16, 16), 16, 32));
        assert!(!are_apart(&[1.0; 200], 100, 200));
        for seed in 1..=5 {
            let values = Noise::new(seed).skewed(300, 5.0);
            assert!((3..297).step_by(5).all(|at| !are_apart(&values, at, 300)), "seed {seed}");
        }
    }
}
