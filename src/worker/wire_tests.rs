//! Tests of requests and replies that are written to a file and read again; one that is cut short is refused.

use perf_budget_core::exact::frozen::frozen;
use perf_budget_core::exact::read;
use perf_budget_core::metric::{Key, Statistic};

use super::*;

fn process_run() -> ProcessRun {
    ProcessRun {
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
        ..ProcessRun::default()
    }
}

#[test]
fn a_process_run_is_read_as_it_was_written() {
    let text = serde_json::to_vec(&WireReply::new(Ok(process_run()))).unwrap();
    assert_eq!(WireReply::parse(&text), Ok(process_run()));
}

#[test]
fn a_reason_is_read_as_it_was_written() {
    for cause in CAUSES {
        let reason = Unmeasured::new(cause, "why");
        let text = serde_json::to_vec(&WireReply::new(Err(reason.clone()))).unwrap();
        assert_eq!(WireReply::parse(&text), Err(reason));
    }
}

#[test]
fn a_reply_that_is_cut_short_is_refused() {
    let text = serde_json::to_vec(&WireReply::new(Ok(process_run()))).unwrap();
    for length in 0..text.len() {
        assert_eq!(WireReply::parse(&text[..length]).unwrap_err().cause, Cause::Harness);
    }
}

#[test]
fn an_impossible_value_is_not_a_reading() {
    let text = serde_json::to_vec(&WireReply::new(Ok(ProcessRun {
        batches: vec![-1.0],
        ..process_run()
    })));
    assert_eq!(WireReply::parse(&text.unwrap()).unwrap_err().cause, Cause::InvalidReading);
}

#[test]
fn a_request_is_read_as_it_was_written() {
    let request = Request {
        workload: "merge".into(),
        params: vec![("ops".into(), Param::Int(10)), ("load".into(), Param::Float(0.8))],
        metrics: vec![Key::Latency.at(Statistic::P99), Metric::recorded("accuracy")],
        load: None,
        slice: Duration::from_millis(100),
        max_operations: 5,
        paired: false,
        injection: None,
        counting: None,
        sampling: None,
        constraint: perf_budget_core::budget::Constraint::default(),
    };
    let text = serde_json::to_vec(&WireRequest::new(&request, "/reply".into())).unwrap();
    let read: WireRequest = serde_json::from_slice(&text).unwrap();
    assert_eq!(read.reply, std::path::Path::new("/reply"));
    assert_eq!(read.request(), request);
}

#[track_caller]
fn check(metrics: &[Metric], expected: Option<WorkerInstrument>) {
    let request = Request {
        workload: String::new(),
        params: Vec::new(),
        metrics: metrics.to_vec(),
        load: None,
        slice: Duration::ZERO,
        max_operations: 0,
        paired: false,
        injection: None,
        counting: None,
        sampling: None,
        constraint: perf_budget_core::budget::Constraint::default(),
    };
    assert_eq!(request.instrument().ok(), expected, "{metrics:?}");
}

#[test]
fn one_process_has_one_instrument() {
    let custom = Metric::recorded("accuracy");
    check(&[], Some(WorkerInstrument::Time));
    check(std::slice::from_ref(&custom), Some(WorkerInstrument::Time));
    check(&[Metric::from(Key::Cpu), Metric::from(Key::Throughput)], Some(WorkerInstrument::Time));
    check(&[Metric::slope(Metric::from(Key::Rss)), custom], Some(WorkerInstrument::Memory));
    check(&[Metric::from(Key::Allocs), Metric::from(Key::Leaked)], Some(WorkerInstrument::Heap));
    check(&[Metric::from(Key::Fuel)], Some(WorkerInstrument::Fuel));
    check(&[Metric::from(Key::Allocs), Metric::from(Key::Fuel)], None);
    check(&[Metric::from(Key::Allocs), Metric::from(Key::Rss)], None);
    check(&[Metric::from(Key::Rss), Metric::from(Key::Cpu), Metric::from(Key::PeakRss)], None);
}

