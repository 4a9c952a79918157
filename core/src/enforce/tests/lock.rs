//! Tests of limits against accepted values, of waivers, and of the comparison of values with what was accepted.

use super::*;
use crate::budget::Waiver;
use crate::metric::Key;
use crate::outcome::{Accepted, Effect};
use crate::quantity::Unit;
use crate::verdict::judge::Carried;

fn accepted(value: f64, share: f64, unit: Unit) -> Accepted {
    let (low, high) = (Some(value * (1.0 - share)), Some(value * (1.0 + share)));
    let (date, commit) = ("2026-11-01".parse().unwrap(), Some("a1b2c3d".to_owned()));
    Accepted { value, low, high, unit, date, commit, elsewhere: None, counter: None, factor: None }
}

/// Judges one limit with an accepted value; each process has these values of p50, or of gzip.
fn judge(limit: Limit, accepted: Option<Accepted>, values: &[f64]) -> Outcome {
    let template = Outcome { metric: limit.metric.name(), accepted, ..Outcome::default() };
    one(PendingLimit { limit, template, unjudged: None, carried: Carried::default() }, values)
}

fn one(pending: PendingLimit, values: &[f64]) -> Outcome {
    let (metric, values) = (pending.limit.metric.clone(), values.to_vec());
    let source = move || {
        Ok(match metric {
            P50 => ProcessRun { operations: values.clone(), ..tenth() },
            _ => value(metric.clone(), values[0]),
        })
    };
    drive(Box::new(source), vec![pending], rules()).remove(0)
}

/// Returns the limit `1.05 x lock` as it is judged if `accepted` is the accepted value.
fn lock(metric: Metric, accepted: &mut Accepted) -> Limit {
    accepted.factor = Some(1.05);
    let quantity = Quantity::new(accepted.value * 1.05, accepted.unit);
    let target = Target::Absolute(quantity);
    Limit { warn: Some(quantity), ..limit(metric, Bound::Max, target) }
}

#[test]
fn a_multiple_of_the_accepted_value_is_a_limit() {
    let mut then = accepted(0.0051, 0.02, Unit::Seconds);
    let limit = lock(P50, &mut then);
    let bound = "1.05 x lock = 5.36 ms (accepted 5.10 ms on 2026-11-01 at a1b2c3d)";
    let held = judge(limit.clone(), Some(then.clone()), &[0.0051; 9]);
    assert_eq!(held.reason, format!("p50 is 5.10 ms, within the limit of {bound}"));
    assert_eq!((held.verdict, held.change()), (Verdict::Pass, None));
    let broken = judge(limit, Some(then), &[0.0102; 9]);
    assert_eq!(broken.reason, format!("p50 is 10.2 ms, over the limit of {bound}"));
    assert_eq!(broken.verdict, Verdict::Fail);
    // Two runs of a statistical value may be days apart, so they are not compared.
    assert_eq!(broken.change(), None);
}

#[test]
fn deterministic_values_say_what_changed() {
    let mut then = accepted(76_200.0, 0.0, Unit::Bytes);
    let limit = lock(Metric::from(Key::Gzip), &mut then);
    let outcome = judge(limit.clone(), Some(then.clone()), &[82_600.0]);
    let bound = "1.05 x lock = 80.0 KB (accepted 76.2 KB on 2026-11-01 at a1b2c3d)";
    let words = format!("gzip is 82.6 KB, over the limit of {bound}");
    assert_eq!((outcome.verdict, &outcome.reason), (Verdict::Fail, &words));
    assert_eq!(outcome.notes, ["gzip +6.40 KB since a1b2c3d"]);
    // The machine on which a deterministic value was accepted makes no difference.
    let elsewhere = Accepted { elsewhere: Some("a laptop".into()), ..then };
    assert_eq!(judge(limit, Some(elsewhere), &[82_600.0]).notes, outcome.notes);
}

#[test]
fn far_better_is_a_warning() {
    let then = || Some(accepted(100_000.0, 0.0, Unit::Bytes));
    let outcome = judge(max(Metric::from(Key::Gzip), "1 MB"), then(), &[49_999.0]);
    let words = "gzip is 50.0 KB, within the limit of 1 MB; suspiciously good: less than half of what was \
                 accepted, 100 KB on 2026-11-01 at a1b2c3d: see that the subject still does its work, and \
                 accept the new value with `cargo budget accept`";
    assert_eq!(outcome.verdict, Verdict::Warn);
    assert_eq!(outcome.reason, words);
    assert_eq!(
        judge(max(Metric::from(Key::Gzip), "1 MB"), then(), &[50_001.0]).verdict,
        Verdict::Pass
    );
    // A leak may well be gone.
    assert_eq!(
        judge(max(Metric::from(Key::Leaked), "1 MB"), then(), &[0.0]).verdict,
        Verdict::Pass
    );
    let time = || Some(accepted(0.004, 0.1, Unit::Seconds));
    assert_eq!(judge(max(P50, "10 ms"), time(), &[0.0017; 9]).verdict, Verdict::Warn);
    assert_eq!(judge(max(P50, "10 ms"), time(), &[0.0019; 9]).verdict, Verdict::Pass);
    // A red is still a red.
    assert_eq!(
        judge(max(Metric::from(Key::Gzip), "1 KB"), then(), &[49_999.0]).verdict,
        Verdict::Fail
    );
}

