//! The parts of which a file consists, and the tables that show them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use perf_budget_core::quantity::{Quantity, Unit};

use crate::text;

/// The number of rows in each table.
const LISTED: usize = 10;

/// The number of bytes by name.
pub(crate) type Sizes = BTreeMap<String, u64>;

/// The contents of a file.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct FileContents {
    /// The format: `ELF` or `WASM`.
    pub(crate) kind: &'static str,
    /// The length of the file.
    pub(crate) bytes: u64,
    pub(crate) sections: Sizes,
    /// The functions by their demangled names; empty where the file has no names.
    pub(crate) functions: Sizes,
}

impl FileContents {
    /// Returns the bytes of the functions by crate.
    pub(super) fn crates(&self) -> Sizes {
        let mut crates = Sizes::new();
        for (name, bytes) in &self.functions {
            *crates.entry(crate_of(name)).or_default() += bytes;
        }
        crates
    }

    /// Returns the largest sections, crates and functions with their sizes.
    pub(crate) fn largest(&self) -> [(&'static str, Vec<(String, u64)>); 3] {
        let largest = |sizes: Sizes| {
            let mut parts: Vec<(String, u64)> = sizes.into_iter().collect();
            parts.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
            parts.truncate(LISTED);
            parts
        };
        [
            ("sections", largest(self.sections.clone())),
            ("crates", largest(self.crates())),
            ("functions", largest(self.functions.clone())),
        ]
    }

    /// Returns the tables. With `before`, each row has the difference from that file.
    pub(crate) fn tables(&self, before: Option<&FileContents>) -> String {
        let mut shown = String::new();
        let mut table = |name: &str, sizes: &dyn Fn(&FileContents) -> Sizes| {
            let (now, then) = (sizes(self), before.map(sizes));
            let _ = write!(shown, "{}", rows(name, &now, then.as_ref(), self.bytes));
        };
        table("sections", &|inside| inside.sections.clone());
        table("crates", &FileContents::crates);
        table("functions", &|inside| inside.functions.clone());
        if self.functions.is_empty() {
            let _ = writeln!(
                shown,
                "  functions  the file has no names; look at it before it is stripped"
            );
        }
        shown
    }
}

fn rows(name: &str, now: &Sizes, then: Option<&Sizes>, whole: u64) -> String {
    let bytes = |bytes: u64| Quantity::new(bytes as f64, Unit::Bytes).to_string();
    let change = |key: &str| -> i64 {
        let size = |sizes: &Sizes| sizes.get(key).copied().unwrap_or(0).cast_signed();
        then.map_or(0, |then| size(now) - size(then))
    };
    let mut keys: Vec<&String> = now.keys().collect();
    if let Some(then) = then {
        keys.extend(then.keys().filter(|key| !now.contains_key(*key)));
        // Where there is a file to compare with, the largest changes come first.
        keys.sort_by_key(|key| {
            (std::cmp::Reverse(change(key).abs()), std::cmp::Reverse(now.get(*key)))
        });
    } else {
        keys.sort_by_key(|key| std::cmp::Reverse(now[*key]));
    }
    let mut shown = String::new();
    let left = keys.len().saturating_sub(LISTED);
    for (nth, key) in keys.into_iter().take(LISTED).enumerate() {
        let size = now.get(key).copied().unwrap_or(0);
        let share = size as f64 / whole.max(1) as f64 * 100.0;
        let head = if nth == 0 { name } else { "" };
        let difference = match change(key) {
            _ if then.is_none() => String::new(),
            0 => format!("{:>12}", "same"),
            more if more > 0 => format!("{:>12}", format!("+{}", bytes(more.unsigned_abs()))),
            less => format!("{:>12}", format!("-{}", bytes(less.unsigned_abs()))),
        };
        let key = text::line(key);
        let _ =
            writeln!(shown, "  {head:<10} {:>10}  {share:>5.1} %{difference}  {key}", bytes(size));
    }
    if left > 0 {
        let _ = writeln!(shown, "  {:<10} and {left} more", "");
    }
    shown
}

/// Returns the crate of a function, which is the start of its path: `<alloc::vec::Vec<T> as Drop>::drop` is in
/// `alloc`.
fn crate_of(path: &str) -> String {
    let start = path.trim_start_matches(['<', '&', '*', '[', '(', '_']);
    let words = ["mut ", "const ", "dyn ", "impl "];
    let start = words.iter().fold(start, |rest, word| rest.strip_prefix(word).unwrap_or(rest));
    match start.split_once("::") {
        Some((name, _)) if name.chars().all(|c| c.is_alphanumeric() || c == '_') => name.to_owned(),
        _ => "without a crate".to_owned(),
    }
}

/// Returns the name of a function as it was written, without the hash that makes it unique.
pub(crate) fn demangled(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, name: &str) {
        assert_eq!(crate_of(path), name, "{path}");
    }

    #[test]
    fn a_path_begins_with_its_crate() {
        check("core::fmt::write", "core");
        check("<alloc::vec::Vec<T> as core::ops::drop::Drop>::drop", "alloc");
        check("<&mut std::io::Stdout as core::fmt::Write>::write_str", "std");
        check("memcpy", "without a crate");
        check("<u8 as core::fmt::Display>::fmt", "without a crate");
    }

    #[test]
    fn the_largest_change_comes_first() {
        let sizes =
            |rows: &[(&str, u64)]| rows.iter().map(|(n, b)| ((*n).to_owned(), *b)).collect();
        let then = FileContents {
            functions: sizes(&[("a::f", 900), ("b::g", 10), ("c::h", 5)]),
            ..FileContents::default()
        };
        let now = FileContents {
            bytes: 1000,
            functions: sizes(&[("a::f", 900), ("b::g", 60)]),
            ..FileContents::default()
        };
        let shown = now.tables(Some(&then));
        let lines: Vec<&str> = shown.lines().map(str::trim).collect();
        assert!(lines[0].starts_with("crates") && lines[0].contains("+50 B  b"), "{shown}");
        assert!(lines[1].contains("-5 B  c"), "{shown}");
        assert!(lines[2].contains("same  a"), "{shown}");
        assert!(now.tables(None).lines().next().unwrap().contains("90.0 %  a"), "{shown}");
    }
}
