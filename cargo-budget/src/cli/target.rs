//! The options that name the test target of the budgets and say how it is built, shared by all subcommands that run it.

use crate::base::Target;

/// The options of the test target.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The test target that has the budgets [default: budgets; `check` runs all that have budgets]
    #[arg(long, value_name = "NAME")]
    pub(super) test: Option<String>,
    /// The profile to build in, for both revisions where there is a base
    #[arg(long, value_name = "NAME", default_value = "release")]
    profile: String,
    /// The features to build with, for both revisions where there is a base
    #[arg(long, short = 'F', value_name = "FEATURES")]
    features: Vec<String>,
}

/// The test target if the options name no other.
pub(super) const DEFAULT: &str = "budgets";

impl Options {
    /// Returns the target that the options name, or the default one.
    pub(super) fn target(&self) -> Target {
        self.target_of(self.test.as_deref().unwrap_or(DEFAULT))
    }

    /// Returns the target of this name, built as the options say.
    pub(super) fn target_of(&self, name: &str) -> Target {
        Target {
            test: name.to_owned(),
            profile: self.profile.clone(),
            options: self.features.iter().map(|list| format!("--features={list}")).collect(),
        }
    }
}
