//! The check of texts that are parts of the names of tests: the names of budgets, and the values of parameters.

/// Returns why a text cannot be part of the name of a test that a filter can select. `None` if it can.
pub(super) fn name_fault(name: &str) -> Option<&'static str> {
    match name {
        _ if name.is_empty() => Some("is empty"),
        _ if name.contains("::") => Some("has `::`, which sets off the parts of a test's name"),
        _ if name.contains("##[") => Some("has `##[`, which begins a command in logs on GitHub"),
        _ if name.starts_with(':') || name.ends_with(':') => Some("starts or ends with `:`"),
        _ if name.chars().any(|c| c.is_whitespace() || c.is_control()) => {
            Some("has a space or a control character")
        }
        _ => None,
    }
}
