//! The directory where the platform keeps files of this user that can be made again. It is outside of every project.

use std::ffi::OsString;
use std::path::PathBuf;

/// The variable that names another directory.
pub const USER_CACHE: &str = "PERF_BUDGET_CACHE";

/// Returns this user's directory for files that several projects share. `None` if no variable names one.
pub fn user_cache() -> Option<PathBuf> {
    by_variables(|name| std::env::var_os(name).filter(|value| !value.is_empty()))
}

fn by_variables(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let path = |name| variable(name).map(PathBuf::from);
    if let Some(set) = path(USER_CACHE) {
        return Some(set);
    }
    let cache = if cfg!(windows) {
        path("LOCALAPPDATA")
    } else {
        let home = path("HOME").filter(|home| home.is_absolute());
        let usual = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
        let named = path("XDG_CACHE_HOME").filter(|cache| cache.is_absolute());
        named.or_else(|| home.map(|home| home.join(usual)))
    };
    // A user without a home directory may still have cargo's.
    Some(cache.or_else(|| path("CARGO_HOME"))?.join("perf-budget"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_cache_is_found() {
        let check = |set: &[(&str, &str)], want: Option<&str>| {
            let found = by_variables(|name| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            });
            assert_eq!(found, want.map(PathBuf::from), "{set:?}");
        };
        check(&[("PERF_BUDGET_CACHE", "/x"), ("CARGO_HOME", "/c")], Some("/x"));
        check(&[("CARGO_HOME", "/c")], Some("/c/perf-budget"));
        check(&[], None);
        if cfg!(target_os = "linux") {
            check(&[("HOME", "/h")], Some("/h/.cache/perf-budget"));
            check(&[("XDG_CACHE_HOME", "/x"), ("HOME", "/h")], Some("/x/perf-budget"));
            check(&[("XDG_CACHE_HOME", "x"), ("HOME", "/h")], Some("/h/.cache/perf-budget"));
        }
    }
}
