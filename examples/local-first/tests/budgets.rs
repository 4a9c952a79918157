//! The modules, the layouts and the starts held to `budgets.toml`.

use std::path::PathBuf;
use std::process::ExitCode;

use bumpalo::Bump;
use local_first::{Document, Peer, Records, state};
use local_first_suite::memory;
use local_first_suite::startup::App;
use perf_budget::wasm::{Instance, Module, Value};
use perf_budget::{Failed, Harness, Heap, Run};

#[global_allocator]
static HEAP: Heap = Heap::system();

fn main() -> ExitCode {
    let harness = startup(layouts(Harness::new()));
    modules(harness).main()
}

/// How records are laid out in memory.
fn layouts(harness: Harness) -> Harness {
    harness
        .workload("own_texts", |run| {
            let records = run.param("records")?;
            run.hold(|| memory::own_texts(records))
        })
        .workload("interned_texts", |run| {
            let records = run.param("records")?;
            run.hold(|| memory::interned_texts(records))
        })
        .workload("lists_on_the_heap", |run| {
            let records = run.param("records")?;
            run.hold(|| memory::lists_on_the_heap(records))
        })
        .workload("lists_in_place", |run| {
            let records = run.param("records")?;
            run.hold(|| memory::lists_in_place(records))
        })
        .workload("log_on_the_heap", |run| {
            let edits = run.param("edits")?;
            run.hold(|| memory::log_on_the_heap(edits))
        })
        .workload("log_in_an_arena", |run| {
            let edits = run.param("edits")?;
            let arena = Bump::new();
            run.hold(|| memory::log_in_an_arena(&arena, edits))
        })
        .workload("read_at_once", |run| {
            let store = Records::load(run.param("records")?);
            run.try_hold(|| memory::read_at_once(&store))
        })
        .workload("read_when_asked", |run| {
            let store = Records::load(run.param("records")?);
            run.try_hold(|| memory::read_when_asked(&store))
        })
}

/// How the application and its parts start.
fn startup(harness: Harness) -> Harness {
    harness
        .workload("eager", |run| {
            let file = StateFile::of(run)?;
            run.try_iter(|| App::eager(&file.path))
        })
        .workload("lazy", |run| {
            let file = StateFile::of(run)?;
            run.try_iter(|| App::lazy(&file.path))
        })
        .workload("background", |run| {
            let file = StateFile::of(run)?;
            run.try_iter(|| App::background(&file.path))
        })
        .workload("find", |run| {
            let file = StateFile::of(run)?;
            run.try_iter_with(
                || App::lazy(&file.path).expect("it was saved before"),
                |app| app.find("17").map(<[u32]>::len),
            )
        })
        .workload("state_engine", |run| run.iter(|| Records::from(Document::new(1))))
        .workload("node", |run| {
            run.try_iter_async(async || Peer::listen("127.0.0.1:0", 1, None).await)
        })
        .workload("persisted", |run| {
            let file = StateFile::of(run)?;
            run.try_iter(|| state::load(&file.path, 2))
        })
}

/// WebAssembly, in an engine.
fn modules(harness: Harness) -> Harness {
    harness
        .workload("module_start", |run| {
            let bytes = std::fs::read(module(run)?)?;
            run.try_iter(|| Module::compile(&bytes)?.instantiate())
        })
        .workload("module_instance", |run| {
            let module = Module::read(module(run)?)?;
            run.try_iter(|| module.instantiate())
        })
        .workload("record_merge", |run| {
            let edits: i64 = run.param("edits")?;
            let mut instance = Module::read(module(run)?)?.instantiate()?;
            let [ours, theirs] =
                [written(&mut instance, 1, edits)?, written(&mut instance, 2, edits)?];
            run.try_hold(|| instance.call("record_merge", &[ours, theirs]))?;
            run.record("memory", instance.memory()?.len() as f64)
        })
        .workload("document_merge", |run| {
            let edits: u32 = run.param("edits")?;
            let mut instance = Module::read(module(run)?)?.instantiate()?;
            let mut theirs = Document::new(1);
            theirs.set_all((0..edits).map(|n| (format!("field {n}"), i64::from(n).into())));
            let update = bytes(&mut instance, &theirs.encode())?;
            let ours = returned(&mut instance, "document_create", &[Value::I64(2)])?;
            run.try_hold(|| instance.call("document_merge", &[ours, update]))
        })
}

/// The file of the module that the budget names: one of this suite, or that of the repository's own budgets.
fn module(run: &Run) -> Result<PathBuf, Failed> {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    Ok(match run.param::<String>("module")?.as_str() {
        "local_first" => package.join("../../fixtures/local-first/local_first.wasm"),
        name => package.join(format!("modules/{name}.wasm")),
    })
}

fn returned(instance: &mut Instance, export: &str, values: &[Value]) -> Result<Value, Failed> {
    Ok(instance.call(export, values)?.ok_or("it returned nothing")?)
}

/// A record of ten fields that a peer has edited so often.
fn written(instance: &mut Instance, peer: i32, edits: i64) -> Result<Value, Failed> {
    let record = returned(instance, "record_create", &[])?;
    for n in 0..edits {
        let values = [record, Value::I64(n * 7), Value::I64(n + 1), Value::I32(peer)];
        instance.call(&format!("field_{}_write", n % 10), &values)?;
    }
    Ok(record)
}

/// Bytes in the memory of the module, by its own allocator.
fn bytes(instance: &mut Instance, content: &[u8]) -> Result<Value, Failed> {
    let handle = returned(instance, "bytes_create", &[Value::I32(content.len().try_into()?)])?;
    let Value::I32(at) = returned(instance, "bytes_data", &[handle])? else {
        return Err("the address is no I32".into());
    };
    let at = at.cast_unsigned() as usize;
    let place = instance.memory()?.get_mut(at..at + content.len());
    place.ok_or("the bytes are beyond the memory")?.copy_from_slice(content);
    Ok(handle)
}

/// A saved state of as many records as the budget says, gone with the value.
struct StateFile {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl StateFile {
    fn of(run: &Run) -> Result<StateFile, Failed> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("state");
        state::save(Records::load(run.param("records")?).document(), &path)?;
        Ok(StateFile { _directory: directory, path })
    }
}