const REQUEST: &str = r#"{"workload":"merge","params":[["ops",{"Int":10}],["share",{"Float":0.30000000000000004}],["kind",{"Text":"ä"}],["warm",{"Bool":true}]],"metrics":["p99","accuracy"],"load":{"shape":"spike","rate":1000.0,"concurrency":8,"peak":5000.0,"every":{"secs":2,"nanos":0},"width":{"secs":0,"nanos":500000000}},"slice":{"secs":0,"nanos":100000000},"max_operations":5,"paired":true,"injection":{"effect":"Work","share":0.1,"amount":0.0},"reply":"target/reply"}"#;

const PROCESS_RUN: &str = r#"{"ProcessRun":{"operations":[1.5e-6,0.0],"batches":[3.3333333333333335e-7],"batch_size":7,"work":["Bytes",4096.0],"clock":[3e-8,1e-9],"timing":"LessWaiting","values":[["allocs",10.3],["accuracy",0.97]],"waited":0.25,"preempted":3,"notes":["a \"note\""],"lag":[0.001,0.002],"at_least":0.5,"grain":64.0}}"#;

#[test]
fn the_files_between_the_processes_stay_as_they_are() {
    let request = frozen::<WireRequest>(REQUEST).request();
    assert_eq!(request.params[1], ("share".to_owned(), Param::Float(0.1 + 0.2)));
    let (every, width) = (Duration::from_secs(2), Duration::from_millis(500));
    let shape = LoadShape::Spike { peak: 5000.0, every, width };
    assert_eq!(request.load, Some(Load { shape, rate: 1000.0, concurrency: 8 }));
    frozen::<WireReply>(PROCESS_RUN);
    let process = WireReply::parse(PROCESS_RUN.as_bytes()).unwrap();
    assert_eq!((process.batches[0], process.batch_size), (3.333_333_333_333_333_5e-7, 7));
    assert_eq!(process.timing, Some(Timing::LessWaiting));
    frozen::<WireReply>(r#"{"Unmeasured":["workload-failed","it said \"no\""]}"#);
}

#[test]
fn a_file_of_an_older_or_newer_binary_is_read() {
    let old = r#"{"workload":"merge","params":[],"metrics":[],"slice":{"secs":1,"nanos":0},"max_operations":5,"reply":"r"}"#;
    let request = read::<WireRequest>(old.as_bytes()).unwrap().request();
    assert_eq!((request.load, request.paired, request.injection), (None, false, None));
    let old = r#"{"Fork":{"operations":[],"batches":[],"batch_size":0,"work":["Operations",1.0],"values":[],"notes":[]}}"#;
    let process = WireReply::parse(old.as_bytes()).unwrap();
    assert_eq!(process, ProcessRun { work: Work::Operations(1.0), ..ProcessRun::default() });
    let new = PROCESS_RUN.replace(r#""batch_size""#, r#""new":{"a":[1.5]},"batch_size""#);
    assert_eq!(WireReply::parse(new.as_bytes()), WireReply::parse(PROCESS_RUN.as_bytes()));
    let new = REQUEST.replace(r#""reply""#, r#""new":null,"reply""#);
    assert_eq!(
        read::<WireRequest>(new.as_bytes()).unwrap().request(),
        frozen::<WireRequest>(REQUEST).request()
    );
}

#[test]
fn a_missing_field_is_refused() {
    let why =
        WireReply::parse(PROCESS_RUN.replace("batch_size", "size").as_bytes()).unwrap_err().text;
    assert!(why.contains("`batch_size`"), "{why}");
    let why = WireReply::parse(PROCESS_RUN.replace("LessWaiting", "Sundial").as_bytes())
        .unwrap_err()
        .text;
    assert!(why.contains("Sundial"), "{why}");
    let nothing = PROCESS_RUN.replace("3.3333333333333335e-7", "null");
    assert_eq!(WireReply::parse(nothing.as_bytes()).unwrap_err().cause, Cause::Harness);
    for text in
        ["{}", "[]", "null", r#"{"ProcessRun":{},"Unmeasured":["a","b"]}"#, r#"{"Other":[]}"#]
    {
        assert_eq!(WireReply::parse(text.as_bytes()).unwrap_err().cause, Cause::Harness, "{text}");
    }
}
