//! The environments of a file, `[env.NAME]`: which machine a process is on, and which environment that means.
//!
//! An environment is chosen by its name, or by what `when` says of the machine. Nothing here is measured: two machines
//! of the same kind are in the same environment, whatever their load.

use std::env::consts::{ARCH, OS};
use std::sync::OnceLock;

use super::processor;

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

/// The variable `CI`, which most services set, and which some people set by hand.
const ANY_SERVICE: &str = "CI";

/// The source of the name of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// The variable [`VARIABLE`].
    Variable,
    /// The option `--env` of the command.
    Option,
    /// The record of a run, or another state of the file, which may have environments that this file does not have.
    Record,
}

/// The facts that decide which environment a process is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentFacts {
    /// The name that was given, and what gave it.
    pub(super) named: Option<(String, NamedBy)>,
    /// The service that runs the process.
    pub(super) service: Option<Service>,
    pub(super) os: &'static str,
    pub(super) arch: &'static str,
    /// The model name of the processor, if the system tells it.
    pub(super) processor: Option<String>,
    /// How many processors the process may use, if that is known.
    pub(super) cores: Option<u32>,
}

/// A service of continuous integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// One of [`SERVICES`], by its name.
    Known(&'static str),
    /// Another one.
    Other,
}

/// The conditions of an environment, as in `when = { ci = "github", arch = "aarch64" }`. All of them have to be true.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct When {
    pub ci: Option<Ci>,
    pub os: Option<&'static str>,
    pub arch: Option<&'static str>,
    /// A part of the processor's name.
    pub processor: Option<String>,
    /// The numbers of processors, of which one has to be that of the machine.
    pub cores: Option<Vec<u32>>,
}

/// The condition of an environment on continuous integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ci {
    /// Whether a service runs the process, whichever it is.
    Any(bool),
    /// The name of the service.
    Service(&'static str),
}

/// The operating systems that `when` can name, as Rust calls them.
pub(super) const SYSTEMS: &[&str] = &[
    "linux",
    "macos",
    "windows",
    "freebsd",
    "netbsd",
    "openbsd",
    "dragonfly",
    "illumos",
    "solaris",
];

/// The architectures that `when` can name, as Rust calls them.
pub(super) const ARCHITECTURES: &[&str] =
    &["x86_64", "aarch64", "x86", "arm", "riscv64", "powerpc64", "s390x", "loongarch64"];

/// The largest number of processors that `when` can name.
pub(super) const MOST_CORES: u32 = 1 << 16;

/// One `[env.NAME]` of a file, without what it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// On which machines it is in force without being named.
    pub(super) when: Option<When>,
    /// The line of its table header, from 1.
    pub line: usize,
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

impl EnvironmentFacts {
    /// Returns the facts of this process.
    pub fn here() -> EnvironmentFacts {
        let value =
            |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        let cores = std::thread::available_parallelism().ok();
        let cores = cores.and_then(|cores| u32::try_from(cores.get()).ok());
        let processor = processor::name();
        let here = EnvironmentFacts { processor, cores, ..EnvironmentFacts::by_variables(value) };
        match named_for_process() {
            Some(name) => {
                EnvironmentFacts { named: Some((name.to_owned(), NamedBy::Option)), ..here }
            }
            None => here,
        }
    }

    /// Returns the facts of the run that a record is from, or those with which another state of the file was read.
    pub fn of_record(environment: Option<&str>) -> EnvironmentFacts {
        let name = environment.unwrap_or(NONE).to_owned();
        let named = Some((name, NamedBy::Record));
        EnvironmentFacts { named, service: None, os: OS, arch: ARCH, processor: None, cores: None }
    }

    /// Returns the facts of a process with these variables: `value` returns the value of a variable, if it is set.
    pub(super) fn by_variables(value: impl Fn(&str) -> Option<String>) -> EnvironmentFacts {
        let is_set = |name: &str| {
            value(name).is_some_and(|value| !matches!(value.trim(), "" | "0" | "false" | "False"))
        };
        let known = SERVICES.iter().find(|service| is_set(service.1)).map(|service| service.0);
        let name = value(VARIABLE).map(|name| name.trim().to_owned());
        let name = name.filter(|name| !name.is_empty());
        EnvironmentFacts {
            named: name.map(|name| (name, NamedBy::Variable)),
            service: known.map(Service::Known).or(is_set(ANY_SERVICE).then_some(Service::Other)),
            os: OS,
            arch: ARCH,
            processor: None,
            cores: None,
        }
    }

