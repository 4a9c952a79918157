//! The programs that the base's budgets measure, built as the harness builds them, for commands that look into them.

use std::process::Stdio;

use perf_budget_core::build::{Built, Ended, Product, Program, Site, Step, TARGET_VARIABLES};
use perf_budget_core::outcome::{Cause, Unmeasured};

use super::Base;
use crate::child;
use crate::project::Project;

impl Base {
    /// Builds a product of the base in the same directory as the harness does. The output of the programs that this
    /// starts goes to standard error.
    ///
    /// # Errors
    /// Returns the reason why the product could not be built.
    pub(crate) fn product(
        &self,
        project: &Project,
        product: &Product,
    ) -> Result<Built, Unmeasured> {
        let site = Site {
            root: self.root.clone(),
            package: self.root.clone(),
            target: Some(project.results().join("base/target")),
            triple: None,
        };
        product.build(&site, &|step| self.start(step))
    }

    fn start(&self, step: &Step) -> Result<Ended, Unmeasured> {
        let mut command = match &step.program {
            Program::Cargo => self.inherited.cargo(),
            Program::Named(name) => {
                let mut command = child::program(name);
                self.inherited.apply(&mut command);
                command
            }
        };
        for name in TARGET_VARIABLES {
            command.env_remove(name);
        }
        command.args(&step.args).current_dir(&step.dir).stdin(Stdio::null());
        let output = command.stderr(Stdio::inherit()).output().map_err(|e| {
            let absent = e.kind() == std::io::ErrorKind::NotFound;
            let cause = if absent { Cause::NotFound } else { Cause::Harness };
            Unmeasured::new(cause, format!("it was not started: {e}"))
        })?;
        let code = output.status.code().unwrap_or(-1);
        Ok(Ended { code, stdout: output.stdout, messages: None })
    }
}
