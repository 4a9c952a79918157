//! Which test target has the budgets, and how it is built: the same options wherever the tests are run.

use crate::base::Target;

/// The options.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The test target that has the budgets
    #[arg(long, value_name = "NAME", default_value = "budgets")]
    test: String,
    /// The profile to build in; with a base, both revisions
    #[arg(long, value_name = "NAME", default_value = "release")]
    profile: String,
    /// Features to build with; with a base, both revisions
    #[arg(long, short = 'F', value_name = "FEATURES")]
    features: Vec<String>,
}

impl Options {
    pub(super) fn target(&self) -> Target {
        Target {
            test: self.test.clone(),
            profile: self.profile.clone(),
            options: self.features.iter().map(|list| format!("--features={list}")).collect(),
        }
    }
}
