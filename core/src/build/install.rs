//! What is missing, and the command that installs it.

/// Programs that make artifacts, each with the command that installs it.
const TOOLS: [(&str, &str); 7] = [
    ("wasm-opt", "apt install binaryen` (or `brew install binaryen`, `cargo install wasm-opt"),
    ("wasm-pack", "cargo install wasm-pack"),
    ("wasm-bindgen", "cargo install wasm-bindgen-cli"),
    ("wasm-tools", "cargo install wasm-tools"),
    ("trunk", "cargo install trunk"),
    ("just", "cargo install just"),
    ("cargo-zigbuild", "cargo install cargo-zigbuild"),
];

/// How a program is installed, where that is known.
pub(super) fn tool(program: &str) -> Option<&'static str> {
    TOOLS.iter().find(|(name, _)| *name == program).map(|(_, command)| *command)
}

/// The target that the compiler lacks, as it says so, and how it is installed.
pub(super) fn target(said: &str) -> Option<(&str, String)> {
    let (before, _) = said.split_once("target may not be installed")?;
    let name = before.trim_end().strip_suffix('`')?.rsplit('`').next()?;
    // The compiler of a toolchain that is not the default one names it itself.
    let own = said.lines().filter_map(|line| line.split_once("`rustup target add "));
    let own = own.map(|(_, rest)| rest.split('`').next().unwrap_or(rest)).next();
    Some((name, format!("rustup target add {}", own.unwrap_or(name))))
}
