//! The words of a text.

/// Writes a word in lower case.
#[inline(never)]
pub fn normalise(word: &str, out: &mut String) {
    out.clear();
    #[cfg(feature = "allocation")]
    let copy = std::hint::black_box(word.to_owned());
    #[cfg(feature = "allocation")]
    let word = copy.as_str();
    for c in word.chars() {
        out.push(fold(c));
    }
}

#[cfg_attr(feature = "lost_inline", inline(never))]
#[cfg_attr(not(feature = "lost_inline"), inline(always))]
fn fold(c: char) -> char {
    if c.is_ascii_uppercase() { c.to_ascii_lowercase() } else { c }
}
