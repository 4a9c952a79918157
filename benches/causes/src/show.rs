//! The text of a hit.

use crate::score::Hit;

/// Writes a line for a hit.
#[inline(never)]
pub fn line(hit: &Hit, out: &mut String) {
    #[cfg(feature = "dependency")]
    let mut number = itoa::Buffer::new();
    #[cfg(not(feature = "dependency"))]
    let mut number = itoa_old::Buffer::new();
    for _ in 0..20 {
        out.push_str(number.format(std::hint::black_box(hit.score)));
        out.push(' ');
    }
    out.push('\n');
}
