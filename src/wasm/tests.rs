//! The engine on hand-written modules. Their fuel is counted in `tests/workload`, where each measurement has a
//! process of its own.

use super::*;

/// Builds a section: its number, its length, and its content.
fn section(number: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).expect("one byte tells its length");
    [&[number, length], content].concat()
}

fn module(sections: &[Vec<u8>]) -> Vec<u8> {
    [b"\0asm\x01\0\0\0".to_vec(), sections.concat()].concat()
}

/// `(module (memory (export "memory") 1) (func (export "run") (param i32) (result i32) …))`
fn with_body(body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(body.len() + 2).expect("a short body");
    module(&[
        section(1, &[1, 0x60, 1, 0x7f, 1, 0x7f]),
        section(3, &[1, 0]),
        section(5, &[1, 0, 1]),
        section(7, b"\x02\x03run\0\0\x06memory\x02\0"),
        section(10, &[&[1, length, 0], body, &[0x0b]].concat()),
    ])
}

/// `loop; local.get 0; i32.const 1; i32.sub; local.tee 0; br_if 0; end; local.get 0`.
const COUNTDOWN: &[u8] = &[0x03, 0x40, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x20, 0];

#[track_caller]
fn refused<T>(result: Result<T, Error>, words: &[&str]) {
    let Err(error) = result else { panic!("not refused") };
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "`{text}` does not say `{word}`");
    }
}

fn instance(body: &[u8]) -> Instance {
    Module::compile(&with_body(body)).unwrap().instantiate().unwrap()
}

#[test]
fn calls_what_is_exported() {
    let mut countdown = instance(COUNTDOWN);
    assert_eq!(countdown.call("run", &[Value::I32(7)]).unwrap(), Some(Value::I32(0)));
    countdown.memory().unwrap()[5] = 3;
    // `local.get 0; i32.load8_u`
    let mut load = instance(&[0x20, 0, 0x2d, 0, 0]);
    load.memory().unwrap()[5] = 3;
    assert_eq!(load.call("run", &[Value::I32(5)]).unwrap(), Some(Value::I32(3)));
    assert_eq!(load.memory().unwrap().len(), 65_536);
}

#[test]
fn every_failure_has_its_message() {
    refused(Module::read("no/such.wasm"), &["failed to read `no/such.wasm`"]);
    refused(
        Module::read("Cargo.toml"),
        &["`Cargo.toml`", "no WebAssembly in binary form", ".wasm"],
    );
    refused(Module::compile(b""), &["no WebAssembly"]);
    refused(Module::compile(b"\0asm\x01\0\0\0\x0d"), &["failed to compile `module`"]);
    let mut cut = with_body(COUNTDOWN);
    cut.truncate(cut.len() - 3);
    refused(Module::compile(&cut), &["failed to compile `module`"]);
    // The function adds, but nothing is on the stack.
    refused(Module::compile(&with_body(&[0x6a])), &["failed to compile `module`"]);

    let mut run = instance(COUNTDOWN);
    let one = [Value::I32(1)];
    refused(run.call("walk", &one), &["`walk`", "it exports `run`"]);
    refused(run.call("memory", &one), &["no such function"]);
    refused(run.call("run", &[]), &["it takes [I32], but was given []"]);
    refused(run.call("run", &[Value::F64(1.0)]), &["it takes [I32], but was given [F64]"]);
    // `unreachable`, and `local.get 0; i32.load8_u` beyond the memory.
    refused(instance(&[0x00]).call("run", &one), &["failed to call `run`", "unreachable"]);
    let beyond = [Value::I32(65_536)];
    refused(instance(&[0x20, 0, 0x2d, 0, 0]).call("run", &beyond), &["out of bounds"]);
    // `local.get 0; call 0`
    refused(instance(&[0x20, 0, 0x10, 0]).call("run", &one), &["failed to call `run`"]);
}

#[test]
fn what_is_imported_is_named() {
    let importing = module(&[
        section(1, &[1, 0x60, 0, 0]),
        section(2, b"\x02\x03env\x03now\0\0\x03env\x04page\x02\0\x01"),
    ]);
    let compiled = Module::compile(&importing).unwrap();
    refused(compiled.instantiate(), &["imports `env.now`, `env.page`", "nothing is provided"]);
}

/// `(func unreachable) (start 0)`, and `(func (export "two") (result i32 i32) …)` without a memory.
#[test]
fn a_start_that_traps_and_two_results() {
    let start = module(&[
        section(1, &[1, 0x60, 0, 0]),
        section(3, &[1, 0]),
        section(8, &[0]),
        section(10, &[1, 3, 0, 0x00, 0x0b]),
    ]);
    refused(
        Module::compile(&start).unwrap().instantiate(),
        &["failed to instantiate", "unreachable"],
    );
    let two = module(&[
        section(1, &[1, 0x60, 0, 2, 0x7f, 0x7f]),
        section(3, &[1, 0]),
        section(7, b"\x01\x03two\0\0"),
        section(10, &[1, 6, 0, 0x41, 1, 0x41, 2, 0x0b]),
    ]);
    let mut two = Module::compile(&two).unwrap().instantiate().unwrap();
    refused(two.call("two", &[]), &["returns 2 values"]);
    refused(two.memory(), &["exports no memory"]);
}

/// A `br` out of a `block` jumps over instructions that have been paid for: `block; local.get 0; br_if 0; i32.const
/// 1; i32.const 1; i32.add; drop; end; local.get 0`.
const SKIPS: &[u8] = &[0x02, 0x40, 0x20, 0, 0x0d, 0, 0x41, 1, 0x41, 1, 0x6a, 0x1a, 0x0b, 0x20, 0];

#[test]
fn fuel_is_counted_where_control_enters() {
    let check = |body: &[u8], argument: i32, expected: u64| {
        fuel::begin();
        let mut instance = instance(body);
        instance.call("run", &[Value::I32(argument)]).unwrap();
        assert_eq!(ENOUGH - instance.store.get_fuel().unwrap(), expected);
    };
    // One for the function and one after the loop; for each lap one, and five instructions in it.
    check(COUNTDOWN, 1, 2 + 6);
    check(COUNTDOWN, 1000, 2 + 6000);
    check(SKIPS, 0, 1 + 6);
    check(SKIPS, 1, 1 + 6);
    // `local.get 0; if; i32.const 1; drop; end; local.get 0`: the branch is one more, if it is entered.
    let branch = [0x20, 0, 0x04, 0x40, 0x41, 1, 0x1a, 0x0b, 0x20, 0];
    check(&branch, 0, 1 + 3);
    check(&branch, 1, 1 + 3 + 2);
    // `local.get 0; i32.const 0; i32.const 6400; memory.fill` of 6400 bytes, then `i32.const 0`.
    let fill = [0x20, 0, 0x41, 0, 0x41, 0x80, 0x32, 0xfc, 0x0b, 0, 0x41, 0];
    check(&fill, 0, 1 + 5 + 100);
}
