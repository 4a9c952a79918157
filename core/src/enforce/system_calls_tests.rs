//! Tests of the system calls that the sentence of a red names.

use std::time::Duration;

use super::scripted::{limit, rules};
use super::{Inquiry, Origin, PendingLimit};
use crate::budget::{Bound, Reference, Target};
use crate::metric::{Key, Metric};
use crate::outcome::{Outcome, SystemCall};
use crate::reading::ProcessRun;
use crate::verdict::Verdict;
use crate::verdict::judge::Carried;

/// Judges processes that make these numbers of calls of `read`, against a base that makes two.
fn judged(bound: Bound, factor: f64, reads: &[f64]) -> Outcome {
    let metric = Metric::from(Key::Syscalls);
    let target = Target::Relative { factor, reference: Reference::Base };
    let limit = limit(metric.clone(), bound, target);
    let (template, carried) = (Outcome::default(), Carried::default());
    let pending = PendingLimit { limit, template, carried, unjudged: None };
    let mut inquiry = Inquiry::new(vec![pending], rules(), Origin::Measured);
    for &now in reads.iter().cycle().take(100) {
        if inquiry.is_done() {
            break;
        }
        inquiry.add(Ok(ProcessRun {
            values: [(metric.clone(), now / 2.0)].into(),
            system_calls: vec![SystemCall { name: "read".to_owned(), now, before: Some(2.0) }],
            elapsed: Duration::from_millis(200),
            ..ProcessRun::default()
        }));
    }
    inquiry.outcomes()[0].clone()
}

#[test]
fn the_calls_that_grew_are_named_if_there_are_too_many() {
    let red = judged(Bound::Max, 1.0, &[6.0]);
    assert_eq!(red.verdict, Verdict::Fail, "{red:#?}");
    assert!(red.reason.ends_with(": +4 of `read` (2 to 6)"), "{}", red.reason);
    let red = judged(Bound::Min, 4.0, &[6.0]);
    assert_eq!(red.verdict, Verdict::Fail, "{red:#?}");
    assert!(!red.reason.contains("`read`"), "{}", red.reason);
}

#[test]
fn the_outcome_has_the_mean_of_all_processes() {
    let red = judged(Bound::Max, 1.0, &[6.0, 8.0]);
    let [read] = &red.system_calls[..] else { panic!("{red:#?}") };
    assert!(read.now > 6.0 && read.now < 8.0, "{read:?}");
}
