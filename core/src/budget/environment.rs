//! The environments of a file, `[env.NAME]`: which machine a process is on, and which environment that means.
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
pub struct Surroundings {
    /// The name that was given, and what gave it.
    pub(super) named: Option<(String, NamedBy)>,
    /// The name of the service that runs the process; an empty one if it is none of [`SERVICES`].
    service: Option<&'static str>,
    os: &'static str,
    arch: &'static str,
}

/// The conditions of an environment, as in `when = { ci = "github", arch = "aarch64" }`. All of them have to be true.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct When {
    pub ci: Option<Ci>,
    pub os: Option<&'static str>,
    pub arch: Option<&'static str>,
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

/// A kind of machine on which two states of a file choose different environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// One such machine, in the words of `when`.
    pub machine: String,
    /// The index of the environment in force before; `None` if there was none.
    pub before: Option<usize>,
    /// The index of the environment in force after.
    pub after: Option<usize>,
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

    /// Returns the surroundings of the run that a record is of, or those in which another state of the file was read.
    pub fn of_record(environment: Option<&str>) -> Surroundings {
        let name = environment.unwrap_or(NONE).to_owned();
        Surroundings { named: Some((name, NamedBy::Record)), service: None, os: OS, arch: ARCH }
    }

    /// Returns the part of these surroundings that the conditions `said` depend on, in the words of `when`.
    fn in_words(&self, said: &[When]) -> String {
        let by_name = |when: &When| matches!(when.ci, Some(Ci::Service(_)));
        let service = match self.service {
            None => "false".to_owned(),
            Some(name) if !name.is_empty() && said.iter().any(by_name) => format!("\"{name}\""),
            Some(_) => "true".to_owned(),
        };
        let parts = [
            ("ci", service, said.iter().any(|when| when.ci.is_some())),
            ("os", format!("\"{}\"", self.os), said.iter().any(|when| when.os.is_some())),
            ("arch", format!("\"{}\"", self.arch), said.iter().any(|when| when.arch.is_some())),
        ];
        let matter = parts.into_iter().filter(|part| part.2);
        let matter: Vec<_> = matter.map(|(key, value, _)| format!("{key} = {value}")).collect();
        matter.join(", ")
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
    /// Whether all of its conditions are true of these surroundings.
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

/// Returns the index of the environment that is in force where none is named: the first whose `when` is true.
pub(super) fn in_force<'w>(
    all: impl IntoIterator<Item = Option<&'w When>>,
    here: &Surroundings,
) -> Option<usize> {
    all.into_iter().position(|when| when.is_some_and(|when| when.is_true_of(here)))
}

/// Returns where another environment is in force after a change of the file, although none is named: once for each
/// pair of environments. It tries every machine that `when` can tell from another one.
pub fn switches(before: &[Declared], after: &[Declared]) -> Vec<Switch> {
    let mut switches: Vec<Switch> = Vec::new();
    let when = |declared: &Declared| declared.when.clone();
    let said: Vec<When> = before.iter().chain(after).filter_map(when).collect();
    for machine in machines() {
        let in_force =
            |all: &[Declared]| in_force(all.iter().map(|one| one.when.as_ref()), &machine);
        let (old, new) = (in_force(before), in_force(after));
        let name = |all: &[Declared], at: Option<usize>| at.map(|at| all[at].name.clone());
        let is_known = switches.iter().any(|switch| (switch.before, switch.after) == (old, new));
        if name(before, old) != name(after, new) && !is_known {
            let machine = machine.in_words(&said);
            switches.push(Switch { machine, before: old, after: new });
        }
    }
    switches
}

/// Returns every machine that `when` can tell from another one, the most usual first.
fn machines() -> impl Iterator<Item = Surroundings> {
    let known = SERVICES.iter().map(|service| Some(service.0));
    let services: Vec<_> = [None, Some("")].into_iter().chain(known).collect();
    let of_arch = |arch| SYSTEMS.iter().map(move |os| (arch, os));
    ARCHITECTURES.iter().flat_map(of_arch).flat_map(move |(arch, os)| {
        let machine = |service| Surroundings { named: None, service, os, arch };
        services.clone().into_iter().map(machine)
    })
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
    fn a_switch_is_found_on_every_machine() {
        let declared =
            |(name, when): (&str, Option<When>)| Declared { name: name.to_owned(), when, line: 1 };
        let ci = || Some(When { ci: Some(Ci::Any(true)), ..When::default() });
        let arm = || Some(When { arch: Some("aarch64"), ..ci().unwrap() });
        let check = |old: &[(&str, Option<When>)], new: &[(&str, Option<When>)], want: &[&str]| {
            let all = |all: &[(&str, Option<When>)]| -> Vec<Declared> {
                all.iter().cloned().map(declared).collect()
            };
            let (old, new) = (all(old), all(new));
            let name = |all: &[Declared], at: Option<usize>| {
                at.map_or("none".to_owned(), |at| all[at].name.clone())
            };
            let got: Vec<String> = switches(&old, &new)
                .iter()
                .map(|switch| {
                    let (from, to) = (name(&old, switch.before), name(&new, switch.after));
                    format!("{}: {from} -> {to}", switch.machine)
                })
                .collect();
            assert_eq!(got, want);
        };
        check(&[("a", None)], &[("a", ci())], &["ci = true: none -> a"]);
        check(&[("a", ci())], &[("a", None)], &["ci = true: a -> none"]);
        check(&[("a", ci())], &[("b", ci())], &["ci = true: a -> b"]);
        // The place decides only where both are true.
        check(&[("a", None), ("b", ci())], &[("b", ci()), ("a", None)], &[]);
        check(&[("a", ci()), ("b", ci())], &[("b", ci()), ("a", ci())], &["ci = true: a -> b"]);
        let on_arm = "ci = true, arch = \"aarch64\": arm -> ci";
        check(&[("arm", arm()), ("ci", ci())], &[("ci", ci()), ("arm", arm())], &[on_arm]);
        let github = || Some(When { ci: Some(Ci::Service("github")), ..When::default() });
        check(&[("a", github())], &[("a", ci())], &["ci = true: none -> a"]);
        check(&[("a", ci())], &[("a", github())], &["ci = true: a -> none"]);
        check(&[("a", None)], &[("a", github())], &["ci = \"github\": none -> a"]);
    }

    #[test]
    fn an_empty_name_is_no_name() {
        assert_eq!(with(&[(VARIABLE, " ")]).named, None);
        let named = with(&[(VARIABLE, "ci ")]).named;
        assert_eq!(named, Some(("ci".to_owned(), NamedBy::Variable)));
    }
}
