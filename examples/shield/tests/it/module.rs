//! The committed module runs, and the sources still give it.

use std::path::Path;
use std::process::Command;

use crate::{here, run, say, succeeds, told};

#[test]
fn the_committed_module_runs() {
    check(&here("shield.wasm"));
}

/// Compilers differ, so another size is a warning. It must run all the same.
#[test]
fn the_sources_still_give_the_module() {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let fresh = scratch.join("shield.wasm");
    let script = here("../../fixtures/local-first/build-wasm.sh");
    let build = Command::new("sh")
        .args([&script, &fresh, &here("wasm")])
        // Where this test itself was built, so that the script's own run and this one build once.
        .env("CARGO_TARGET_DIR", scratch.parent().expect("it lies in the target folder"))
        .output()
        .expect("sh is on every system that this is built on");
    if build.status.code() == Some(3) {
        say(&format!("skipped: the module was not rebuilt: {}", told(&build)));
        return;
    }
    succeeds(&build);
    check(&fresh);
    let [old, new] = [&here("shield.wasm"), &fresh].map(|file| std::fs::read(file).unwrap());
    if old != new {
        let sizes = format!("{} bytes committed, {} rebuilt", old.len(), new.len());
        say(&format!("warning: shield.wasm differs from what the sources give ({sizes})"));
    }
}

fn check(module: &Path) {
    let bytes = std::fs::read(module).unwrap();
    assert!(bytes.starts_with(b"\0asm\x01\0\0\0"), "{} is no module", module.display());
    if let Some(output) = run(Command::new("node").arg(here("wasm/check.mjs")).arg(module)) {
        succeeds(&output);
    }
}
