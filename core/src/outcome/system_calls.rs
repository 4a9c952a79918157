//! The system calls of one operation or command by their names, so that a red says which of them grew.

use serde::{Deserialize, Serialize};

use crate::quantity::{Quantity, Unit};

/// The most names that an outcome has of each kind: the most frequent ones, and those that changed most.
const NAMED: usize = 10;
/// The most names that the sentence of a red has.
const IN_SENTENCE: usize = 3;

/// How often one system call was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SystemCall {
    /// Its name, such as `openat`; or words with its number, if its name is not known.
    pub name: String,
    /// How often the subject makes it.
    pub now: f64,
    /// How often the reference makes it; `None` if there is no reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<f64>,
}

impl SystemCall {
    /// Returns how many more calls there are than at the reference.
    fn change(&self) -> f64 {
        self.now - self.before.unwrap_or(self.now)
    }

    fn changed(&self) -> String {
        let (by, before) = (self.change(), self.before.unwrap_or_default());
        let sign = if by < 0.0 { "-" } else { "+" };
        format!(
            "{sign}{} of `{}` ({} to {})",
            number(by.abs()),
            self.name,
            number(before),
            number(self.now)
        )
    }
}

fn number(value: f64) -> Quantity {
    Quantity::new(value, Unit::Number)
}

/// Returns the calls of a subject beside those of its reference.
pub fn beside(subject: &[SystemCall], reference: &[SystemCall]) -> Vec<SystemCall> {
    let count = |calls: &[SystemCall], name: &str| {
        calls.iter().find(|call| call.name == name).map_or(0.0, |call| call.now)
    };
    let is_gone = |call: &&SystemCall| subject.iter().all(|known| known.name != call.name);
    let names = subject.iter().chain(reference.iter().filter(is_gone)).map(|call| &call.name);
    let both = |name: &String| SystemCall {
        name: name.clone(),
        now: count(subject, name),
        before: Some(count(reference, name)),
    };
    names.map(both).collect()
}

/// The calls of several processes. An outcome has their mean, since no single process represents the others.
#[derive(Debug, Default)]
pub struct Mean {
    sums: Vec<SystemCall>,
    processes: f64,
}

impl Mean {
    /// Takes the calls of one more process, if they were counted there.
    pub fn add(&mut self, calls: &[SystemCall]) {
        if calls.is_empty() {
            return;
        }
        self.processes += 1.0;
        for call in calls {
            match self.sums.iter_mut().find(|sum| sum.name == call.name) {
                Some(sum) => {
                    sum.now += call.now;
                    sum.before = sum.before.zip(call.before).map(|(sum, more)| sum + more);
                }
                None => self.sums.push(call.clone()),
            }
        }
    }

    /// Returns how often each call is made in the mean.
    pub fn calls(&self) -> Vec<SystemCall> {
        let share = |sum: &SystemCall| SystemCall {
            name: sum.name.clone(),
            now: sum.now / self.processes,
            before: sum.before.map(|before| before / self.processes),
        };
        self.sums.iter().map(share).collect()
    }
}

/// Returns the calls that an outcome has: the most frequent ones, and those that changed most.
pub fn most_relevant(all: &[SystemCall]) -> Vec<SystemCall> {
    let mut calls = all.to_vec();
    let most = |call: &SystemCall| call.now.max(call.before.unwrap_or_default());
    calls.sort_by(|a, b| most(b).total_cmp(&most(a)).then_with(|| a.name.cmp(&b.name)));
    let changed = changed(&calls);
    let least = changed.get(NAMED - 1).map_or(0.0, |call| call.change().abs());
    let mut nth = 0;
    calls.retain(|call| {
        nth += 1;
        nth <= NAMED || (call.change() != 0.0 && call.change().abs() >= least)
    });
    calls
}

/// Returns the calls that differ from the reference, the greatest change first.
fn changed(calls: &[SystemCall]) -> Vec<SystemCall> {
    let mut changed: Vec<SystemCall> =
        calls.iter().filter(|call| call.change() != 0.0).cloned().collect();
    changed.sort_by(|a, b| b.change().abs().total_cmp(&a.change().abs()));
    changed
}

