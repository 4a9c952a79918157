//! The cause of a red, as data: the functions whose instructions grew.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{CallTree, Change, Inlined};

/// The unit in which the amounts of a blame are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Counter {
    /// Instructions, which were counted one by one.
    #[default]
    Instructions,
    /// Nanoseconds, by the share of samples: estimates.
    Samples,
}

impl Counter {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_instructions(&self) -> bool {
        *self == Counter::Instructions
    }

    /// Returns the word for the amounts.
    pub fn unit(self) -> &'static str {
        match self {
            Counter::Instructions => "instructions",
            Counter::Samples => "ns",
        }
    }
}

/// The instructions of one operation by function, of the reference and of what is measured; or the time, by samples.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent fact, and the form on disk is frozen"
)]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Blame {
    /// The profiler: `callgrind 3.19.0`.
    pub by: String,
    /// The seconds that it took, both sides together.
    pub seconds: f64,
    /// The instructions of one operation at the reference, the allocator's included; `None` if there is no
    /// reference, so that the profile says where time goes now.
    pub before: Option<f64>,
    /// The instructions of one operation now.
    pub now: f64,
    /// The system calls of one operation, if they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_calls: Option<Change>,
    /// The places that call the system, the greatest change first; without a reference, the most frequent first. Empty in records of
    /// older releases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub system_callers: Vec<SystemCaller>,
    /// Whether the number of system calls is red, so that the places that make them explain it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_of_system_calls: bool,
    /// The functions, the one with the greatest change first; without a reference, the one with the greatest part.
    pub functions: Vec<Blamed>,
    /// The share of the instructions that belongs to functions without a name, as in a stripped binary: of both sides, the
    /// greater one.
    #[serde(default)]
    pub nameless: f64,
    /// The allocations of one operation, if they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocations: Option<Change>,
    /// Where the allocations are made, the greatest change first; without a reference, the most of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<Site>,
    /// The bytes that one operation allocates, freed again or not; `None` if the allocator of a side does not tell them, and in
    /// records of older releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocated: Option<Change>,
    /// Whether memory is red, so that the allocations explain it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_of_memory: bool,
    /// Whether an amount of memory is red, and not a number of allocations, so that places are in the order of their bytes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_of_bytes: bool,
    /// Whether only link order or memory layout is left as an explanation: both sides run the same instructions, make the same
    /// system calls, allocate as much and take as many page faults, and the value is within the limit without the difference that
    /// layout can cause in the time on the processor.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_layout: bool,
    /// The calls of one operation as a tree. `None` in records of older releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<CallTree>,
    /// The unit of all amounts but those of `system_calls`, `allocations` and `sites`.
    #[serde(default, skip_serializing_if = "Counter::is_instructions")]
    pub counter: Counter,
    /// The remarks that a reader of samples must know: what samples cannot show, and what the counts of instructions show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// Whether inlined functions are told apart. `None` in records of older releases, and if a program has no names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inlined: Option<Inlined>,
}

/// A place that allocates: a function of the project, and the foreign function through which it does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// The name of the function of the project.
    pub name: String,
    /// The function that it calls for that: the outermost foreign function that is not inlined; empty if it calls the allocator
    /// itself. Older releases wrote the name of the allocator's function there.
    pub through: String,
    /// How often one operation allocates there.
    pub allocations: Change,
    /// How many bytes one operation allocates there, freed again or not; `None` if they are not known, as for what C allocates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Change>,
}

/// A place that calls the system: a function of the project, and the foreign function through which it does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SystemCaller {
    /// The name of the function of the project.
    pub name: String,
    /// The function that it calls for that: the outermost foreign function that is not inlined; empty if it calls the system itself.
    pub through: String,
    /// How often one operation calls the system there.
    pub calls: Change,
}

/// A function of the project, with the foreign code that it runs: what is below it up to the next function of the project.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Blamed {
    /// The name, without hashes and generic arguments.
    pub name: String,
    /// Its instructions in one operation, with those of the foreign code below it.
    pub own: Change,
    /// Its instructions with all that it calls.
    pub inclusive: Change,
    /// How often it is called in one operation; 0 if it is inlined into its caller.
    pub calls: Change,
    /// The function of the project that makes most of the change in calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// The parts of `own`: the function itself, by an empty name, and the functions of other crates and libraries below it.
    pub parts: Vec<(String, Change)>,
    /// The 90 % interval of the change of `own`, or of `own` itself if there is no reference; `None` if it was
    /// counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<(f64, f64)>,
}

impl Blamed {
    /// Whether a change is certain: its interval does not include 0. Counted amounts have no interval, and are certain.
    pub fn is_certain(&self) -> bool {
        self.interval.is_none_or(|(low, high)| low > 0.0 || high < 0.0)
    }
}

