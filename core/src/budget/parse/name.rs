//! The check of texts that are parts of the names of tests: the names of budgets, and the values of parameters.

use super::printable::printable;

/// Returns why a text cannot be part of the name of a test that a filter can select. `None` if it can.
pub(super) fn name_fault(name: &str) -> Option<&'static str> {
    match name {
        _ if name.is_empty() => Some("is empty"),
        _ if name.contains("::") => Some("has `::`, which sets off the parts of a test's name"),
        _ if name.contains("##[") => Some("has `##[`, which begins a command in logs on GitHub"),
        _ if name.starts_with(':') || name.ends_with(':') => Some("starts or ends with `:`"),
        _ if name.contains(char::is_whitespace) || printable(name) != name => {
            Some("has a space or a character that is not shown")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_only_characters_that_are_shown() {
        let check =
            |name: &str, want: bool| assert_eq!(name_fault(name).is_none(), want, "{name:?}");
        check("größe=1", true);
        check("a\u{202e}b", false);
        check("a\u{200b}b", false);
        check("a\nb", false);
        check("a\u{1b}[2J", false);
    }
}