/// Returns the note on the calls: how they differ from the reference, or else which they are.
pub fn note(calls: &[SystemCall]) -> Option<String> {
    if calls.is_empty() {
        return None;
    }
    if calls.iter().all(|call| call.before.is_none()) {
        let named = calls.iter().take(NAMED);
        let named: Vec<String> =
            named.map(|call| format!("{} of `{}`", number(call.now), call.name)).collect();
        return Some(format!("the most frequent system calls: {}", named.join(", ")));
    }
    let changed: Vec<String> = changed(calls).iter().take(NAMED).map(SystemCall::changed).collect();
    Some(if changed.is_empty() {
        "each system call is made as often as at the reference".to_owned()
    } else {
        format!("system calls that changed: {}", changed.join(", "))
    })
}

/// Returns the end of a red's sentence: the calls that grew most. `None` if none is known to have grown.
pub fn grown(calls: &[SystemCall]) -> Option<String> {
    let grown = changed(calls).into_iter().filter(|call| call.change() > 0.0);
    let grown: Vec<String> = grown.take(IN_SENTENCE).map(|call| call.changed()).collect();
    (!grown.is_empty()).then(|| grown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::frozen::frozen;

    fn calls(named: &[(&str, f64)]) -> Vec<SystemCall> {
        let call = |&(name, now): &(&str, f64)| SystemCall { name: name.into(), now, before: None };
        named.iter().map(call).collect()
    }

    #[test]
    fn the_form_is_frozen() {
        let old: SystemCall = frozen(r#"{"name":"read","now":3.0}"#);
        assert_eq!(old.before, None);
        frozen::<SystemCall>(r#"{"name":"read","now":3.0,"before":2.5}"#);
    }

    #[test]
    fn only_the_calls_that_changed_are_named() {
        let now = calls(&[("read", 1003.0), ("close", 1.0), ("openat", 2.0), ("mmap", 7.0)]);
        let before = calls(&[("read", 3.0), ("close", 1.0), ("poll", 5.0), ("mmap", 7.0)]);
        let both = most_relevant(&beside(&now, &before));
        assert_eq!(
            note(&both).unwrap(),
            "system calls that changed: +1000 of `read` (3 to 1003), -5 of `poll` (5 to 0), +2 of `openat` (0 to 2)"
        );
        assert_eq!(grown(&both).unwrap(), "+1000 of `read` (3 to 1003), +2 of `openat` (0 to 2)");
        let same = most_relevant(&beside(&now, &now));
        assert_eq!(note(&same).unwrap(), "each system call is made as often as at the reference");
        assert_eq!(grown(&same), None);
    }

    #[test]
    fn several_processes_have_their_mean() {
        let mut mean = Mean::default();
        assert_eq!(mean.calls(), []);
        let process =
            |now: &[(&str, f64)], before: &[(&str, f64)]| beside(&calls(now), &calls(before));
        mean.add(&process(&[("read", 9.0), ("poll", 2.0)], &[("read", 3.0)]));
        mean.add(&[]);
        mean.add(&process(&[("read", 3.0)], &[("read", 3.0), ("futex", 4.0)]));
        let call =
            |name: &str, now, before| SystemCall { name: name.into(), now, before: Some(before) };
        let want = [call("read", 6.0, 3.0), call("poll", 1.0, 0.0), call("futex", 0.0, 2.0)];
        assert_eq!(mean.calls(), want);
        let mut mean = Mean::default();
        mean.add(&calls(&[("read", 3.0)]));
        mean.add(&calls(&[("read", 3.0)]));
        assert_eq!(mean.calls(), calls(&[("read", 3.0)]));
    }

    #[test]
    fn without_a_reference_the_most_frequent_are_named() {
        let names: Vec<String> = (0..30).map(|nth| format!("call{nth}")).collect();
        let all: Vec<(&str, f64)> =
            names.iter().zip(0..).map(|(name, nth)| (name.as_str(), f64::from(nth))).collect();
        let relevant = most_relevant(&calls(&all));
        assert_eq!((relevant.len(), relevant[0].name.as_str()), (NAMED, "call29"));
        let note = note(&relevant).unwrap();
        assert!(
            note.starts_with("the most frequent system calls: 29 of `call29`, 28 of"),
            "{note}"
        );
        assert_eq!((grown(&relevant), super::note(&[])), (None, None));
    }

    #[test]
    fn a_rare_call_that_grew_is_among_the_frequent_ones() {
        let names: Vec<String> = (0..30).map(|nth| format!("call{nth}")).collect();
        let mut all: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 100.0)).collect();
        let before = calls(&all);
        all.push(("fsync", 1.0));
        let relevant = most_relevant(&beside(&calls(&all), &before));
        assert_eq!((relevant.len(), relevant[NAMED].name.as_str()), (NAMED + 1, "fsync"));
    }
}
