//! The JSON Schema of the file, for completion and descriptions in editors. It is made from the tables that
//! the reader itself uses, so that the two cannot disagree about a key, a metric or a unit.
//!
//! This module is compiled only for the tests, which compare [`crate::budget::SCHEMA`] with it. To compile it for every
//! user would cost a second.
//!
//! The schema is laxer than the reader: only the reader knows references, floors and edit distances.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::key::{self, Key};
use super::limit::has_floor;
use super::metric_name::noun;
use super::{load, settings, subject};
use crate::budget::environment::{ARCHITECTURES, MOST_CORES, SERVICES, SYSTEMS};
use crate::metric::{Better, Judged, Metric, SubjectKind, Units};
use crate::quantity::Unit;

const UNITS: [Unit; 6] =
    [Unit::Bytes, Unit::Seconds, Unit::PerSecond, Unit::BytesPerSecond, Unit::Share, Unit::Number];

/// Returns the JSON Schema (2020-12) of `budgets.toml`.
pub(super) fn schema() -> Value {
    let mut defs = Map::new();
    for unit in UNITS {
        defs.insert(format!("{unit:?}"), quantity(&[unit]));
    }
    defs.insert("Rate".to_owned(), quantity(&[Unit::PerSecond, Unit::BytesPerSecond]));
    defs.insert("Any".to_owned(), quantity(&UNITS));
    let limits: Vec<String> = defs.keys().cloned().collect();
    for name in limits {
        defs.insert(format!("{name}Limit"), limit(&name));
    }
    defs.insert("Slope".to_owned(), slope());
    for kind in SubjectKind::ALL {
        defs.insert(format!("{kind:?}"), budget(kind));
    }
    let kinds: Vec<_> =
        SubjectKind::ALL.iter().map(|kind| reference(&format!("{kind:?}"))).collect();
    let mut file = object(key::FILE, |key| match key.name {
        "settings" => object(key::SETTINGS, setting),
        "env" => environments(),
        _ => json!({
            "type": "object",
            "minProperties": 1,
            "propertyNames": {
                "pattern": "^[^\\s:-](\\S*[^\\s:])?$",
                "not": { "anyOf": [{ "enum": ["base", "lock"] }, { "pattern": "::" }] },
            },
            "additionalProperties": { "oneOf": kinds },
        }),
    });
    file["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    file["title"] = json!("budgets.toml");
    file["description"] =
        json!("Performance budgets: a budget sets limits on the metrics of a subject.");
    file["required"] = json!(["budget"]);
    file["$defs"] = Value::Object(defs);
    file
}

/// Returns the schema of `[env.NAME]`. The limits in it are those that any subject may have.
fn environments() -> Value {
    let limits = || {
        let names = json!({ "pattern": "^[a-z][a-z0-9_]*$" });
        let kinds = UNITS.iter().map(|unit| reference(&format!("{unit:?}Limit")));
        let any = json!({ "anyOf": kinds.collect::<Vec<_>>() });
        json!({ "type": "object", "propertyNames": names, "additionalProperties": any })
    };
    let budget = object(key::BUDGET_IN_ENVIRONMENT, |key| match key.name {
        "max" | "min" => limits(),
        _ => reference("Seconds"),
    });
    let mut when = object(key::WHEN, |key| match key.name {
        "ci" => {
            let names: Vec<_> = SERVICES.iter().map(|service| service.0).collect();
            json!({ "anyOf": [{ "type": "boolean" }, { "enum": names }] })
        }
        "os" => json!({ "enum": SYSTEMS }),
        "processor" => json!({ "type": "string", "minLength": 1 }),
        "cores" => {
            let number = json!({ "type": "integer", "minimum": 1, "maximum": MOST_CORES });
            json!({ "anyOf": [number, { "type": "array", "items": number, "minItems": 1 }] })
        }
        _ => json!({ "enum": ARCHITECTURES }),
    });
    when["minProperties"] = json!(1);
    let own = object(key::ENVIRONMENTS, |key| match key.name {
        "when" => when.clone(),
        "budget" => json!({
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {
                "allOf": [budget.clone()],
                "minProperties": 1,
            },
        }),
        _ => setting(key),
    });
    json!({
        "type": "object",
        "propertyNames": { "pattern": "^[^\\s:-](\\S*[^\\s:])?$", "not": { "const": "none" } },
        "additionalProperties": own,
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// Returns the schema of a table with these keys and no others.
fn object<'k>(keys: impl IntoIterator<Item = &'k Key>, value: impl Fn(&Key) -> Value) -> Value {
    let described = |key: &Key| {
        let mut value = value(key);
        value["description"] = json!(key.meaning);
        (key.name.to_owned(), value)
    };
    let properties: Map<_, _> = keys.into_iter().map(described).collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn setting(key: &Key) -> Value {
    match key.name {
        "alpha" => json!({ "anyOf": [
            { "type": "number", "exclusiveMinimum": 0, "maximum": settings::MOST_ALPHA },
            reference("Share"),
        ] }),
        "layouts" => json!({ "type": "integer", "minimum": 1, "maximum": settings::MOST_LAYOUTS }),
        "warn_at" => part(),
        "base" => {
            let mut table = object(key::BASE, |key| match key.name {
                "except" => texts(),
                _ => part(),
            });
            table["required"] = json!(["limit"]);
            json!({ "anyOf": [part(), table] })
        }
        "inert" => texts(),
        "codegen_units" => words(settings::CODEGEN_UNITS.iter().map(|choice| (choice.0, choice.1))),
        "inconclusive" => words(settings::INCONCLUSIVE.iter().map(|choice| (choice.0, choice.1))),
        _ => reference("Seconds"),
    }
}

/// Returns the schema of a share of at most 100 %.
fn part() -> Value {
    json!({ "anyOf": [
        { "type": "number", "exclusiveMinimum": 0, "maximum": 1 },
        reference("Share"),
    ] })
}

/// Returns the schema of one of a few words, each with its description.
fn words(choices: impl Iterator<Item = (&'static str, &'static str)>) -> Value {
    let one = |(word, meaning)| json!({ "const": word, "description": meaning });
    json!({ "oneOf": choices.map(one).collect::<Vec<_>>() })
}

fn budget(kind: SubjectKind) -> Value {
    let keys = key::BUDGET.iter().filter(|key| key.kinds.contains(&kind));
    let mut budget = object(keys, |key| match key.name {
        "artifact" => json!({ "anyOf": [text(), texts()] }),
        "criterion" if kind == SubjectKind::Record => {
            let mut table = object(key::RECORD, |_| text());
            table["required"] = json!(["record"]);
            table
        }
        "command" | "wasm-opt" | "build" | "prepare" | "cleanup" => texts(),
        // An empty list stands for no feature at all.
        "features" => json!({ "type": "array", "items": { "type": "string" } }),
        "unit" => json!({
            "type": "object",
            "minProperties": 1,
            "propertyNames": { "pattern": "^[a-z][a-z0-9_]*$" },
            "additionalProperties": text(),
        }),
        "memory" => reference("Bytes"),
        "processors" => {
            json!({ "type": "integer", "minimum": 1, "maximum": subject::MOST_PROCESSORS })
        }
        "max" => metrics(kind, |metric| metric.better() != Better::Higher),
        "min" => metrics(kind, |metric| metric.better() != Better::Lower || has_floor(metric)),
        "params" => params(),
        "scaling" => scaling(kind),
        "ready" => {
            let mut ready = object(key::READY, |key| match key.name {
                "port" => json!({ "type": "integer", "minimum": 1, "maximum": 65535 }),
                _ => text(),
            });
            ready["minProperties"] = json!(1);
            ready["maxProperties"] = json!(1);
            ready
        }
        "load" => open_loop(),
        "cache" => words(subject::CACHE.iter().map(|choice| (choice.0, choice.1))),
        "env" => json!({
            "type": "object",
            "propertyNames": { "pattern": "^[^=]+$" },
            "additionalProperties": { "type": "string" },
        }),
        "effort" | "timeout" | "build_timeout" | "lock_timeout" => reference("Seconds"),
        "base" => json!({ "type": "boolean" }),
        "waive" => waive(),
        _ => text(),
    });
    let named = if kind == SubjectKind::Record { SubjectKind::Criterion } else { kind };
    let subject = subject::KEYS.iter().find(|key| key.1 == named).map(|key| key.0);
    budget["required"] = json!([subject]);
    let limits: Vec<_> = ["max", "min", "scaling"]
        .into_iter()
        .filter(|&name| budget["properties"].get(name).is_some())
        .map(|name| json!({ "required": [name] }))
        .collect();
    budget["anyOf"] = json!(limits);
    budget["description"] = json!(format!("A budget for {}.", noun(kind)));
    budget
}

fn open_loop() -> Value {
    let mut load = object(key::LOAD, |key| match key.name {
        "shape" => words(load::SHAPES.iter().map(|shape| (shape.0, shape.1))),
        "concurrency" => {
            json!({ "type": "integer", "minimum": 1, "maximum": load::MOST_IN_FLIGHT })
        }
        "rate" | "peak" => reference("PerSecond"),
        _ => reference("Seconds"),
    });
    load["required"] = json!(["shape", "rate"]);
    load
}

fn text() -> Value {
    json!({ "type": "string", "minLength": 1 })
}

fn texts() -> Value {
    json!({ "type": "array", "minItems": 1, "items": { "type": "string" } })
}

fn params() -> Value {
    let scalar = json!({ "type": ["integer", "number", "string", "boolean"] });
    json!({
        "type": "object",
        "propertyNames": { "pattern": "^[A-Za-z0-9_-]+$" },
        "additionalProperties": { "anyOf": [
            scalar,
            { "type": "array", "minItems": 1, "uniqueItems": true, "items": scalar },
        ] },
    })
}

fn scaling(kind: SubjectKind) -> Value {
    let mut scaling = object(key::SCALING, |key| match key.name {
        "over" => text(),
        _ => table(kind, Metric::has_slope, |_| "Slope".to_owned()),
    });
    scaling["required"] = json!(["over", "max"]);
    scaling
}

fn metrics(kind: SubjectKind, fits: impl Fn(&Metric) -> bool) -> Value {
    table(kind, fits, |metric| match metric.units() {
        Units::One(unit) => format!("{unit:?}Limit"),
        Units::Rate => "RateLimit".to_owned(),
        Units::Any => "AnyLimit".to_owned(),
    })
}

/// Returns the schema of a table of metrics, each with what its value may be.
fn table(
    kind: SubjectKind,
    fits: impl Fn(&Metric) -> bool,
    value: impl Fn(&Metric) -> String,
) -> Value {
    let known = Metric::known(kind);
    let property = |metric: &Metric| {
        let mut value = reference(&value(metric));
        value["description"] = json!(meaning(metric));
        (metric.name(), value)
    };
    let properties: Map<_, _> = known.iter().filter(|m| fits(m)).map(property).collect();
    if kind != SubjectKind::Workload {
        return json!({ "type": "object", "properties": properties, "additionalProperties": false });
    }
    // A name that is a metric of another subject, or one of the other side, cannot be a value that the workload
    // records.
    let everywhere =
        SubjectKind::ALL.iter().flat_map(|&kind| Metric::known(kind)).map(|m| m.name());
    let others: BTreeSet<_> = everywhere.filter(|name| !properties.contains_key(name)).collect();
    let own = value(&Metric::recorded(""));
    json!({
        "type": "object",
        "properties": properties,
        "propertyNames": { "pattern": "^[a-z][a-z0-9_]*$", "not": { "enum": others } },
        "additionalProperties": reference(&own),
    })
}

/// Returns the schema of a quantity in one of these units.
fn quantity(units: &[Unit]) -> Value {
    let suffixes: Vec<_> = units.iter().flat_map(|unit| unit.suffixes()).collect();
    let any = suffixes.join("|");
    let text = json!({
        "type": "string",
        "pattern": format!("^\\s*[+-]?[0-9_.]+([eE][+-]?[0-9]+)?\\s*({any})\\s*$"),
        "examples": units.iter().map(|unit| unit.example().trim_matches('"')).collect::<Vec<_>>(),
    });
    if units.contains(&Unit::Number) {
        json!({ "anyOf": [{ "type": "number" }, text] })
    } else {
        text
    }
}

/// Returns the schema of a limit whose quantity is defined under `name`: in short form, in long form, or a list.
fn limit(name: &str) -> Value {
    let one = json!([
        reference(name),
        {
            "type": "string",
            "pattern": "^\\s*[0-9_.]+([eE][+-]?[0-9]+)?\\s*x\\s+\\S+\\s*$",
            "examples": ["1.05 x base", "1 x lock", "1.5 x other_budget"],
        },
        long(&reference(name)),
    ]);
    // Limits may be given by the values of a parameter. The schema does not know these values, so each may have a limit
    // of any form.
    let by_value = json!({
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "not": { "required": ["limit"] },
        "additionalProperties": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": reference(&format!("{name}Limit")),
        },
    });
    let list = json!({ "type": "array", "minItems": 1, "items": { "anyOf": [{ "anyOf": one }, by_value] } });
    json!({ "anyOf": [{ "anyOf": one }, list, by_value] })
}

fn long(quantity: &Value) -> Value {
    let mut long = object(key::LIMIT, |key| match key.name {
        "why" => text(),
        "waive" => waive(),
        "warn" => quantity.clone(),
        _ => json!({ "anyOf": [quantity, { "type": "string" }] }),
    });
    long["required"] = json!(["limit"]);
    long
}

fn waive() -> Value {
    let mut waive = object(key::WAIVE, |key| match key.name {
        "until" => json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" }),
        _ => text(),
    });
    waive["required"] = json!(["until", "owner", "why"]);
    waive
}

fn slope() -> Value {
    json!({ "anyOf": [reference("Number"), long(&reference("Number"))] })
}

/// Returns what a metric is, in one sentence, and how it is compared with a limit.
fn meaning(metric: &Metric) -> String {
    let what = metric.meaning();
    match metric.judged() {
        Judged::Compared { .. } | Judged::Agreed { .. } => format!("{what}. Exact: compared."),
        Judged::Statistical(_) | Judged::UntilConstant(_) => {
            format!("{what}. Statistical: judged from evidence.")
        }
    }
}
