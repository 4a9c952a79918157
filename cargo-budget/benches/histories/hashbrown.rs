//! Inserting, finding, walking and removing.

fn main() -> std::process::ExitCode {
    perf_budget::Harness::new()
        .workload("work", |run| {
            run.iter(|| {
                let mut map = hashbrown::HashMap::new();
                for n in 0..1000_u64 {
                    *map.entry(n % 700).or_insert(n) += n;
                }
                map.retain(|key, _| key % 3 != 0);
                let sum: u64 = map.values().sum();
                (map.remove(&7), map.get(&8).copied(), sum)
            })
        })
        .main()
}
