//! Requests and replies survive the way through a file; what is cut short does not pass.

use super::*;
use crate::metric::{Key, Statistic};

fn fork() -> Fork {
    Fork {
        operations: vec![1.5e-6, 2.25e-9, 0.0],
        batches: vec![0.1],
        batch_size: 7,
        work: Work::Bytes(4096.0),
        clock: Some(Clock { cost: 3e-8, resolution: 1e-9 }),
        timing: Some(Timing::LessWaiting),
        values: [(Metric::from(Key::Allocs), 10.3), (Metric::recorded("accuracy"), 0.97)].into(),
        elapsed: Duration::ZERO,
        waited: Some(0.25),
        preempted: Some(3),
        notes: vec!["a \"note\"\nof two lines".into()],
        ..Fork::default()
    }
}

#[test]
fn a_fork_survives() {
    let text = serde_json::to_vec(&WireReply::new(Ok(fork()))).unwrap();
    assert_eq!(WireReply::parse(&text), Ok(fork()));
}

#[test]
fn a_reason_survives() {
    for cause in CAUSES {
        let reason = Unmeasured::new(cause, "why");
        let text = serde_json::to_vec(&WireReply::new(Err(reason.clone()))).unwrap();
        assert_eq!(WireReply::parse(&text), Err(reason));
    }
}

#[test]
fn a_reply_that_is_cut_short_is_no_reply() {
    let text = serde_json::to_vec(&WireReply::new(Ok(fork()))).unwrap();
    for length in 0..text.len() {
        assert_eq!(WireReply::parse(&text[..length]).unwrap_err().cause, Cause::Harness);
    }
}

#[test]
fn a_value_that_cannot_be_is_no_reading() {
    let text = serde_json::to_vec(&WireReply::new(Ok(Fork { batches: vec![-1.0], ..fork() })));
    assert_eq!(WireReply::parse(&text.unwrap()).unwrap_err().cause, Cause::InvalidReading);
}

#[test]
fn a_request_survives() {
    let request = Request {
        workload: "merge".into(),
        params: vec![("ops".into(), Param::Int(10)), ("load".into(), Param::Float(0.8))],
        metrics: vec![Key::Latency.at(Statistic::P99), Metric::recorded("accuracy")],
        load: None,
        slice: Duration::from_millis(100),
        max_operations: 5,
        paired: false,
        plant: None,
    };
    let text = serde_json::to_vec(&WireRequest::new(&request, "/reply".into())).unwrap();
    let read: WireRequest = serde_json::from_slice(&text).unwrap();
    assert_eq!(read.reply, std::path::Path::new("/reply"));
    assert_eq!(read.request(), request);
}

#[track_caller]
fn check(metrics: &[Metric], expected: Option<Instrument>) {
    let request = Request {
        workload: String::new(),
        params: Vec::new(),
        metrics: metrics.to_vec(),
        load: None,
        slice: Duration::ZERO,
        max_operations: 0,
        paired: false,
        plant: None,
    };
    assert_eq!(request.instrument().ok(), expected, "{metrics:?}");
}

#[test]
fn one_fork_has_one_instrument() {
    let custom = Metric::recorded("accuracy");
    check(&[], Some(Instrument::Time));
    check(std::slice::from_ref(&custom), Some(Instrument::Time));
    check(&[Metric::from(Key::Cpu), Metric::from(Key::Throughput)], Some(Instrument::Time));
    check(&[Metric::slope(Metric::from(Key::Rss)), custom], Some(Instrument::Memory));
    check(&[Metric::from(Key::Allocs), Metric::from(Key::Leaked)], Some(Instrument::Heap));
    check(&[Metric::from(Key::Fuel)], Some(Instrument::Fuel));
    check(&[Metric::from(Key::Allocs), Metric::from(Key::Fuel)], None);
    check(&[Metric::from(Key::Allocs), Metric::from(Key::Rss)], None);
    check(&[Metric::from(Key::Rss), Metric::from(Key::Cpu), Metric::from(Key::PeakRss)], None);
}
