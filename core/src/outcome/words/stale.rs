//! The notes that what was measured may be older than its sources.

/// The words by which each of these notes is recognized.
const WORDS: [&str; 2] =
    ["may have been built from older sources", "later than now, so it cannot be told"];

/// Says that a file was built before a source was changed.
pub fn older_than_source(built: &str, source: &str) -> String {
    format!(
        "`{built}` is older than `{source}`, and {}; say how it is built with `build`, or name it as `{{bin:NAME}}` or `{{wasm:NAME}}`",
        WORDS[0]
    )
}

/// Says that it is not known whether a file is older than its sources.
pub fn built_later_than_now(built: &str) -> String {
    format!(
        "`{built}` was built at a time that is {} whether its sources are newer; build it again",
        WORDS[1]
    )
}

/// Whether a note says that what was measured may be older than its sources. A pass shows such a note too, since the value
/// may be that of other code.
pub fn is_on_age(note: &str) -> bool {
    WORDS.iter().any(|words| note.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_on_age_is_known() {
        assert!(is_on_age(&older_than_source("app.wasm", "src/lib.rs")));
        assert!(is_on_age(&built_later_than_now("app.wasm")));
        assert!(!is_on_age("made by `make`"));
    }
}
