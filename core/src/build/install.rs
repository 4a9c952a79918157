//! The commands that install missing programs and compiler targets.

/// Programs that build artifacts, each with the command that installs it.
const TOOLS: [(&str, &str); 7] = [
    ("wasm-opt", "apt install binaryen`, `brew install binaryen` or `cargo install wasm-opt"),
    ("wasm-pack", "cargo install wasm-pack"),
    ("wasm-bindgen", "cargo install wasm-bindgen-cli"),
    ("wasm-tools", "cargo install wasm-tools"),
    ("trunk", "cargo install trunk"),
    ("just", "cargo install just"),
    ("cargo-zigbuild", "cargo install cargo-zigbuild"),
];

/// Returns the command that installs a program, if it is known.
pub(super) fn tool(program: &str) -> Option<&'static str> {
    TOOLS.iter().find(|(name, _)| *name == program).map(|(_, command)| *command)
}

/// Finds in the compiler's output the target that it lacks. Returns the target, and the command that installs it.
pub(super) fn target(output: &str) -> Option<(&str, String)> {
    let (before, _) = output.split_once("target may not be installed")?;
    let name = before.trim_end().strip_suffix('`')?.rsplit('`').next()?;
    // The compiler prints the command itself. It then names its toolchain too, if that is not the default one.
    let printed = output.lines().filter_map(|line| line.split_once("`rustup target add "));
    let printed = printed.map(|(_, rest)| rest.split('`').next().unwrap_or(rest)).next();
    Some((name, format!("rustup target add {}", printed.unwrap_or(name))))
}
