//! The workloads for each crate, each a file `tests/budgets.rs` of the gate.

/// The workloads by the package's name. This library is in the list as its users have it: a change of the library changes
/// every test binary.
pub(super) const ALL: [(&str, &str); 3] = [
    (
        "serde_json",
        r##"fn main() -> std::process::ExitCode {
    perf_budget::Harness::new()
        .workload("work", |run| {
            run.iter(|| {
                let text = r#"{"a":[1,2.5,-3e7,"text \u00e9"],"b":{"c":null,"d":true}}"#;
                let value: serde_json::Value = serde_json::from_str(text).unwrap();
                (serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap())
            })
        })
        .main()
}
"##,
    ),
    (
        "hashbrown",
        r#"fn main() -> std::process::ExitCode {
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
"#,
    ),
    (
        "perf-budget",
        r#"fn main() -> std::process::ExitCode {
    perf_budget::Harness::new()
        .workload("work", |run| run.iter(|| (0..1000_u64).map(|n| n * n).sum::<u64>()))
        .main()
}
"#,
    ),
];
