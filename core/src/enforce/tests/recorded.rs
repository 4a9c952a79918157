//! Tests of limits on values that another program recorded in one process.

use super::*;
use crate::metric::Key;

/// A record of batches that take `seconds` each, and differ from it by at most the share `spread`.
struct Record {
    seconds: f64,
    spread: f64,
}

impl Record {
    fn process_run(&self) -> ProcessRun {
        let batches =
            (0..20).map(|i| self.seconds * (1.0 + self.spread * (f64::from(i) / 9.5 - 1.0)));
        ProcessRun { batches: batches.collect(), batch_size: 1, ..ProcessRun::default() }
    }
}

const MEAN: Metric = Key::Mean.at(Statistic::Mean);

fn judged(limit: Limit, seconds: f64, spread: f64, rules: Rules) -> Outcome {
    let record = Record { seconds, spread };
    let pending = pending_limits(Carried::default(), vec![limit]);
    drive_from(Origin::Record, Box::new(move || Ok(record.process_run())), pending, rules).remove(0)
}

#[track_caller]
fn check_record(limit: Limit, seconds: f64, spread: f64, verdict: Verdict, reason: &str) {
    check(&[judged(limit, seconds, spread, rules())], verdict, reason);
}

/// The tolerance of 10 % allows on both sides for the other processes, which were not measured.
#[test]
fn an_interval_of_one_process_has_to_clear_the_tolerance_to_fail_and_the_limit_to_pass() {
    let at = |seconds, spread, verdict, reason: &str| {
        check_record(max(MEAN, "1 ms"), seconds, spread, verdict, reason);
    };
    at(0.8e-3, 0.01, Verdict::Pass, "mean is 800 µs, within the limit of 1 ms");
    at(0.95e-3, 0.01, Verdict::Warn, "mean is 950 µs, 95 % of the limit of 1 ms");
    let near = "too near the limit of 1 ms to tell after 20 batches in 1 process";
    at(
        1e-3,
        0.01,
        Verdict::Inconclusive,
        &format!("mean is 1 ms and may be as high as 1.01 ms, {near}"),
    );
    at(
        1.05e-3,
        0.01,
        Verdict::Inconclusive,
        &format!("mean is 1.05 ms and may be as high as 1.06 ms, {near}"),
    );
    at(1.2e-3, 0.01, Verdict::Fail, "mean is 1.20 ms, over the limit of 1 ms");
    let rate = |limit| min(Metric::from(Key::Throughput), limit);
    check_record(
        rate("1000 op/s"),
        1.2e-3,
        0.01,
        Verdict::Fail,
        "throughput is 833 op/s, under the limit of 1 K op/s",
    );
    check_record(
        rate("1000 op/s"),
        0.8e-3,
        0.01,
        Verdict::Pass,
        "throughput is 1.25 K op/s, within the limit of 1 K op/s",
    );
}

#[test]
fn a_record_that_scatters_too_far_is_inconclusive() {
    let outcome = judged(max(MEAN, "1 ms"), 1e-3, 0.9, rules());
    assert_eq!(outcome.verdict, Verdict::Inconclusive);
    let remedy = "a quieter machine or a longer `measurement_time` would settle it";
    assert!(outcome.reason.ends_with(remedy), "{}", outcome.reason);
    assert!(outcome.reason.contains("and may be as high as"), "{}", outcome.reason);
}

#[test]
fn a_record_near_its_limit_is_red_if_set_so() {
    let rules = Rules { inconclusive: Inconclusive::Fail, ..rules() };
    assert!(judged(max(MEAN, "1 ms"), 1e-3, 0.01, rules).is_red());
}

#[test]
fn a_record_has_neither_odds_nor_noise() {
    for seconds in [0.8e-3, 1e-3, 1.2e-3] {
        let outcome = judged(max(MEAN, "1 ms"), seconds, 0.01, rules());
        let evidence = outcome.evidence.unwrap();
        assert!(evidence.is_recorded(), "{evidence:?}");
        assert_eq!((evidence.processes, evidence.values, evidence.detectable), (1, 20, None));
        assert_eq!(outcome.noise, None);
        assert_eq!(outcome.shape.unwrap().of, "batches");
    }
}

#[test]
fn without_an_accepted_value_it_is_set_aside_after_one_reading() {
    let pending = PendingLimit {
        carried: Carried::default(),
        template: Outcome { metric: MEAN.name(), ..Outcome::default() },
        limit: max(MEAN, "1 h"),
        unjudged: Some(("nothing is accepted yet".to_owned(), 1.0)),
    };
    let record = Record { seconds: 1e-3, spread: 0.01 };
    let mut inquiry = Inquiry::new(vec![pending], rules(), Origin::Record);
    inquiry.add(Ok(record.process_run()));
    assert!(inquiry.is_done());
    assert_eq!(inquiry.outcomes()[0].verdict, Verdict::Skipped);
}
