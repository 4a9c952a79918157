//! The scanner held to `budgets.toml`.

mod made;

use std::process::ExitCode;

use perf_budget::{Harness, Heap};
use shield::{Counts, Scanner, corpus};

#[global_allocator]
static HEAP: Heap = Heap::system();

fn main() -> ExitCode {
    made::all();
    Harness::new()
        .workload("sustained", |run| {
            let leak: usize = run.param("leak")?;
            let (scanner, prompts, mut counts) = ready();
            let mut next = prompts.iter().cycle();
            run.iter(|| {
                let prompt = next.next().expect("it goes round");
                counts.add(scanner.scan(prompt));
                // If the parameter says so, this leaks memory, as a cache does that grows without end.
                Vec::<u8>::with_capacity(leak).leak().as_ptr()
            })
        })
        .workload("corpus", |run| {
            let (scanner, prompts, _) = ready();
            run.bytes(prompts.iter().map(|prompt| prompt.len() as u64).sum());
            run.iter(|| count(&scanner, &prompts))
        })
        .main()
}

/// A scanner that has seen everything once, so that what it builds on the way is there.
fn ready() -> (Scanner, Vec<String>, Counts) {
    let (scanner, prompts) = (Scanner::new(), corpus::generate(0, corpus::SIZE));
    let counts = count(&scanner, &prompts);
    (scanner, prompts, counts)
}

fn count(scanner: &Scanner, prompts: &[String]) -> Counts {
    let mut counts = Counts::default();
    for prompt in prompts {
        counts.add(scanner.scan(prompt));
    }
    counts
}
