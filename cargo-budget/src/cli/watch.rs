//! `cargo budget watch`.

use super::output::{print, show};
use super::rendering::Rendering;
use super::target::Options;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::project::Project;
use crate::watch;

/// Measure again on each save, against the base
///
/// It builds and measures the work tree as it is, and again as soon as a file is saved that git tracks or would track. A
/// measurement takes about a second beyond the build, so a small change stays inconclusive: `check --base` settles it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo budget watch merge                     against the commit that is checked out
  cargo budget watch merge::p99 --base main
  cargo budget watch merge --effort 5          measures longer, and settles more")]
pub(super) struct Watch {
    /// A budget, or a test of it: `merge`, `merge::p99`
    #[arg(value_name = "BUDGET")]
    name: String,
    /// The revision to compare with. If it has commits of its own, the merge base is used
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    base: String,
    /// Measure each limit for at most this many seconds
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    effort: u32,
    /// Link each revision this many times, each time in another order. With one link of each, a small difference of times
    /// may come from the order alone
    #[arg(long, value_name = "COUNT", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=128))]
    layouts: u32,
    /// End after this number of measurements
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    times: Option<u32>,
    #[command(flatten)]
    options: Options,
    /// The format of the output: lines for people, or a line of JSON for each measurement
    #[arg(long, value_enum, default_value_t)]
    format: Rendering,
}

impl Watch {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let project = Project::current()?;
        let options = watch::Options {
            name: &self.name,
            base: &self.base,
            effort: self.effort,
            layouts: self.layouts,
            target: &self.options.target(),
            most: self.times,
        };
        watch::watch(&project, &options, &|message| match (self.format, message.json()) {
            (Rendering::Text, _) => show(&message.text()),
            (Rendering::Json, Some(json)) => print(&format!("{json}\n")),
            (Rendering::Json, None) => Ok(()),
        })
    }
}
