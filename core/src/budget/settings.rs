//! `[settings]`.

use toml::de::DeTable;

use super::collect::Reading;
use super::problem::Problem;
use super::read::{self, Entry};
use super::{Inconclusive, Settings, key};

/// The words for [`Inconclusive`], each with what it means.
pub(super) const INCONCLUSIVE: &[(&str, &str, Inconclusive)] = &[
    ("warn", "a warning, and the test is ok", Inconclusive::Warn),
    ("fail", "red", Inconclusive::Fail),
];

/// The greatest `alpha`: beyond it a verdict would be worse than a coin.
pub(super) const MOST_ALPHA: f64 = 0.5;

/// The most `layouts`: beyond it linking takes longer than it tells.
pub(super) const MOST_LAYOUTS: u32 = 64;

/// Reads the table; what is wrong keeps its default.
pub(super) fn read(entry: &Entry<'_>, reading: &mut Reading<'_>) -> Settings {
    let mut settings = Settings::default();
    let Some(table) = entry.table(reading, "[settings]") else { return settings };
    read::check_keys_but(table, "[settings]", key::SETTINGS, &["unsure"], reading);
    if let Some(time) = read::entry(table, "effort").and_then(|e| e.duration(reading)) {
        settings.effort = time;
    }
    if let Some(time) = read::entry(table, "timeout").and_then(|e| e.duration(reading)) {
        settings.timeout = time;
    }
    if let Some(share) = read::entry(table, "alpha").and_then(|e| e.share(reading, MOST_ALPHA)) {
        settings.alpha = share;
    }
    if let Some(share) = read::entry(table, "warn_at").and_then(|e| e.share(reading, 1.0)) {
        settings.warn_at = share;
    }
    if let Some(word) = inconclusive(table, reading) {
        settings.inconclusive = word;
    }
    if let Some(share) = read::entry(table, "base").and_then(|e| e.share(reading, 1.0)) {
        settings.base = Some(share);
    }
    if let Some(count) = read::entry(table, "layouts").and_then(|e| e.count(reading, MOST_LAYOUTS))
    {
        settings.layouts = count;
    }
    settings
}

/// The choices of `unsure`, as `inconclusive` was called: "blind" made red what could have seen nothing.
const UNSURE: &[(&str, &str, Inconclusive)] = &[
    ("blind", "", Inconclusive::Warn),
    ("warn", "", Inconclusive::Warn),
    ("fail", "", Inconclusive::Fail),
];

/// `inconclusive`, or `unsure`, which is read with a note.
fn inconclusive(table: &DeTable<'_>, reading: &mut Reading<'_>) -> Option<Inconclusive> {
    let new = read::entry(table, "inconclusive");
    let old = read::entry(table, "unsure");
    if let (Some(new), Some(old)) = (&new, &old) {
        let both = "`unsure` is the old name of `inconclusive`, and both are set";
        reading.report(
            Problem::new(old.at.clone(), both)
                .also(new.at.clone(), "set here too")
                .help("remove `unsure`"),
        );
    }
    let chosen = new.and_then(|entry| entry.choice(reading, INCONCLUSIVE));
    let Some(old) = old else { return chosen };
    let word = old.choice(reading, UNSURE)?;
    let note = Problem::new(old.at, "`unsure` is now called `inconclusive`")
        .label(format!("read as `inconclusive = \"{}\"`", word.name()))
        .help("what evidence cannot settle is a warning; write `inconclusive = \"fail\"` to make it red");
    reading.note(note);
    Some(word)
}
