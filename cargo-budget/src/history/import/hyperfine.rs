//! The importer of hyperfine's results: `--export-json`. Times are in seconds.

use perf_budget_core::quantity::Unit;
use serde_json::Value;

use super::parsed::{Parsed, number, text};
use crate::history::entry::Measured;
use crate::text::counted;

const STATISTICS: [(&str, &str); 4] =
    [("mean", "wall_mean"), ("median", "wall_p50"), ("min", "wall_min"), ("max", "wall_max")];

pub(super) fn recognizes(json: &Value) -> bool {
    let first = json.get("results").and_then(|results| results.get(0));
    first.is_some_and(|result| text(result, "command").is_some() && result.get("mean").is_some())
}

pub(super) fn read(json: &Value) -> Result<Parsed, String> {
    let results = json.get("results").and_then(Value::as_array).ok_or("it has no `results`")?;
    let mut values = Vec::new();
    for (i, result) in results.iter().enumerate() {
        let command =
            text(result, "command").ok_or_else(|| format!("result {i} has no `command`"))?;
        let name = command.to_owned() + &parameters(result);
        let failed = failures(result);
        let seconds = |word: &str, value: f64| {
            let mut value = Measured::imported("hyperfine", &name, word, Unit::Seconds, value);
            if failed > 0 {
                let runs = counted(failed, "run");
                value.reason = format!("{}; {runs} of the command failed", value.reason);
            }
            value
        };
        for (statistic, word) in STATISTICS {
            let value = number(result, &[statistic])
                .ok_or_else(|| format!("the result of `{command}` has no number `{statistic}`"))?;
            values.push(seconds(word, value));
        }
        let processor = number(result, &["user"]).zip(number(result, &["system"]));
        values.extend(processor.map(|(user, system)| seconds("cpu", user + system)));
    }
    Ok(Parsed { values, ..Parsed::default() })
}

/// Returns the parameters that `--parameter-scan` and `--parameter-list` set, since the command may not show them.
fn parameters(result: &Value) -> String {
    let Some(parameters) = result.get("parameters").and_then(Value::as_object) else {
        return String::new();
    };
    let each = parameters.iter().map(|(name, value)| {
        format!(" [{name}={}]", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    });
    each.collect()
}

/// Counts the runs that did not exit with 0. hyperfine includes them in its statistics where it is told to ignore
/// failures.
fn failures(result: &Value) -> usize {
    let codes = result.get("exit_codes").and_then(Value::as_array);
    codes.map_or(0, |codes| codes.iter().filter(|code| code.as_i64() != Some(0)).count())
}
