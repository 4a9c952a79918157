//! The names of functions as people know them: without what differs from build to build.

/// Splits a name as callgrind writes it into the function and its callers, the innermost first. Callers are separated by `'`.
/// Lifetimes are written with `'` too, but only between `<` and `>`. A part that is a number says how deep a recursion is.
pub(super) fn chain(name: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start, mut before) = (0_i32, 0, ' ');
    for (at, c) in name.char_indices() {
        match c {
            '<' => depth += 1,
            // The arrow of a function's type is no bracket.
            '>' if before != '-' => depth -= 1,
            '\'' if depth <= 0 => {
                parts.push(&name[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        before = c;
    }
    parts.push(&name[start..]);
    let is_depth = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    parts.retain(|part| !is_depth(part));
    parts
}

/// Returns a name without hash, disambiguators and generic arguments.
pub fn plain(name: &str) -> String {
    let mut name = name;
    // The compiler adds these to the names of functions that it has split or copied: `.llvm.123`, `.cold`,
    // `.constprop.0`.
    for mark in [".llvm.", ".cold", ".constprop.", ".part.", ".isra."] {
        name = name.split_once(mark).map_or(name, |(name, _)| name);
    }
    if let Some((path, hash)) = name.rsplit_once("::h")
        && hash.len() == 16
        && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        name = path;
    }
    let plain = without_arguments(name).replace("{{closure}}", "{closure}");
    without_numbers(&plain)
}

/// Removes `[0123456789abcdef]` after the name of a crate, and the numbers of closures: `{closure#2}`.
fn without_numbers(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find(['[', '#']) {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        let inside = &from[1..];
        let digits =
            inside.len() - inside.trim_start_matches(|c: char| c.is_ascii_hexdigit()).len();
        rest = match from.as_bytes()[0] {
            b'[' if digits > 7 && inside[digits..].starts_with(']') => &inside[digits + 1..],
            b'#' if digits > 0 && inside[digits..].starts_with('}') => &inside[digits..],
            _ => {
                plain.push_str(&from[..1]);
                inside
            }
        };
    }
    plain + rest
}

/// Removes generic arguments: what is in brackets behind a name. Brackets that begin a path stay: `<A as B>::c`.
fn without_arguments(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(open) = rest.find('<') {
        let (before, from) = rest.split_at(open);
        let length = bracketed(from);
        let inside = &from[1..(length - 1).max(1)];
        let behind = &from[length..];
        plain.push_str(before);
        let follows_name = plain.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '}'));
        if inside.starts_with("impl ") {
            plain.extend(["<", &without_arguments(inside), ">"]);
        } else if follows_name {
            // The brackets contain generic arguments.
        } else if let Some(path) = plain.strip_suffix("::").filter(|path| !path.is_empty()) {
            // These brackets contain arguments too, as in `::<T>`.
            plain.truncate(path.len());
        } else if inside.contains(" as ") {
            plain.extend(["<", &without_arguments(inside), ">"]);
        } else {
            // A path of a type alone: `<a::B>::c` is `a::B::c`.
            plain.push_str(&without_arguments(inside));
        }
        rest = behind;
    }
    plain + rest
}

/// Returns the length of the brackets at the beginning of a text; all of it if they are not closed.
fn bracketed(text: &str) -> usize {
    let (mut depth, mut before) = (0, ' ');
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if before != '-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
        before = c;
    }
    text.len()
}

/// Returns the crate of a function with a plain name; empty for a function of another language.
pub(super) fn crate_of(name: &str) -> &str {
    let Some(qualified) = name.strip_prefix('<') else { return first_segment(name) };
    let inside = &qualified[..bracketed(name).saturating_sub(2).min(qualified.len())];
    // A type without a path is a generic one or built in; then the trait says where the function is.
    match inside.split_once(" as ") {
        Some((own, implemented)) if first_segment(own).is_empty() => first_segment(implemented),
        Some((own, _)) => first_segment(own),
        None => first_segment(inside),
    }
}

/// Returns the first segment of a path, without what may be before it in a type; empty if the path has only one segment.
fn first_segment(path: &str) -> &str {
    let path = path.trim_start_matches(['&', '*', '(', '[', ' ']);
    let path = ["mut ", "dyn ", "const "]
        .iter()
        .fold(path, |path, word| path.strip_prefix(word).unwrap_or(path));
    path.split_once("::").map_or("", |(first, _)| first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_build_to_build_is_left_out() {
        let check = |name: &str, want: &str| assert_eq!(plain(name), want, "{name}");
        check("a::b::h0123456789abcdef", "a::b");
        check("a::b.llvm.123", "a::b");
        check("_int_malloc", "_int_malloc");
        check(
            "<alloc::vec::Vec<T,A> as core::ops::drop::Drop>::drop",
            "<alloc::vec::Vec as core::ops::drop::Drop>::drop",
        );
        check("core::ptr::drop_in_place<alloc::vec::Vec<(char,bool)>>", "core::ptr::drop_in_place");
        check(
            "<alloc::raw_vec::RawVecInner<_>>::reserve::do_reserve_and_handle::<alloc::alloc::Global>",
            "alloc::raw_vec::RawVecInner::reserve::do_reserve_and_handle",
        );
        check(
            "alloc::str::<impl alloc::borrow::ToOwned for str>::to_owned",
            "alloc::str::<impl alloc::borrow::ToOwned for str>::to_owned",
        );
        check("work::main::{{closure}}", "work::main::{closure}");
        check("work[0123456789abcdef]::main::{closure#12}", "work::main::{closure}");
        check("a::f::<fn(u8) -> u8>::g", "a::f::g");
        check("a::f<", "a::f");
    }

    #[test]
    fn a_function_is_told_from_its_callers() {
        assert_eq!(chain("a::b'2'c<'d>'e"), ["a::b", "c<'d>", "e"]);
        assert_eq!(chain("main"), ["main"]);
    }

    #[test]
    fn the_crate_is_that_of_the_type() {
        let check = |name: &str, want: &str| assert_eq!(crate_of(name), want, "{name}");
        check("a::b::c", "a");
        check("<a::B as core::ops::Drop>::drop", "a");
        check("<T as a::B>::c", "a");
        check("<&mut a::B as core::fmt::Debug>::fmt", "a");
        check("malloc", "");
    }
}
