//! `cargo budget tighten [BUDGET…]`.

use std::path::Path;

use perf_budget_core::quantity::{Quantity, Unit};

use super::context::Context;
use super::done::Done;
use super::rendering::Rendering;
use crate::doctor;
use crate::edit::tighten::{self, Decision};
use crate::environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::project::Project;
use crate::runs::latest;
use crate::{file, text};

/// Lower limits towards what the last run measured; never loosen one
///
/// A limit on a statistical metric is set to the end of the measured interval plus a headroom: its tolerance, or half the
/// interval's width where that is more. A limit on a deterministic metric is set 2 % beyond its value. A limit that was red,
/// not measured, or measured in a debug build is left alone, and a message says so. Comments, order and units stay.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo test --release && cargo budget tighten
  cargo budget tighten merge sync --headroom \"20 %\"
  cargo budget tighten --dry-run")]
pub(super) struct Tighten {
    /// Budgets to tighten; all of them by default
    #[arg(value_name = "BUDGET")]
    budgets: Vec<String>,
    /// Use this headroom beyond what was measured instead of the usual one
    #[arg(long, value_name = "\"N %\"", value_parser = headroom)]
    headroom: Option<f64>,
    /// Show what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: Rendering,
}

impl Tighten {
    pub(super) fn run(self, context: Context) -> Result<Exit, Failure> {
        let project = Project::find(Path::new("."))?;
        let file = project.file();
        tighten::selected(&project.budgets()?, &self.budgets)?;
        let text = file::read(&file)?;
        let part = environment::part_to_edit(&project, project.read(context.progress)?)?;
        let (outcomes, budgets) = (latest(&part.record), part.budgets);
        let clock = doctor::clock().resolution();
        let plan = tighten::plan(&text, &budgets, &outcomes, &self.budgets, self.headroom, clock)?;
        let mut done = Done::new("tighten", self.dry_run, self.format, context);
        done.show_change(Some(&text), &plan.text, "budgets.toml")?;
        let (mut tightened, mut skipped) = (0, 0);
        for row in &plan.rows {
            let (word, sentence) = match &row.decision {
                Decision::Tightened { sentence, .. } => ("tightened", sentence),
                Decision::Kept(sentence) => ("kept", sentence),
                Decision::Skipped(sentence) => ("skipped", sentence),
            };
            tightened += usize::from(word == "tightened");
            skipped += usize::from(word == "skipped");
            done.entry(word, &text::printable(&row.name), &text::printable(sentence));
        }
        if plan
            .rows
            .iter()
            .any(|row| matches!(row.decision, Decision::Tightened { warns: true, .. }))
        {
            // The smallest headroom with which the measured value stays below `warn_at` of the limit.
            let share =
                Quantity::new((100.0 / budgets.settings.warn_at).ceil() / 100.0 - 1.0, Unit::Share);
            done.note(&format!(
                "a limit used beyond `warn_at` warns in every run; `--headroom \"{share}\"` leaves more room"
            ));
        }
        if let Some(remark) = &part.left_out {
            done.note(remark);
        }
        let kept = plan.rows.len() - tightened - skipped;
        let would = if self.dry_run { "would be " } else { "" };
        if tightened > 0 && !self.dry_run {
            file::write(&file, &plan.text)?;
        }
        context.tell(&format!("{tightened} {would}tightened, {kept} kept, {skipped} skipped"));
        done.end(Exit::Holds)
    }
}

/// Reads a share that is added: `5 %`.
pub(super) fn headroom(text: &str) -> Result<f64, String> {
    let quantity = Quantity::parse(text)?;
    match quantity.unit {
        Unit::Share if (0.0..=10.0).contains(&quantity.value) => Ok(quantity.value),
        Unit::Share => Err("write a share from \"0 %\" to \"1000 %\"".to_owned()),
        Unit::Number => Err(format!("a headroom is a share: write \"{} %\"", text.trim())),
        Unit::Bytes | Unit::Seconds | Unit::PerSecond | Unit::BytesPerSecond | Unit::Ratio => {
            Err(format!("a headroom is a share, such as \"5 %\", found {}", quantity.unit.noun()))
        }
    }
}