#[test]
fn a_much_higher_value_may_be_suspicious_too() {
    let recorded = || Metric::recorded("hits");
    let then = || Some(accepted(100.0, 0.0, Unit::Number));
    let at_least = |value: f64| judge(min(recorded(), "50"), then(), &[value]).verdict;
    assert_eq!(at_least(199.0), Verdict::Pass);
    assert_eq!(at_least(201.0), Verdict::Warn);
    // For a `min` less is not better, however much less it is.
    assert_eq!(at_least(49.0), Verdict::Fail);
    let at_most = |value: f64| judge(max(recorded(), "500"), then(), &[value]).verdict;
    assert_eq!(at_most(201.0), Verdict::Pass);
    assert_eq!(at_most(49.0), Verdict::Warn);
}

#[test]
fn a_waiver_makes_a_red_a_warning() {
    let under = |until: &str| {
        let (owner, why) = ("ann".to_owned(), "a new parser".to_owned());
        let waiver = Some(Waiver { until: until.parse().unwrap(), owner, why });
        judge(Limit { waiver, ..max(Metric::from(Key::Gzip), "100 KB") }, None, &[120_000.0])
    };
    let over = "gzip is 120 KB, over the limit of 100 KB";
    let outcome = under("2026-11-21");
    assert_eq!(outcome.reason, format!("{over}; waived until 2026-11-21 by ann: a new parser"));
    assert_eq!((outcome.verdict, outcome.is_waived()), (Verdict::Warn, true));
    let outcome = under("2026-11-20");
    assert_eq!(
        outcome.reason,
        format!("{over}; its waiver by ann expired on 2026-11-20: a new parser")
    );
    assert_eq!((outcome.verdict, outcome.is_waived()), (Verdict::Fail, false));
    assert_eq!(outcome.waived.unwrap().effect, Effect::Expired);
}

#[test]
fn a_waiver_does_not_cover_an_unmeasured_limit() {
    let until = "9999-12-31".parse().unwrap();
    let waiver = Some(Waiver { until, owner: "ann".into(), why: "so".into() });
    let limit = Limit { waiver, ..max(Metric::from(Key::Gzip), "100 KB") };
    let gone = |_| Err(Unmeasured::new(Cause::Missing, "no such file"));
    check(&run(vec![limit], rules(), gone), Verdict::Unmeasured, "no such file");
}

/// Without a limit to judge by, values are taken until the metric is known.
#[test]
fn a_value_that_cannot_be_judged_is_measured() {
    let measured = |limit: Limit, values: &[f64]| {
        let unjudged = Some(("no value is accepted yet".to_owned(), 1.5));
        let template = Outcome { metric: limit.metric.name(), ..Outcome::default() };
        let outcome =
            one(PendingLimit { limit, template, unjudged, carried: Carried::default() }, values);
        assert_eq!(outcome.verdict, Verdict::Skipped, "{}", outcome.reason);
        outcome
    };
    let reach = Target::Absolute(Quantity::new(f64::MAX / 4.0, Unit::Seconds));
    let time = measured(limit(P50, Bound::Max, reach), &[0.002; 9]);
    let words = "no value is accepted yet; it is 2 ms here (see `cargo budget accept`)";
    assert_eq!(time.reason, words);
    assert!((time.against.unwrap().limit - 0.003).abs() < 1e-12);
    let evidence = time.evidence.unwrap();
    assert_eq!((evidence.processes, evidence.detectable, evidence.fail.to_bits()), (3, None, 0));
    let reach = Target::Absolute(Quantity::new(-f64::MAX / 4.0, Unit::Number));
    let depth = limit(Metric::recorded("depth"), Bound::Min, reach);
    assert_eq!(measured(depth, &[7.0]).estimate.unwrap().value.to_bits(), 7_f64.to_bits());
    // The unit of a rate is what the workload counts.
    let reach = Target::Absolute(Quantity::new(-f64::MAX / 4.0, Unit::PerSecond));
    let rate = limit(Metric::from(Key::Throughput), Bound::Min, reach);
    let template = Outcome { metric: "throughput".into(), ..Outcome::default() };
    let pending = PendingLimit {
        limit: rate,
        template,
        carried: Carried::default(),
        unjudged: Some((String::new(), 1.0)),
    };
    let process_run = || {
        let work = Work::Bytes(1000.0);
        Ok(ProcessRun { batches: vec![0.001; 9], work, ..tenth() })
    };
    let outcomes = drive(Box::new(process_run), vec![pending], rules());
    assert_eq!(outcomes[0].against.unwrap().unit, Unit::BytesPerSecond);
}

/// With neither a value nor an accepted one there is no limit. It must not be recorded as NaN.
#[test]
fn without_a_value_and_an_accepted_one_there_is_no_limit() {
    let reach = Target::Absolute(Quantity::new(f64::MAX / 4.0, Unit::Seconds));
    let limit = limit(P50, Bound::Max, reach);
    let template = Outcome { metric: "p50".into(), ..Outcome::default() };
    let unjudged = Some(("no value is accepted yet".to_owned(), 1.5));
    let gone = || Err(Unmeasured::new(Cause::Crashed, "workload `x` crashed"));
    let pending = PendingLimit { limit, template, unjudged, carried: Carried::default() };
    let outcome = &drive(Box::new(gone), vec![pending], rules())[0];
    assert_eq!((outcome.verdict, outcome.against), (Verdict::Unmeasured, None));
    assert_eq!(outcome.reason, "workload `x` crashed");
    // The outcome can be written and read back.
    let text = serde_json::to_string(outcome).unwrap();
    assert_eq!(&serde_json::from_str::<Outcome>(&text).unwrap(), outcome);
}
