//! The committed modules: that they run, and that the sources still give them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use perf_budget::wasm::{Instance, Module, Value};

/// Every module, with how many fields it has.
const MODULES: [(&str, u32); 12] = [
    ("fields_3", 3),
    ("fields_5", 5),
    ("fields_10", 10),
    ("fields_25", 25),
    ("fields_50", 50),
    ("optimized_3", 3),
    ("optimized_5", 5),
    ("optimized_10", 10),
    ("optimized_25", 25),
    ("optimized_50", 50),
    ("with_text", 10),
    ("without_lto", 10),
];

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn committed(name: &str) -> PathBuf {
    package().join(format!("modules/{name}.wasm"))
}

fn call(instance: &mut Instance, export: &str, values: &[Value]) -> Option<Value> {
    instance.call(export, values).unwrap_or_else(|error| panic!("{error}"))
}

/// Every field is there, and two records agree once merged.
fn check(path: &Path, fields: u32) {
    let shown = path.display();
    let mut instance = Module::read(path).unwrap().instantiate().unwrap();
    let [a, b] = [1, 2].map(|_| call(&mut instance, "record_create", &[]).unwrap());
    for n in 0..fields {
        for (record, peer) in [(a, 1), (b, 2)] {
            let values = [record, Value::I64(7), Value::I64(n.into()), Value::I32(peer)];
            call(&mut instance, &format!("field_{n}_write"), &values);
        }
    }
    call(&mut instance, "record_merge", &[a, b]);
    // A register has what was written last, a counter the sum, labels how many there are.
    for n in 0..fields {
        let read = call(&mut instance, &format!("field_{n}_read"), &[a]);
        assert_eq!(read, Some(Value::I64([7, 14, 2][n as usize % 3])), "field {n} of {shown}");
    }
    let beyond = instance.call(&format!("field_{fields}_read"), &[a]);
    assert!(beyond.is_err(), "{shown} has more than {fields} fields");
    for record in [a, b] {
        call(&mut instance, "record_free", &[record]);
    }
}

#[test]
fn every_module_has_its_fields_and_they_merge() {
    for (name, fields) in MODULES {
        check(&committed(name), fields);
    }
    let mut text = Module::read(committed("with_text")).unwrap().instantiate().unwrap();
    let record = call(&mut text, "record_create", &[]).unwrap();
    assert!(matches!(call(&mut text, "record_text_length", &[record]), Some(Value::I32(100..))));
}

/// Compilers differ, so a difference is a warning. What the sources give must work all the same.
#[test]
fn the_sources_still_give_the_modules() {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let fresh = scratch.join("modules");
    let build = Command::new("sh")
        .args([package().join("build-modules.sh"), fresh.clone()])
        // Where this test itself was built, so that the script's own run and this one build once.
        .env("CARGO_TARGET_DIR", scratch.parent().expect("it lies in the target folder"))
        .output()
        .expect("sh is on every system that this is built on");
    let told = String::from_utf8_lossy(&build.stderr);
    if build.status.code() == Some(3) {
        say(&format!("skipped: the modules were not rebuilt: {told}"));
        return;
    }
    assert!(build.status.success(), "{told}");
    for (name, fields) in MODULES {
        let path = fresh.join(format!("{name}.wasm"));
        check(&path, fields);
        let [old, new] = [committed(name), path].map(|path| std::fs::read(path).unwrap());
        if old != new {
            let sizes = format!("{} bytes committed, {} rebuilt", old.len(), new.len());
            say(&format!(
                "warning: {name}.wasm differs from what the sources give ({sizes}); run build-modules.sh"
            ));
        }
    }
}

/// Straight to the terminal: the test harness swallows what a passing test prints.
fn say(text: &str) {
    // Where nobody listens there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "modules: {text}");
}
