//! Outcomes from rows, so that a case states only what matters about a run:
//!
//! `merge::p99 pass max 0.03 s 0.003 0.002 0.0019 0.0021 subject=merge p50=0.001`
//!
//! A row has the test, the verdict, the limit with its unit and tolerance, and the value with its interval. An end that
//! is not bounded is `-`, and a deterministic metric has a tolerance of 0. A run begins with a row of its own, with the
//! number of tests that it left out: `begun run=2 filtered=1`.

use perf_budget_core::outcome::{Distribution, Evidence, Outcome, Run};
use perf_budget_core::record::Begun;
use serde_json::json;

/// Returns the record that the rows describe.
pub(crate) fn record(rows: &str) -> String {
    let rows = rows.lines().filter(|row| !row.trim().is_empty() && !row.starts_with('#'));
    let line = |row: &str| match row.strip_prefix("begun ") {
        Some(row) => serde_json::to_string(&begun(row)).unwrap(),
        None => serde_json::to_string(&outcome(row)).unwrap(),
    };
    rows.map(|row| line(row) + "\n").collect()
}

fn begun(row: &str) -> Begun {
    let of = |key: &str| row.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
    let run = Run {
        id: of("run").unwrap_or("1").to_owned(),
        environment: of("env").map(str::to_owned),
        ..Run::default()
    };
    let filtered = of("filtered").map_or(0, |number| number.parse().unwrap());
    Begun { filtered, run, ..Begun::default() }
}

fn outcome(row: &str) -> Outcome {
    let words: Vec<&str> = row.split_whitespace().collect();
    let [test, verdict, bound, limit, unit, tolerance, value, low, high, rest @ ..] = &words[..]
    else {
        panic!("not a row: {row}")
    };
    let number = |text: &str| text.parse::<f64>().ok();
    let of = |key: &str| rest.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
    let parts: Vec<&str> = test.split("::").collect();
    let case = parts.iter().find(|part| part.contains('=')).copied().unwrap_or_default();
    let metric = parts.iter().skip(1).find(|part| **part != case).copied().unwrap();
    let exact = number(tolerance) == Some(0.0);
    let quantiles: Vec<(String, f64)> = rest
        .iter()
        .filter_map(|word| word.split_once('='))
        .filter(|(name, _)| name.starts_with('p') && name[1..].parse::<u32>().is_ok())
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect();
    let limit = number(limit).unwrap();
    let evidence = Evidence {
        fail: 0.0,
        fail_at: 5.0,
        pass: 4.0,
        pass_at: 3.0,
        detectable: None,
        detectable_longer: None,
        effort_to_settle: None,
        processes: 3,
        values: 300,
        waited: None,
        preempted: None,
    };
    Outcome {
        test: (*test).to_owned(),
        budget: parts[0].to_owned(),
        case: case.to_owned(),
        metric: metric.to_owned(),
        subject: format!("workload {}", of("subject").unwrap_or(parts[0])),
        verdict: serde_json::from_value(json!(verdict)).unwrap(),
        reason: of("reason").unwrap_or("it is what it is").to_owned(),
        against: number(value).map(|_| {
            let (warn, tolerance) = (limit * 0.9, number(tolerance).unwrap());
            serde_json::from_value(
                json!({ "bound": bound, "limit": limit, "warn": warn, "tolerance": tolerance, "unit": unit }),
            )
            .unwrap()
        }),
        relative_to: of("to").map(str::to_owned),
        estimate: number(value).map(|value| {
            serde_json::from_value(
                json!({ "value": value, "low": number(low), "high": number(high) }),
            )
            .unwrap()
        }),
        evidence: (!exact).then_some(evidence),
        shape: (!quantiles.is_empty()).then(|| Distribution {
            of: "operations".to_owned(),
            quantiles,
            bars: Vec::new(),
        }),
        run: Run {
            id: of("run").unwrap_or("1").to_owned(),
            profile: of("profile").unwrap_or("release").to_owned(),
            environment: of("env").map(str::to_owned),
            ..Run::default()
        },
        ..Outcome::default()
    }
}
