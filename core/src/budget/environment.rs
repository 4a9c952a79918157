//! The environments of a file, `[env.NAME]`: what a process is in, and which of them it is.
//!
//! An environment is chosen by its name, or by what `when` says of the machine. Nothing here is measured: two machines
//! of the same kind are in the same environment, whatever their load.

use std::env::consts::{ARCH, OS};
use std::sync::OnceLock;

/// The variable that names the environment.
pub const VARIABLE: &str = "PERF_BUDGET_ENV";

/// The name that stands for no environment, whatever the machine is.
pub const NONE: &str = "none";

/// The services of continuous integration that are known by name, each with the variable by which it is recognized.
/// Those that set the variable of another one come before it.
pub(super) const SERVICES: &[(&str, &str)] = &[
    ("forgejo", "FORGEJO_ACTIONS"),
    ("gitea", "GITEA_ACTIONS"),
    ("github", "GITHUB_ACTIONS"),
    ("gitlab", "GITLAB_CI"),
    ("azure", "TF_BUILD"),
    ("jenkins", "JENKINS_URL"),
    ("buildkite", "BUILDKITE"),
    ("circleci", "CIRCLECI"),
    ("bitbucket", "BITBUCKET_BUILD_NUMBER"),
    ("teamcity", "TEAMCITY_VERSION"),
    ("cirrus", "CIRRUS_CI"),
    ("codebuild", "CODEBUILD_BUILD_ID"),
    ("drone", "DRONE"),
    ("travis", "TRAVIS"),
    ("appveyor", "APPVEYOR"),
];

/// The variable that other services set, and many people too.
const ANY_SERVICE: &str = "CI";

/// What gave the name of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// The variable [`VARIABLE`].
    Variable,
    /// The option `--env` of the command.
    Option,
    /// The record of a run, or another state of the file, which may have environments that this file does not have.
    Record,
}

/// What decides which environment a process is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// The name that was given, and what gave it.
    pub(super) named: Option<(String, NamedBy)>,
    /// The name of the service that runs the process; an empty one if it is none of [`SERVICES`].
    service: Option<&'static str>,
    os: &'static str,
    arch: &'static str,
}

/// What an environment says of the machine, as in `when = { ci = "github", arch = "aarch64" }`. All of it has to be true.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct When {
    pub ci: Option<Ci>,
    pub os: Option<&'static str>,
    pub arch: Option<&'static str>,
}

/// What an environment says about continuous integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ci {
    /// Whether a service runs the process, whichever it is.
    Any(bool),
    /// The name of the service.
    Service(&'static str),
}

/// The name that an option of the command line gave, which holds for the whole process.
static OPTION: OnceLock<String> = OnceLock::new();

/// Names the environment for everything that this process reads, before it reads anything.
pub fn name_for_process(name: String) {
    let _ = OPTION.set(name);
}

/// Returns the name that [`name_for_process`] was given, for processes that this one starts.
pub fn named_for_process() -> Option<&'static str> {
    OPTION.get().map(String::as_str)
}

impl Surroundings {
    /// Returns the surroundings of this process.
    pub fn here() -> Surroundings {
        let set =
            |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        let here = Surroundings::by_variables(set);
        match named_for_process() {
            Some(name) => Surroundings { named: Some((name.to_owned(), NamedBy::Option)), ..here },
            None => here,
        }
    }

    /// Returns the surroundings in which what a record says was measured, or another state of a file was read.
    pub fn of_record(environment: Option<&str>) -> Surroundings {
        let name = environment.unwrap_or(NONE).to_owned();
        Surroundings { named: Some((name, NamedBy::Record)), service: None, os: OS, arch: ARCH }
    }

    /// Returns the surroundings of a process with these variables.
    pub(super) fn by_variables(set: impl Fn(&str) -> Option<String>) -> Surroundings {
        let is_set = |name: &str| {
            set(name).is_some_and(|value| !matches!(value.trim(), "" | "0" | "false" | "False"))
        };
        let known = SERVICES.iter().find(|service| is_set(service.1)).map(|service| service.0);
        let name = set(VARIABLE).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        Surroundings {
            named: name.map(|name| (name, NamedBy::Variable)),
            service: known.or(is_set(ANY_SERVICE).then_some("")),
            os: OS,
            arch: ARCH,
        }
    }
}

impl When {
    /// Whether all that is said is true of these surroundings.
    pub(super) fn is_true_of(&self, here: &Surroundings) -> bool {
        let ci = match self.ci {
            None => true,
            Some(Ci::Any(any)) => here.service.is_some() == any,
            Some(Ci::Service(name)) => here.service == Some(name),
        };
        ci && self.os.is_none_or(|os| os == here.os)
            && self.arch.is_none_or(|arch| arch == here.arch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Surroundings {
        let set =
            |name: &str| variables.iter().find(|one| one.0 == name).map(|one| one.1.to_owned());
        Surroundings::by_variables(set)
    }

    #[test]
    fn a_service_is_recognized_by_its_variable() {
        assert_eq!(with(&[]).service, None);
        assert_eq!(with(&[("CI", "false")]).service, None);
        assert_eq!(with(&[("CI", "")]).service, None);
        assert_eq!(with(&[("CI", "1")]).service, Some(""));
        assert_eq!(with(&[("CI", "true"), ("GITHUB_ACTIONS", "true")]).service, Some("github"));
        // These set GitHub's variable too, so that its actions run there.
        let gitea = with(&[("GITHUB_ACTIONS", "true"), ("GITEA_ACTIONS", "true")]);
        assert_eq!(gitea.service, Some("gitea"));
        assert_eq!(with(&[("GITHUB_ACTIONS", "false")]).service, None);
    }

    #[test]
    fn everything_that_is_said_has_to_be_true() {
        let github = with(&[("GITHUB_ACTIONS", "true")]);
        let check = |when: When, here: &Surroundings, want: bool| {
            assert_eq!(when.is_true_of(here), want, "{when:?} of {here:?}");
        };
        let ci = |ci| When { ci: Some(ci), ..When::default() };
        check(ci(Ci::Any(true)), &github, true);
        check(ci(Ci::Any(false)), &github, false);
        check(ci(Ci::Any(false)), &with(&[]), true);
        check(ci(Ci::Service("github")), &github, true);
        check(ci(Ci::Service("gitlab")), &github, false);
        check(ci(Ci::Service("github")), &with(&[("CI", "1")]), false);
        check(When { os: Some(OS), arch: Some(ARCH), ..ci(Ci::Any(true)) }, &github, true);
        check(When { arch: Some("none such"), ..ci(Ci::Any(true)) }, &github, false);
        check(When { os: Some("none such"), ..When::default() }, &github, false);
    }

    #[test]
    fn an_empty_name_is_no_name() {
        assert_eq!(with(&[(VARIABLE, " ")]).named, None);
        let named = with(&[(VARIABLE, "ci ")]).named;
        assert_eq!(named, Some(("ci".to_owned(), NamedBy::Variable)));
    }
}
