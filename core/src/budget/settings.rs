//! `[settings]`.

use glob::Pattern;
use toml::de::DeValue;

use super::collect::Reading;
use super::problem::Problem;
use super::read::{self, Entry};
use super::{CodegenUnits, Settings, Unsure, key};

/// The words for [`Unsure`], each with what it means.
pub(super) const UNSURE: &[(&str, &str, Unsure)] = &[
    (
        "blind",
        "red where the run was blind, a warning where the truth is near the limit",
        Unsure::Blind,
    ),
    ("fail", "always red", Unsure::Fail),
    ("warn", "never red", Unsure::Warn),
];

/// The words for [`CodegenUnits`], each with what it means.
pub(super) const CODEGEN_UNITS: &[(&str, &str, CodegenUnits)] = &[
    ("one", "one for each package of the workspace, on both sides", CodegenUnits::One),
    ("as built", "as many as the profile says", CodegenUnits::AsBuilt),
];

/// The greatest `alpha`: beyond it a verdict would be worse than a coin.
pub(super) const MOST_ALPHA: f64 = 0.5;

/// The most `layouts`: beyond it linking takes longer than it tells.
pub(super) const MOST_LAYOUTS: u32 = 64;

/// Reads the table; what is wrong keeps its default.
pub(super) fn read(entry: &Entry<'_>, reading: &mut Reading<'_>) -> Settings {
    let mut settings = Settings::default();
    let Some(table) = entry.table(reading, "[settings]") else { return settings };
    read::check_keys(table, "[settings]", key::SETTINGS, reading);
    if let Some(time) = read::entry(table, "effort").and_then(|e| e.duration(reading)) {
        settings.effort = time;
    }
    if let Some(time) = read::entry(table, "timeout").and_then(|e| e.duration(reading)) {
        settings.timeout = time;
    }
    if let Some(time) = read::entry(table, "build_timeout").and_then(|e| e.duration(reading)) {
        settings.build_timeout = time;
    }
    if let Some(share) = read::entry(table, "alpha").and_then(|e| e.share(reading, MOST_ALPHA)) {
        settings.alpha = share;
    }
    if let Some(share) = read::entry(table, "warn_at").and_then(|e| e.share(reading, 1.0)) {
        settings.warn_at = share;
    }
    if let Some(word) = read::entry(table, "unsure").and_then(|e| e.choice(reading, UNSURE)) {
        settings.unsure = word;
    }
    if let Some(share) = read::entry(table, "base").and_then(|e| e.share(reading, 1.0)) {
        settings.base = Some(share);
    }
    if let Some(count) = read::entry(table, "layouts").and_then(|e| e.count(reading, MOST_LAYOUTS))
    {
        settings.layouts = count;
    }
    if let Some(globs) = read::entry(table, "inert").and_then(|e| globs(&e, reading)) {
        settings.inert = globs;
    }
    let units = read::entry(table, "codegen_units");
    if let Some(word) = units.and_then(|e| e.choice(reading, CODEGEN_UNITS)) {
        settings.codegen_units = word;
    }
    settings
}

/// A list of globs; one that is none is a problem of its own.
fn globs(entry: &Entry<'_>, reading: &mut Reading<'_>) -> Option<Vec<String>> {
    let globs = entry.texts(reading, "[\"docs/**\", \"*.svg\"]")?;
    let DeValue::Array(items) = entry.value.get_ref() else { return None };
    let mut right = true;
    for (glob, item) in globs.iter().zip(items) {
        if let Err(why) = Pattern::new(glob) {
            let title = format!("`inert` has `{glob}`, which is no glob: {}", why.msg);
            reading
                .report(Problem::new(item.span(), title).help("write a glob such as \"docs/**\""));
            right = false;
        }
    }
    right.then_some(globs)
}
