//! The workflow that checks the budgets on every change. This repository uses the same one.

use std::path::Path;

use super::budgets::run;
use super::package::PackageContents;

/// A copy of the workflow of this repository; a test keeps the two equal. [`text`] replaces the parts that concern this
/// repository alone.
const OWN: &str = include_str!("workflow.yml");

/// Returns the workflow for a package, wherever it is in its repository.
pub(super) fn text(package: &PackageContents) -> String {
    let text = OWN
        .replace(" For any other project `cargo budget init` writes this file.", "")
        // In this repository some other test targets are harnesses too, but hold no budgets.
        .replace("cargo budget check --test budgets", "cargo budget check")
        .replace("branches: [main]", "branches: [main, master]")
        .replace(
            "cargo install --locked --path cargo-budget",
            "cargo install --locked cargo-budget",
        )
        .replace("cargo test --release --test budgets", &run(package));
    let text = in_directory(text, package);
    let Ok(below) = package.workspace.strip_prefix(&package.repository) else { return text };
    let below = below.to_string_lossy().replace('\\', "/");
    if below.is_empty() {
        return text;
    }
    let place = format!(
        "    defaults:\n      run:\n        working-directory: '{}'\n    env:\n",
        below.replace('\'', "''")
    );
    text.replace(" target/", &format!(" {below}/target/")).replacen("    env:\n", &place, 1)
}

/// Returns the text with commands that change to the package's directory, where they find its file. The script itself runs in
/// the workspace.
fn in_directory(text: String, package: &PackageContents) -> String {
    let below = package.directory.strip_prefix(&package.workspace).unwrap_or(Path::new(""));
    let below = below.to_string_lossy().replace('\\', "/");
    if below.is_empty() {
        return text;
    }
    let below = below.replace('\'', "'\\''");
    text.replace("cargo budget check", &format!("cd '{below}' && cargo budget check"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn contents(workspace: &str, has_siblings: bool) -> PackageContents {
        PackageContents {
            name: "app".into(),
            directory: Path::new(workspace).into(),
            workspace: Path::new(workspace).into(),
            repository: "/r".into(),
            has_siblings,
            binaries: Vec::new(),
            others: Vec::new(),
            library: None,
            is_cdylib: false,
            criterion: Vec::new(),
            divan: None,
            examples: Vec::new(),
        }
    }

    #[test]
    fn it_equals_the_workflow_of_this_repository() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.github/workflows/budgets.yml");
        assert_eq!(std::fs::read_to_string(path).unwrap(), OWN, "copy it to src/init/workflow.yml");
    }

    #[test]
    fn it_fits_a_package_anywhere_in_the_repository() {
        let plain = text(&contents("/r", false));
        assert!(plain.contains("- run: cargo test --release --test budgets --no-run\n"), "{plain}");
        assert!(plain.contains("          path: target/budgets/outcomes.jsonl\n"), "{plain}");
        assert!(plain.contains("- run: cargo install --locked cargo-budget\n"), "{plain}");
        // The command itself reads from the file what to compare with: a script cannot read TOML.
        let reads = plain.lines().find(|line| line.contains("grep") || line.contains("sed "));
        assert_eq!(reads, None);
        assert!(plain.contains("              cargo budget check\n"), "{plain}");
        assert!(plain.contains("              cargo budget check --base \"$BASE\"\n"), "{plain}");
        let member = PackageContents { directory: "/r/crates/app".into(), ..contents("/r", true) };
        let member = text(&member);
        assert!(member.contains("cd 'crates/app' && cargo budget check --base"), "{member}");
        assert!(
            member.contains("              cd 'crates/app' && cargo budget check\n"),
            "{member}"
        );
        assert!(
            !plain.contains("working-directory") && !plain.contains("any other project"),
            "{plain}"
        );
        let deep = text(&contents("/r/it's", true));
        assert!(
            deep.contains("- run: cargo test --release --package app --test budgets --no-run\n"),
            "{deep}"
        );
        assert!(deep.contains("        working-directory: 'it''s'\n    env:\n"), "{deep}");
        assert!(deep.contains("          path: it's/target/budgets/outcomes.jsonl\n"), "{deep}");
        assert!(deep.contains("            it's/target/release/deps\n"), "{deep}");
    }
}
