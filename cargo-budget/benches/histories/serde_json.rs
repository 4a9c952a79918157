//! Parsing and printing, as most users of the crate do both.

fn main() -> std::process::ExitCode {
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
