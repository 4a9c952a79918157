//! The reader of a limit's target: a quantity that suits the metric, or `FACTOR x REFERENCE`.

use toml::de::DeValue;

use super::collect::Mistakes;
use super::printable::quoted;
use super::problem::Problem;
use super::read::{self, Value};
use crate::budget::{Bound, Reference, Target};
use crate::metric::{Metric, Units, Values};
use crate::quantity::{Quantity, Unit};

/// Reads the target of a limit on `metric`.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other values of TOML are treated alike")]
pub(super) fn read(
    metric: &Metric,
    bound: Bound,
    value: &Value<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Target> {
    let target = match value.get_ref() {
        DeValue::String(text) => match relative(value, text) {
            Some(relative) => relative.and_then(|target| allow_relative(metric, value, target)),
            None => absolute(metric, value).map(Target::Absolute),
        },
        _ => absolute(metric, value).map(Target::Absolute),
    };
    let target = target.and_then(|target| match &target {
        Target::Absolute(quantity) => match why_pointless(metric, bound, *quantity) {
            Some(reason) => Err(Problem::new(value.span(), reason)
                .help("change the limit, or remove it")
                .into()),
            None => Ok(target),
        },
        Target::Relative { .. } => Ok(target),
    });
    report_problem(target, mistakes)
}

/// Reads a quantity in the metric's unit, as `warn` is.
pub(super) fn read_quantity(
    metric: &Metric,
    value: &Value<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Quantity> {
    report_problem(absolute(metric, value), mistakes)
}

/// Reports the problem of a value that could not be read.
fn report_problem<T>(result: Result<T, Box<Problem>>, mistakes: &mut Mistakes<'_>) -> Option<T> {
    result.map_err(|problem| mistakes.report(*problem)).ok()
}

/// Returns an example of a limit on this metric.
pub(super) fn example(metric: &Metric) -> &'static str {
    match (metric.values(), metric.units()) {
        (Values::Slope, _) => "1.1",
        (Values::Code, _) => "0",
        (_, Units::Rate) => "\"1000 op/s\" or \"64 MB/s\"",
        (_, Units::Any) => "a number, with or without a unit",
        (_, Units::One(unit)) => unit.example(),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all other values of TOML are treated alike")]
fn absolute(metric: &Metric, value: &Value<'_>) -> Result<Quantity, Box<Problem>> {
    let at = value.span();
    let example_help = || format!("write {}", example(metric));
    let quantity = match value.get_ref() {
        DeValue::String(text) => match Quantity::parse(text) {
            Ok(quantity) => quantity,
            Err(fault) => {
                let fault = super::printable::printable(&fault).replace('\n', " ");
                return Err(Problem::new(at, format!("`{metric}`: {fault}"))
                    .help(example_help())
                    .into());
            }
        },
        number @ (DeValue::Integer(_) | DeValue::Float(_)) => {
            let Some(n) = read::number(number) else {
                let written = read::number_text(number);
                let title = format!("{} is not a finite number of 64 bits", quoted(&written));
                return Err(Problem::new(at, title).help(example_help()).into());
            };
            Quantity::new(n, Unit::Number)
        }
        _ => {
            let title = format!(
                "expected a quantity for `{metric}`, found {}",
                read::type_with_article(value)
            );
            return Err(Problem::new(at, title).help(example_help()).into());
        }
    };
    let wanted = match metric.units() {
        Units::Any => return Ok(quantity),
        Units::Rate if quantity.unit == Unit::BytesPerSecond => return Ok(quantity),
        Units::Rate => Unit::PerSecond,
        Units::One(unit) => unit,
    };
    if quantity.unit == wanted {
        return Ok(quantity);
    }
    let noun = wanted.noun();
    let problem = if quantity.unit == Unit::Number {
        // A number without a unit is a share: 0.1 is a tenth, and not 0.1 %.
        let help = if wanted == Unit::Share && quantity.value.abs() <= 1.0 {
            format!("write \"{}\"", Quantity::new(quantity.value, wanted))
        } else {
            let written = match value.get_ref() {
                DeValue::String(text) => text.trim().to_owned(),
                number => read::number_text(number),
            };
            format!("write \"{written} {}\"", wanted.usual())
        };
        Problem::new(at, format!("`{metric}` is {noun} and needs a unit")).help(help)
    } else {
        Problem::new(at, format!("`{metric}` is {noun}, found {}", quantity.unit.noun()))
            .help(example_help())
    };
    Err(problem.into())
}

/// Reads `FACTOR x REFERENCE`. `None` if the text does not look like it.
fn relative(value: &Value<'_>, text: &str) -> Option<Result<Target, Box<Problem>>> {
    let at = value.span();
    let (number, rest) = Quantity::split(text);
    // The number is only parsed when it is needed, since most texts are quantities.
    let factor = || number.replace('_', "").parse::<f64>();
    if number.is_empty() {
        let (name, factor) = text.rsplit_once(" x ")?;
        factor.trim().parse::<f64>().ok()?;
        let help = format!("write \"{} x {}\"", factor.trim(), name.trim());
        return Some(Err(Problem::new(at, "the factor comes first").help(help).into()));
    }
    if let Some(rest) = rest.strip_prefix('%') {
        let name =
            rest.trim_start().strip_prefix("x ").or(rest.trim_start().strip_prefix("of "))?;
        let factor = Quantity::new(factor().ok()? / 100.0, Unit::Number);
        let help = format!("write \"{factor} x {}\"", name.trim());
        return Some(Err(Problem::new(at, "the factor is a plain number").help(help).into()));
    }
    let rest = rest.strip_prefix('x').filter(|rest| rest.is_empty() || rest.starts_with(' '));
    let name = rest?.trim();
    Some(match factor() {
        Ok(factor) if factor.is_finite() && factor > 0.0 => {
            let reference = match name {
                "base" => Reference::Base,
                "lock" => Reference::Lock,
                name => Reference::Budget(name.to_owned()),
            };
            Ok(Target::Relative { factor, reference })
        }
        _ => Err(Problem::new(at, format!("the factor {} is not over zero", quoted(number)))
            .help("write a factor such as \"1.05 x base\"")
            .into()),
    })
}

fn allow_relative(
    metric: &Metric,
    value: &Value<'_>,
    target: Target,
) -> Result<Target, Box<Problem>> {
    let is_lock = matches!(target, Target::Relative { reference: Reference::Lock, .. });
    if !is_lock && !metric.is_typical() {
        return Err(one_run_a_side(metric, value).into());
    }
    let what = match metric.values() {
        Values::Code => "an exit code",
        Values::Slope => "a slope",
        Values::Amount | Values::Size | Values::Time | Values::Share | Values::Own => {
            return Ok(target);
        }
    };
    Err(Problem::new(
        value.span(),
        format!("{what} is held against a plain number, not a reference"),
    )
    .help(format!("write {}", example(metric)))
    .into())
}

/// Returns the problem of a comparison of a statistic of many runs, such as `wall_p95`. A pair has one run of each side, so
/// the median of the pairs is the ratio of two typical runs, and not of the statistic.
fn one_run_a_side(metric: &Metric, value: &Value<'_>) -> Problem {
    let name = metric.to_string();
    let (family, _) = name.split_once('_').unwrap_or((&name, ""));
    let title = format!(
        "`{metric}` of two commands cannot be compared: a pair is one run of each, and shows the ratio of typical runs"
    );
    let help = format!("compare `{family}_p50`, and limit `{metric}` by a quantity or `x lock`");
    Problem::new(value.span(), title).help(help)
}

/// Returns why a limit would always hold or never hold. `None` if it makes sense.
fn why_pointless(metric: &Metric, bound: Bound, limit: Quantity) -> Option<String> {
    let value = limit.value;
    let pointless = match (metric.values(), bound) {
        (Values::Own | Values::Slope, _) => return None,
        (Values::Code, _) if !(0.0..=255.0).contains(&value) || value.fract() != 0.0 => {
            return Some("an exit code is a whole number from 0 to 255".to_owned());
        }
        (Values::Share, Bound::Max) if value >= 1.0 => {
            format!("break: `{metric}` is at most 100 %")
        }
        (_, Bound::Min) if value <= 0.0 => format!("break: `{metric}` is never below zero"),
        (_, Bound::Max) if value < 0.0 => format!("hold: `{metric}` is never below zero"),
        (Values::Size, Bound::Max) if value < 1.0 => {
            "hold: an empty artifact is an error".to_owned()
        }
        (Values::Time, Bound::Max) if value == 0.0 => "hold: everything takes some time".to_owned(),
        (Values::Code | Values::Share | Values::Size | Values::Time | Values::Amount, _) => {
            return None;
        }
    };
    Some(format!("this limit can never {pointless}"))
}