    /// Whether this is a part of the processor's name, in capitals or not. It is not if the name is not known.
    fn has_processor(&self, part: &str) -> bool {
        let name = self.processor.as_ref();
        name.is_some_and(|name| name.to_lowercase().contains(&part.to_lowercase()))
    }
}

impl When {
    /// Whether all of its conditions are true of these facts.
    pub(super) fn is_true_of(&self, here: &EnvironmentFacts) -> bool {
        let ci = match self.ci {
            None => true,
            Some(Ci::Any(any)) => here.service.is_some() == any,
            Some(Ci::Service(name)) => here.service == Some(Service::Known(name)),
        };
        ci && self.os.is_none_or(|os| os == here.os)
            && self.arch.is_none_or(|arch| arch == here.arch)
            && self.processor.as_ref().is_none_or(|part| here.has_processor(part))
            && self.cores.as_ref().is_none_or(|some| here.cores.is_some_and(|n| some.contains(&n)))
    }
}

/// Returns the index of the environment that is in force if none is named: the first whose `when` is true.
pub(super) fn in_force<'w>(
    all: impl IntoIterator<Item = Option<&'w When>>,
    here: &EnvironmentFacts,
) -> Option<usize> {
    all.into_iter().position(|when| when.is_some_and(|when| when.is_true_of(here)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> EnvironmentFacts {
        let set =
            |name: &str| variables.iter().find(|one| one.0 == name).map(|one| one.1.to_owned());
        EnvironmentFacts::by_variables(set)
    }

    #[test]
    fn a_service_is_recognized_by_its_variable() {
        assert_eq!(with(&[]).service, None);
        assert_eq!(with(&[("CI", "false")]).service, None);
        assert_eq!(with(&[("CI", "")]).service, None);
        assert_eq!(with(&[("CI", "1")]).service, Some(Service::Other));
        let github = with(&[("CI", "true"), ("GITHUB_ACTIONS", "true")]);
        assert_eq!(github.service, Some(Service::Known("github")));
        // These set GitHub's variable too, so that its actions run there.
        let gitea = with(&[("GITHUB_ACTIONS", "true"), ("GITEA_ACTIONS", "true")]);
        assert_eq!(gitea.service, Some(Service::Known("gitea")));
        assert_eq!(with(&[("GITHUB_ACTIONS", "false")]).service, None);
    }

    #[test]
    fn every_condition_has_to_be_true() {
        let github = with(&[("GITHUB_ACTIONS", "true")]);
        let check = |when: When, here: &EnvironmentFacts, want: bool| {
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
    fn a_processor_is_known_by_a_part_of_its_name_and_a_machine_by_its_cores() {
        let of = |name: Option<&str>, cores| EnvironmentFacts {
            processor: name.map(str::to_owned),
            cores,
            ..with(&[])
        };
        let check =
            |part: Option<&str>, some: Option<&[u32]>, here: &EnvironmentFacts, want: bool| {
                let (processor, cores) = (part.map(str::to_owned), some.map(<[u32]>::to_vec));
                let when = When { processor, cores, ..When::default() };
                assert_eq!(when.is_true_of(here), want, "{when:?} of {here:?}");
            };
        let epyc = of(Some("AMD EPYC 7763 64-Core Processor"), Some(4));
        check(Some("EPYC"), None, &epyc, true);
        check(Some("epyc 7763"), None, &epyc, true);
        check(Some("Xeon"), None, &epyc, false);
        check(Some("EPYC"), Some(&[2, 4]), &epyc, true);
        check(Some("EPYC"), Some(&[2]), &epyc, false);
        check(None, Some(&[4]), &epyc, true);
        // A fact that the system does not tell matches no condition.
        check(Some("EPYC"), None, &of(None, Some(4)), false);
        check(None, Some(&[4]), &of(None, None), false);
        check(None, None, &of(None, None), true);
        let here = EnvironmentFacts::here();
        assert_eq!(here.processor, processor::name());
        check(None, Some(&[here.cores.unwrap()]), &here, true);
    }

    /// The record of a run names its environment. No `when` is compared with the machine that reads it.
    #[test]
    fn the_facts_of_a_record_are_of_no_machine() {
        let of = EnvironmentFacts::of_record(Some("ci"));
        assert_eq!((of.processor, of.cores), (None, None));
        assert_eq!(of.named, Some(("ci".to_owned(), NamedBy::Record)));
    }

    #[test]
    fn an_empty_name_is_no_name() {
        assert_eq!(with(&[(VARIABLE, " ")]).named, None);
        let named = with(&[(VARIABLE, "ci ")]).named;
        assert_eq!(named, Some(("ci".to_owned(), NamedBy::Variable)));
    }
}
