//! The programs that the base's budgets measure, built as the harness builds them, for commands that examine them.

use perf_budget_core::build::{Built, Product, Site};
use perf_budget_core::outcome::Unmeasured;

use super::Base;
use super::start::start;
use crate::project::Project;

impl Base {
    /// Builds a product of the base in the same directory as the harness does. The output of the programs that the build
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
        product.build(&site, &|step| start(step, Some(&self.inherited), None))
    }
}
