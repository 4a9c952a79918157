//! Small functions, each of which one cause makes worse.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::{Arc, LazyLock};

use regex_lite::Regex;

/// Runs each of the functions once.
pub fn all(numbers: &[u64]) -> u64 {
    let names = labels(numbers);
    loaded(numbers)
        ^ smoothed(numbers)
        ^ areas(numbers)
        ^ sorted(numbers)
        ^ handed_out(numbers)
        ^ matched(&names)
}

/// Loads a table.
#[inline(never)]
fn loaded(numbers: &[u64]) -> u64 {
    let capacity = if cfg!(feature = "capacity") { 0 } else { numbers.len() };
    let mut table = HashMap::with_capacity(capacity);
    for &number in numbers {
        table.insert(number, number);
    }
    table.len() as u64
}

/// Writes a label for each number.
#[inline(never)]
fn labels(numbers: &[u64]) -> String {
    let mut all = String::with_capacity(16 * numbers.len());
    for number in numbers {
        if cfg!(feature = "format") {
            all.push_str(&format!("n{number};"));
        } else {
            let _ = write!(all, "n{number};");
        }
    }
    all
}

/// Adds up neighbours.
#[inline(never)]
fn smoothed(numbers: &[u64]) -> u64 {
    let mut sum = 0_u64;
    for _ in 0..8 {
        if cfg!(feature = "bounds") {
            for at in 0..numbers.len() - 2 {
                let here = black_box(at);
                sum = sum.wrapping_add(numbers[here] ^ numbers[here + 1] ^ numbers[here + 2]);
            }
        } else {
            for three in numbers.windows(3) {
                sum = sum.wrapping_add(three[0] ^ three[1] ^ three[2]);
            }
        }
    }
    sum
}

/// A shape that has an area.
trait Shape {
    fn area(&self) -> u64;
}

struct Square(u64);
struct Strip(u64, u64);

impl Shape for Square {
    fn area(&self) -> u64 {
        self.0 * self.0
    }
}

impl Shape for Strip {
    fn area(&self) -> u64 {
        self.0 * self.1
    }
}

#[cfg(feature = "boxed")]
fn shape(number: u64) -> Box<dyn Shape> {
    if number.is_multiple_of(2) {
        Box::new(Square(number % 1000))
    } else {
        Box::new(Strip(number % 1000, 3))
    }
}

#[cfg(not(feature = "boxed"))]
enum Either {
    Square(Square),
    Strip(Strip),
}

#[cfg(not(feature = "boxed"))]
impl Either {
    fn area(&self) -> u64 {
        match self {
            Either::Square(square) => square.area(),
            Either::Strip(strip) => strip.area(),
        }
    }
}

#[cfg(not(feature = "boxed"))]
fn shape(number: u64) -> Either {
    if number.is_multiple_of(2) {
        Either::Square(Square(number % 1000))
    } else {
        Either::Strip(Strip(number % 1000, 3))
    }
}

/// Adds up the areas of shapes.
#[inline(never)]
fn areas(numbers: &[u64]) -> u64 {
    let shapes: Vec<_> = numbers.iter().map(|&number| shape(black_box(number))).collect();
    black_box(&shapes).iter().map(|shape| shape.area()).sum()
}

/// Sorts the numbers.
#[inline(never)]
fn sorted(numbers: &[u64]) -> u64 {
    let mut all = numbers.to_vec();
    if cfg!(feature = "costly_key") {
        all.sort_by_key(|number| number.to_string().len());
    } else {
        all.sort_by_key(|number| number.leading_zeros());
    }
    all[all.len() / 2]
}

/// Hands a value to each of many.
#[inline(never)]
fn handed_out(numbers: &[u64]) -> u64 {
    let value = Arc::new(7_u64);
    let mut sum = 0_u64;
    for &number in numbers {
        if cfg!(feature = "shared") {
            let mine = black_box(Arc::clone(&value));
            sum = sum.wrapping_add(*mine ^ number);
        } else {
            let mine = black_box(&value);
            sum = sum.wrapping_add(**mine ^ number);
        }
    }
    sum
}

static PATTERN: LazyLock<Regex> = LazyLock::new(pattern);

fn pattern() -> Regex {
    Regex::new("n([0-9]+)7;").expect("the pattern is one")
}

/// Looks for a pattern.
#[inline(never)]
fn matched(names: &str) -> u64 {
    let head = &names[..names.len().min(64)];
    if cfg!(feature = "pattern") {
        u64::from(pattern().is_match(head))
    } else {
        u64::from(PATTERN.is_match(head))
    }
}
