//! The tools whose results can be imported, by name. How each tool's files are read is in the tool's own file.

use clap::ValueEnum;

/// A tool whose results can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// target/criterion/**/new/{benchmark,estimates}.json
    Criterion,
    /// hyperfine --export-json
    Hyperfine,
    /// summary.json of gungraun (once iai-callgrind), --save-summary=json
    Gungraun,
    /// --benchmark_out_format=json
    GoogleBenchmark,
    /// k6 run --summary-export, or what handleSummary() gives
    K6,
}

impl Format {
    pub(super) const ALL: [Format; 5] = [
        Format::Criterion,
        Format::Hyperfine,
        Format::Gungraun,
        Format::GoogleBenchmark,
        Format::K6,
    ];

    /// Returns the name of the tool.
    pub(super) fn name(self) -> &'static str {
        match self {
            Format::Criterion => "criterion",
            Format::Hyperfine => "hyperfine",
            Format::Gungraun => "gungraun",
            Format::GoogleBenchmark => "google-benchmark",
            Format::K6 => "k6",
        }
    }
}
