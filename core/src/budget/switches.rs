//! Where a change of a file puts another environment in force, on any machine that `when` can tell from another one.

use std::collections::BTreeSet;

use super::environment::{
    ARCHITECTURES, Ci, Declared, EnvironmentFacts, SERVICES, SYSTEMS, Service, When, in_force,
};

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

/// The most conditions on the processor that are combined with each other. If there are more, each is tried alone.
const COMBINED: usize = 6;

/// Returns where another environment is in force after a change of the file, if none is named: one machine for each
/// pair of environments. It tries every machine that `when` can tell from another one.
pub fn switches(before: &[Declared], after: &[Declared]) -> Vec<Switch> {
    let mut switches: Vec<Switch> = Vec::new();
    let when = |declared: &Declared| declared.when.clone();
    let conditions: Vec<When> = before.iter().chain(after).filter_map(when).collect();
    for machine in machines(&conditions) {
        let in_force =
            |all: &[Declared]| in_force(all.iter().map(|one| one.when.as_ref()), &machine);
        let (old, new) = (in_force(before), in_force(after));
        let name = |all: &[Declared], at: Option<usize>| at.map(|at| all[at].name.clone());
        let is_known = switches.iter().any(|switch| (switch.before, switch.after) == (old, new));
        if name(before, old) != name(after, new) && !is_known {
            let machine = in_words(&machine, &conditions);
            switches.push(Switch { machine, before: old, after: new });
        }
    }
    switches
}

/// Returns every machine that these conditions can tell from another one, the most usual first.
fn machines(conditions: &[When]) -> Vec<EnvironmentFacts> {
    let any_names = |is: &dyn Fn(&When) -> bool| conditions.iter().any(is);
    let services = SERVICES.iter().map(|service| service.0);
    let services = services
        .filter(|&name| any_names(&|when| when.ci == Some(Ci::Service(name))))
        .map(|name| Some(Service::Known(name)));
    let services: Vec<_> = [None, Some(Service::Other)].into_iter().chain(services).collect();
    let arches = distinguishable(ARCHITECTURES, &|arch| any_names(&|when| when.arch == Some(arch)));
    let systems = distinguishable(SYSTEMS, &|os| any_names(&|when| when.os == Some(os)));
    let counts: BTreeSet<u32> =
        conditions.iter().filter_map(|when| when.cores.clone()).flatten().collect();
    let counts: Vec<Option<u32>> = [None].into_iter().chain(counts.into_iter().map(Some)).collect();
    let mut machines = Vec::new();
    for processor in processors(conditions) {
        for &cores in &counts {
            for (&arch, &os) in
                arches.iter().flat_map(|arch| systems.iter().map(move |os| (arch, os)))
            {
                for &service in &services {
                    let processor = processor.clone();
                    machines.push(EnvironmentFacts {
                        named: None,
                        service,
                        os,
                        arch,
                        processor,
                        cores,
                    });
                }
            }
        }
    }
    machines
}

/// Returns the values that conditions name, and the first of the others, which no condition tells apart.
fn distinguishable(
    all: &[&'static str],
    any_names: &dyn Fn(&'static str) -> bool,
) -> Vec<&'static str> {
    let other = all.iter().copied().find(|&one| !any_names(one));
    all.iter().copied().filter(|&one| any_names(one) || Some(one) == other).collect()
}

/// Returns a processor for each set of conditions that may be true of one processor: for none of them, for each alone, and
/// then for several together.
fn processors(conditions: &[When]) -> Vec<Option<String>> {
    let parts: BTreeSet<&str> =
        conditions.iter().filter_map(|when| when.processor.as_deref()).collect();
    let parts: Vec<&str> = parts.into_iter().collect();
    let alone = parts.iter().map(|&part| part.to_owned());
    let mut names: Vec<Option<String>> = [None].into_iter().chain(alone.map(Some)).collect();
    let combined = if parts.len() <= COMBINED { 1_usize << parts.len() } else { 0 };
    for set in (0..combined).filter(|set| set.count_ones() > 1) {
        let chosen = parts.iter().enumerate().filter(|(nth, _)| set >> nth & 1 == 1);
        names.push(Some(chosen.map(|(_, &part)| part).collect::<Vec<_>>().join(" ")));
    }
    names
}

/// Returns the facts of a machine that these conditions depend on, in the words of `when`.
fn in_words(machine: &EnvironmentFacts, conditions: &[When]) -> String {
    let by_name = |when: &When| matches!(when.ci, Some(Ci::Service(_)));
    let service = match machine.service {
        None => "false".to_owned(),
        Some(Service::Known(name)) if conditions.iter().any(by_name) => format!("\"{name}\""),
        Some(Service::Known(_) | Service::Other) => "true".to_owned(),
    };
    let parts = [
        ("ci", service, conditions.iter().any(|when| when.ci.is_some())),
        ("os", format!("\"{}\"", machine.os), conditions.iter().any(|when| when.os.is_some())),
        (
            "arch",
            format!("\"{}\"", machine.arch),
            conditions.iter().any(|when| when.arch.is_some()),
        ),
    ];
    let matter = parts.into_iter().filter(|part| part.2);
    let mut matter: Vec<_> = matter.map(|(key, value, _)| format!("{key} = {value}")).collect();
    if conditions.iter().any(|when| when.processor.is_some()) {
        let named = machine.processor.as_ref();
        let named = named.map(|name| format!("processor = {name:?}"));
        matter.push(named.unwrap_or_else(|| "another processor".to_owned()));
    }
    if conditions.iter().any(|when| when.cores.is_some()) {
        let known = machine.cores.map(|cores| format!("cores = {cores}"));
        matter.push(known.unwrap_or_else(|| "another number of cores".to_owned()));
    }
    matter.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

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
        // The order in the file decides only if both conditions are true.
        check(&[("a", None), ("b", ci())], &[("b", ci()), ("a", None)], &[]);
        check(&[("a", ci()), ("b", ci())], &[("b", ci()), ("a", ci())], &["ci = true: a -> b"]);
        let on_arm = "ci = true, arch = \"aarch64\": arm -> ci";
        check(&[("arm", arm()), ("ci", ci())], &[("ci", ci()), ("arm", arm())], &[on_arm]);
        let github = || Some(When { ci: Some(Ci::Service("github")), ..When::default() });
        check(&[("a", github())], &[("a", ci())], &["ci = true: none -> a"]);
        check(&[("a", ci())], &[("a", github())], &["ci = true: a -> none"]);
        check(&[("a", None)], &[("a", github())], &["ci = \"github\": none -> a"]);
        let on = |part: &str| Some(When { processor: Some(part.to_owned()), ..When::default() });
        check(&[("a", None)], &[("a", on("EPYC"))], &["processor = \"EPYC\": none -> a"]);
        // The name of a processor may have both parts.
        check(
            &[("a", on("AMD")), ("b", on("EPYC"))],
            &[("b", on("EPYC")), ("a", on("AMD"))],
            &["processor = \"AMD EPYC\": a -> b"],
        );
        let with = |cores: &[u32]| Some(When { cores: Some(cores.to_vec()), ..When::default() });
        check(&[("a", with(&[2]))], &[("a", with(&[2, 4]))], &["cores = 4: none -> a"]);
        check(
            &[("a", with(&[2]))],
            &[("a", ci())],
            &["ci = true, another number of cores: none -> a", "ci = false, cores = 2: a -> none"],
        );
    }
}
