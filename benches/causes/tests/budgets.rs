//! The workloads: a search, a checksum for a cause that is a flag of this file's compilation, small functions, and work
//! in tasks and threads.

use causes::count::Tally;
use causes::index::Index;
use causes::{parts, score, show, tasks, text, threads};
use perf_budget::Harness;

#[global_allocator]
static HEAP: perf_budget::Heap = perf_budget::Heap::system();

fn main() -> std::process::ExitCode {
    let documents: Vec<String> = (0..40_u32)
        .map(|n| {
            let words =
                (0..30_u32).map(|m| format!("Word{}", n.wrapping_mul(7).wrapping_add(m * m) % 50));
            words.collect::<Vec<_>>().join(" ")
        })
        .collect();
    let file = std::env::var("CAUSES_BUDGETS").unwrap_or("budgets.toml".to_owned());
    Harness::new()
        .file(file)
        .workload("search", move |run| run.iter(|| search(&documents)))
        .workload("checksum", |run| {
            let numbers: Vec<u64> = (0..5000).collect();
            run.iter(|| checksum(&numbers))
        })
        .workload("parts", |run| {
            let numbers: Vec<u64> =
                (0..500_u64).map(|n| n.wrapping_mul(0x9e37_79b9) >> 8).collect();
            run.iter(|| parts::all(&numbers))
        })
        .workload("tasks", |run| {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            let runtime = runtime.worker_threads(2).build().unwrap();
            run.iter(|| runtime.block_on(tasks::serve()))
        })
        .workload("threads", |run| {
            let words: Vec<u64> = (0..3000).collect();
            run.iter(|| threads::answer(&words))
        })
        .main()
}

fn search(documents: &[String]) -> String {
    let (mut index, tally, mut word) = (Index::default(), Tally::default(), String::new());
    for (number, document) in documents.iter().enumerate() {
        for each in document.split(' ') {
            text::normalise(each, &mut word);
            index.post(&word, number as u32);
            tally.add();
        }
        tally.tick();
    }
    let mut out = String::new();
    for hit in score::rank(&index, &["word1", "word2", "word14", "word30"]) {
        show::line(&hit, &mut out);
    }
    out
}

#[inline(never)]
fn checksum(numbers: &[u64]) -> u64 {
    numbers.iter().fold(0, |sum, &n| sum + std::hint::black_box(n) * n)
}
