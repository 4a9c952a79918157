//! A test of the counting allocator against dhat: for the same subjects both count the same, to the last byte.

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

use perf_budget::internals::Workload;
use perf_budget::internals::process::{Request, measure};
use perf_budget::{Failed, Heap, Run};
use perf_budget_core::metric::{Metric, SubjectKind};

#[global_allocator]
static HEAP: Heap<dhat::Alloc> = Heap::of(dhat::Alloc);

/// The metrics of ours and the figures of dhat that must agree.
const PAIRS: [(&str, &str); 4] = [
    ("allocs", "dhat_blocks"),
    ("alloc_bytes", "dhat_bytes"),
    ("heap", "dhat_live"),
    ("peak_heap", "dhat_peak"),
];

fn main() -> ExitCode {
    let mut workloads: Vec<(String, Workload)> = Vec::new();
    let subjects = [
        add(&mut workloads, "growing text", growing_text),
        add(&mut workloads, "maps", maps),
        add(&mut workloads, "threads", threads),
        add(&mut workloads, "one large temporary", large_temporary),
    ];
    if let Some(code) = perf_budget::internals::serve(&workloads) {
        return code;
    }
    for subject in subjects {
        compare(subject);
    }
    ExitCode::SUCCESS
}

/// Registers a subject twice, once for our allocator and once for dhat. They must not run at the same time, since the
/// allocations of dhat itself would count.
fn add<T: 'static>(
    workloads: &mut Vec<(String, Workload)>,
    name: &'static str,
    build: fn() -> T,
) -> &'static str {
    workloads.push((name.to_owned(), Box::new(move |run| run.hold(build))));
    workloads.push((format!("{name} by dhat"), Box::new(move |run| by_dhat(run, build))));
    name
}

fn by_dhat<T>(run: &mut Run, build: fn() -> T) -> Result<(), Failed> {
    let _profiler = dhat::Profiler::builder().testing().build();
    let before = dhat::HeapStats::get();
    let value = black_box(build());
    let after = dhat::HeapStats::get();
    drop(value);
    let counted = [
        after.total_blocks - before.total_blocks,
        after.total_bytes - before.total_bytes,
        (after.curr_bytes - before.curr_bytes) as u64,
        (after.max_bytes - before.curr_bytes) as u64,
    ];
    for ((_, name), value) in PAIRS.into_iter().zip(counted) {
        run.record(name, value as f64)?;
    }
    Ok(())
}

fn compare(subject: &str) {
    let metric = |name: &str| Metric::of(SubjectKind::Workload, name).expect("every word is one");
    let process_run = |workload: &str, words: [&str; 4]| {
        let request = Request {
            workload: workload.to_owned(),
            params: Vec::new(),
            metrics: words.map(metric).to_vec(),
            slice: Duration::from_millis(50),
            max_operations: 1,
            load: None,
            paired: false,
            injection: None,
            counting: None,
            sampling: None,
            constraint: perf_budget_core::budget::Constraint::default(),
        };
        let scratch = std::env::temp_dir().join("perf-budget-peers");
        let process = measure(&request, &scratch, Duration::from_secs(60)).expect("it is measured");
        words.map(|word| process.values[&metric(word)] as u64)
    };
    let ours = process_run(subject, PAIRS.map(|pair| pair.0));
    let theirs = process_run(&format!("{subject} by dhat"), PAIRS.map(|pair| pair.1));
    assert!(ours.iter().all(|&count| count > 0), "{subject}: {ours:?}");
    assert_eq!(ours, theirs, "{subject}: {PAIRS:?}");
}

fn growing_text() -> Vec<String> {
    let text = |n: usize| (0..n).map(|k| char::from(b'a' + (k % 26) as u8)).collect::<String>();
    (0..500).map(|n| text(n * 7 % 301) + &text(n % 40)).collect()
}

fn maps() -> (BTreeMap<u64, Vec<u8>>, HashMap<String, u64>) {
    let mut tree: BTreeMap<u64, Vec<u8>> =
        (0..3000_u64).map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15), vec![1; 33])).collect();
    tree.retain(|key, _| key % 3 != 0);
    (tree, (0..1000).map(|n| (n.to_string(), n)).collect())
}

/// Starts threads one after the other, so that the peak is always the same. The allocations of a thread itself count too.
fn threads() -> Vec<Vec<u8>> {
    let part = |n: u8| std::thread::spawn(move || vec![n; 1000 * usize::from(n)]).join();
    (1..=4).map(|n| part(n).expect("it only allocates")).collect()
}

fn large_temporary() -> Vec<u8> {
    let large = black_box(vec![1_u8; 10_000_000]);
    large[..100].to_vec()
}