impl Site {
    /// Compares two places by how their bytes changed.
    pub(crate) fn order_by_bytes(&self, other: &Site) -> Ordering {
        self.bytes.unwrap_or_default().order(other.bytes.unwrap_or_default())
    }
}

impl Blame {
    /// Makes this the explanation of an amount of memory: the places are put into the order of their bytes, if these are known.
    pub fn explain_bytes(&mut self) {
        self.is_of_bytes = true;
        if self.allocated.is_some() {
            self.sites.sort_by(|a, b| b.order_by_bytes(a));
        }
    }

    /// Whether one operation makes as many system calls as at the reference; `None` if they were not counted.
    pub fn same_system_calls(&self) -> Option<bool> {
        self.system_calls.map(|calls| calls.before.to_bits() == calls.now.to_bits())
    }

    /// Whether one operation runs as many instructions as at the reference, to the last one, in each function.
    pub fn is_same(&self) -> bool {
        if self.counter == Counter::Samples {
            return false;
        }
        let same = |change: Change| change.before.to_bits() == change.now.to_bits();
        self.before.is_some_and(|before| before.to_bits() == self.now.to_bits())
            && self.functions.iter().all(|function| same(function.own) && same(function.calls))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::frozen::frozen;

    #[test]
    fn the_form_of_a_blame_is_frozen_and_that_of_an_older_record_is_read() {
        let old = r#""by":"callgrind 3.19.0","seconds":0.9,"before":10.0,"now":12.5,"system_calls":{"before":1.0,"now":2.0},"functions":[{"name":"a::b","own":{"before":10.0,"now":12.5},"inclusive":{"before":10.0,"now":12.5},"calls":{"before":1.0,"now":2.0},"caller":"a","parts":[["",{"before":10.0,"now":12.5}]]}],"nameless":0.0"#;
        let blame: Blame = frozen(&format!("{{{old}}}"));
        assert!(blame.calls.is_none() && blame.sites.is_empty() && !blame.is_of_memory);
        let new = format!(
            r#"{{{old},"allocations":{{"before":1.0,"now":2.0}},"sites":[{{"name":"a::b","through":"malloc","allocations":{{"before":1.0,"now":2.0}}}}],"is_of_memory":true,"calls":{{"names":["a::b"],"frames":[[0,0,10.0,12.5]]}}}}"#
        );
        let blame: Blame = frozen(&new);
        assert_eq!(blame.sites[0].allocations, Change { before: 1.0, now: 2.0 });
        assert_eq!(blame.counter, Counter::Instructions);
        let bytes = format!(
            r#"{{{old},"allocations":{{"before":1.0,"now":1.0}},"sites":[{{"name":"a::b","through":"malloc","allocations":{{"before":1.0,"now":1.0}},"bytes":{{"before":8.0,"now":64.0}}}}],"allocated":{{"before":8.0,"now":64.0}},"is_of_memory":true,"is_of_bytes":true}}"#
        );
        let blame: Blame = frozen(&bytes);
        assert_eq!(blame.sites[0].bytes, Some(Change { before: 8.0, now: 64.0 }));
        assert!(blame.is_of_bytes);
        let calls = format!(
            r#"{{{},"system_callers":[{{"name":"a::b","through":"write","calls":{{"before":1.0,"now":2.0}}}}],"is_of_system_calls":true,{}}}"#,
            &old[..old.find(",\"functions\"").unwrap()],
            &old[old.find("\"functions\"").unwrap()..],
        );
        assert_eq!(
            frozen::<Blame>(&calls).system_callers[0].calls,
            Change { before: 1.0, now: 2.0 }
        );
        let layout: Blame = frozen(&format!(r#"{{{old},"is_layout":true}}"#));
        assert!(layout.is_layout && layout.same_system_calls() == Some(false));
        let sampled = r#"{"by":"900 samples","seconds":0.9,"before":null,"now":12.5,"functions":[{"name":"a::b","own":{"before":0.0,"now":12.5},"inclusive":{"before":0.0,"now":12.5},"calls":{"before":0.0,"now":0.0},"parts":[],"interval":[12.0,13.0]}],"nameless":0.0,"counter":"samples","remarks":["x"]}"#;
        assert_eq!(frozen::<Blame>(sampled).functions[0].interval, Some((12.0, 13.0)));
        for inlined in [r#""unknown""#, r#""named""#, r#"{"waiting":{"file":"a","at":5}}"#] {
            assert!(
                frozen::<Blame>(&format!(r#"{{{old},"inlined":{inlined}}}"#)).inlined.is_some()
            );
        }
    }
}
