//! One file whose contents were read, with the file that it is compared with.

use std::collections::BTreeSet;

use perf_budget_core::quantity::{Quantity, Unit};
use serde_json::{Value, json};

use super::FileContents;
use super::contents::Sizes;
use crate::text;

/// A file whose contents were read.
pub(crate) struct InspectedFile {
    /// The path of the file, relative to the project.
    pub(crate) name: String,
    pub(crate) inside: FileContents,
    /// The file that it is compared with, if there is one.
    pub(crate) before: Option<FileContents>,
}

impl InspectedFile {
    /// Renders its tables for people.
    pub(crate) fn text(&self) -> String {
        let bytes = Quantity::new(self.inside.bytes as f64, Unit::Bytes);
        let (name, kind) = (text::line(&self.name), self.inside.kind);
        let tables = self.inside.tables(self.before.as_ref());
        format!("\u{1b}[1m{name}\u{1b}[0m  {kind}, {bytes} in all\n{tables}")
    }

    /// Renders all of it for programs, the largest part first.
    pub(crate) fn json(&self) -> Value {
        let parts = |sizes: &dyn Fn(&FileContents) -> Sizes| {
            parts(&sizes(&self.inside), self.before.as_ref().map(sizes).as_ref())
        };
        json!({
            "file": self.name,
            "kind": self.inside.kind,
            "bytes": self.inside.bytes,
            "before": self.before.as_ref().map(|before| before.bytes),
            "sections": parts(&|inside| inside.sections.clone()),
            "crates": parts(&FileContents::crates),
            "functions": parts(&|inside| inside.functions.clone()),
        })
    }
}

/// Returns the parts of both files. A part that one of the files does not have has 0 bytes there.
fn parts(now: &Sizes, before: Option<&Sizes>) -> Vec<Value> {
    let names: BTreeSet<&String> =
        now.keys().chain(before.into_iter().flat_map(Sizes::keys)).collect();
    let mut parts: Vec<(&String, u64, Option<u64>)> = names
        .into_iter()
        .map(|name| {
            let size = |sizes: &Sizes| sizes.get(name).copied().unwrap_or(0);
            (name, size(now), before.map(size))
        })
        .collect();
    parts.sort_by_key(|(_, bytes, _)| std::cmp::Reverse(*bytes));
    let part = |(name, bytes, before)| json!({ "name": name, "bytes": bytes, "before": before });
    parts.into_iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_is_gone_has_no_bytes_now() {
        let sizes =
            |rows: &[(&str, u64)]| rows.iter().map(|(n, b)| ((*n).to_owned(), *b)).collect();
        let file = |functions| FileContents {
            kind: "ELF",
            bytes: 100,
            functions,
            ..FileContents::default()
        };
        let inspected = InspectedFile {
            name: "app".to_owned(),
            inside: file(sizes(&[("a::f", 10), ("a::g", 60)])),
            before: Some(file(sizes(&[("a::f", 10), ("b::h", 5)]))),
        };
        let json = inspected.json();
        let part = |name, bytes, before| json!({ "name": name, "bytes": bytes, "before": before });
        let functions = [part("a::g", 60, 0), part("a::f", 10, 10), part("b::h", 0, 5)];
        assert_eq!(json["functions"], json!(functions));
        assert_eq!(json["crates"], json!([part("a", 70, 10), part("b", 0, 5)]));
        let alone = InspectedFile { before: None, ..inspected };
        assert_eq!(alone.json()["functions"][0]["before"], Value::Null);
    }
}
