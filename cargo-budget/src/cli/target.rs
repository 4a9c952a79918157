//! The options that name the test target of the budgets and say how it is built, shared by all subcommands that run it.

use crate::base::Target;

/// The options of the test target.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The test target that has the budgets
    #[arg(long, value_name = "NAME", default_value = "budgets")]
    test: String,
    /// The profile to build in, for both revisions where there is a base
    #[arg(long, value_name = "NAME", default_value = "release")]
    profile: String,
    /// The features to build with, for both revisions where there is a base
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
