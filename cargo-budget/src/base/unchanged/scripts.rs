//! Scripts: programs in a language that needs no compiler. A source starts one by the name of its file.

use std::ffi::OsStr;
use std::path::Path;

/// Whether a text is a program in a language that needs no compiler.
pub(super) fn is_script(path: &str, text: &str) -> bool {
    const ENDINGS: [&str; 34] = [
        "sh", "bash", "zsh", "fish", "ksh", "csh", "nu", "py", "pyw", "pl", "rb", "lua", "tcl",
        "php", "r", "jl", "ex", "exs", "groovy", "js", "jsx", "mjs", "cjs", "ts", "tsx", "mts",
        "cts", "ps1", "psm1", "bat", "cmd", "vbs", "awk", "mk",
    ];
    const NAMES: [&str; 5] = ["makefile", "gnumakefile", "bsdmakefile", "justfile", "rakefile"];
    let name = Path::new(path).file_name().and_then(OsStr::to_str).unwrap_or_default();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_lowercase();
    text.starts_with("#!")
        || ENDINGS.contains(&ending.as_str())
        || NAMES.contains(&name.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_distinguished_from_data() {
        let check = |path: &str, text: &str, want: bool| {
            assert_eq!(is_script(path, text), want, "{path}");
        };
        check("ci/run", "#!/bin/sh\nls\n", true);
        check("tools/list.PY", "", true);
        check("Makefile", "all:\n", true);
        check("GNUmakefile", "all:\n", true);
        check("tools/list.php", "<?php glob('*.md');", true);
        check("cases.txt", "ls\n", false);
        check("data.json", "{}", false);
    }
}
