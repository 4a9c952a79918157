//! The variables of the user's environment that change what cargo builds.

/// The beginnings of the names by which cargo's settings can be given.
const SETTINGS: [&str; 5] =
    ["CARGO_BUILD_", "CARGO_HOST_", "CARGO_PROFILE_", "CARGO_TARGET_", "CARGO_UNSTABLE_"];
/// The settings among these that only say where something is put.
const PLACES: [&str; 3] = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "CARGO_BUILD_BUILD_DIR"];
/// Other variables of cargo and the compiler.
const NAMES: [&str; 7] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_INCREMENTAL",
    "RUSTC",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_BOOTSTRAP",
];
/// The variables by which build scripts choose a C compiler and its flags. Each may also have a prefix for the target or the
/// host, or a target's name after it.
const OF_C: [&str; 6] = ["CC", "CXX", "CFLAGS", "CXXFLAGS", "AR", "ARFLAGS"];

/// Whether a variable changes what cargo builds.
fn is_flag(name: &str) -> bool {
    let is_setting = SETTINGS.iter().any(|start| name.starts_with(start));
    (is_setting && !PLACES.contains(&name)) || NAMES.contains(&name) || is_of_c(name)
}

/// Returns the variables of this process's environment that change what cargo builds, with their values.
pub(super) fn flags() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .map(|(name, value)| {
            (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
        })
        .filter(|(name, _)| is_flag(name))
}

fn is_of_c(name: &str) -> bool {
    let plain = ["TARGET_", "HOST_"].iter().find_map(|prefix| name.strip_prefix(prefix));
    let plain = plain.unwrap_or(name);
    OF_C.iter().any(|own| {
        let rest = plain.strip_prefix(own);
        // The name of a target has no capital letters: `CC_x86_64-unknown-linux-gnu`.
        rest.is_some_and(|rest| {
            rest.is_empty() || rest.starts_with('_') && !rest.contains(char::is_uppercase)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_changes_a_build_is_known_by_its_name() {
        let check = |name: &str, want: bool| assert_eq!(is_flag(name), want, "{name}");
        check("RUSTFLAGS", true);
        check("CARGO_PROFILE_RELEASE_LTO", true);
        check("CARGO_UNSTABLE_BUILD_STD", true);
        check("CARGO_INCREMENTAL", true);
        check("CARGO_BUILD_TARGET_DIR", false);
        check("CARGO_HOME", false);
        check("CARGO_TERM_COLOR", false);
        check("CFLAGS", true);
        check("TARGET_CC", true);
        check("CXXFLAGS_x86_64_unknown_linux_gnu", true);
        check("CC_wasm32-unknown-unknown", true);
        check("CC_OF_SOMEONE", false);
        check("ARCH", false);
    }
}
