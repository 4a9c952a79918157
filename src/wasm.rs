//! WebAssembly modules in an engine: compiled, instantiated and called by workloads, their fuel counted.
//!
//! Behind the cargo feature `wasm`, which adds wasmi, an interpreter. A workload reads a module and measures
//! what it likes of it with the methods it measures everything with:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use perf_budget::wasm::{Module, Value};
//!
//! fn main() -> ExitCode {
//!     perf_budget::Harness::new()
//!         .workload("load", |run| {
//!             let bytes = std::fs::read("pkg/app.wasm")?;
//!             run.try_iter(|| Module::compile(&bytes)?.instantiate()) // from bytes to what can be called
//!         })
//!         .workload("fib", |run| {
//!             let n: i32 = run.param("n")?;
//!             let module = Module::read("pkg/app.wasm")?;
//!             run.try_iter_with(
//!                 || module.instantiate().expect("it was instantiated before"), // fresh for each operation
//!                 |mut instance| instance.call("fib", &[Value::I32(n)]),
//!             )
//!         })
//!         .main()
//! }
//! ```
//!
//! ```toml
//! [budget.load]
//! workload = "load"
//! max = { p95 = "50 ms" }
//!
//! [budget.fib]
//! workload = "fib"
//! params = { n = 20 }
//! max = { fuel = 250_000 }     # exact: the same on every machine
//! ```
//!
//! - **Fuel** is what wasmi counts. Where a function, a lap of a loop or a branch of an `if` is entered, it is one, and one
//!   for each instruction in it, also for those that a `br` then jumps over; what only gives structure or discards (`block`,
//!   `end`, `return`, `drop` and the like) is free. `memory.grow`, `memory.copy` and the like are one more for every 64
//!   bytes. It is the same on every machine and every time, and may change with wasmi's version. It is added up over
//!   all calls of an operation, start functions included, and is counted only where a budget limits `fuel`, in
//!   processes of its own.
//! - **Times** are an interpreter's, without counting. They are good for limits against another module or against the base
//!   revision; a browser's compiler starts a module slower, and runs it many times faster.
//!   Every function is translated when the module is compiled, so that no first call is slower than the next.
//! - **A module imports nothing.** What it would import is a host's, and whose figures would it be? WASI is not provided.
//! - **A call that never ends** is ended with its process, by the budget's `timeout`. One that recurses without end
//!   traps, as in any engine.

use std::fmt;
use std::path::Path;

use perf_budget_core::error;
use wasmi::{CompilationMode, Config, Engine, Linker, Store, Val};

use crate::instrument::fuel;

/// The most fuel that there is: no call is ended for want of it.
const ENOUGH: u64 = u64::MAX;
/// How many exports or imports are named in a message.
const NAMED: usize = 12;

/// A module, compiled. Instances of it are made by [`instantiate`](Module::instantiate).
#[derive(Debug)]
pub struct Module {
    compiled: wasmi::Module,
    /// As messages name it.
    name: String,
    counted: bool,
}

/// An instance of a module, with a memory of its own.
#[derive(Debug)]
pub struct Instance {
    store: Store<()>,
    exports: wasmi::Instance,
    name: String,
    counted: bool,
}

/// A number as WebAssembly has it. A pointer of a 32 bit module is an [`I32`](Value::I32).
///
/// WebAssembly has more types of values, which may be added.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// 32 bits, with or without a sign.
    I32(i32),
    /// 64 bits, with or without a sign.
    I64(i64),
    /// 32 bits, a float of single precision.
    F32(f32),
    /// 64 bits, a float of double precision.
    F64(f64),
}

/// Why a module could not be read, compiled, instantiated or called. Its text says what failed, of which module, and what
/// to do; a workload passes it on by `?`.
pub struct Error(error::Error);

impl Module {
    /// Reads and compiles a file, in binary form. The path is relative to where tests run: the package's directory.
    ///
    /// # Errors
    /// Where it cannot be read, or is no valid module.
    pub fn read(path: impl AsRef<Path>) -> Result<Module, Error> {
        let path = path.as_ref();
        let bytes =
            std::fs::read(path).map_err(|source| Error(error::Error::io("read", path, source)))?;
        Module::named(&bytes, path.display().to_string())
    }

    /// Compiles a module in binary form.
    ///
    /// # Errors
    /// Where it is no valid module.
    pub fn compile(bytes: &[u8]) -> Result<Module, Error> {
        Module::named(bytes, "module".to_owned())
    }

    fn named(bytes: &[u8], name: String) -> Result<Module, Error> {
        if !bytes.starts_with(b"\0asm") {
            let text = format!(
                "failed to compile `{name}`: it is no WebAssembly in binary form, which begins with \
                 \"\\0asm\"; name the .wasm file that the build made"
            );
            return Err(Error::new(text));
        }
        let mut config = Config::default();
        let counted = fuel::is_counted();
        config.compilation_mode(CompilationMode::Eager).consume_fuel(counted);
        let compiled = wasmi::Module::new(&Engine::new(&config), bytes).map_err(|why| {
            let text = format!(
                "failed to compile `{name}`: {why}; either it is broken, or it was built with more than the \
                 engine knows, such as SIMD"
            );
            Error::new(text)
        })?;
        Ok(Module { compiled, name, counted })
    }

    /// Makes an instance: its memory with its data, its start function run.
    ///
    /// # Errors
    /// Where it imports anything, or its start function traps.
    pub fn instantiate(&self) -> Result<Instance, Error> {
        let name = &self.name;
        let imports: Vec<_> = self
            .compiled
            .imports()
            .map(|import| format!("`{}.{}`", import.module(), import.name()))
            .collect();
        if !imports.is_empty() {
            let text = format!(
                "failed to instantiate `{name}`: it imports {}, and nothing is provided; build it without \
                 glue for browsers or WASI",
                listed(imports)
            );
            return Err(Error::new(text));
        }
        let engine = self.compiled.engine();
        let mut store = Store::new(engine, ());
        let exports = spending(&mut store, self.counted, |store| {
            Linker::new(engine).instantiate_and_start(store, &self.compiled)
        });
        let exports =
            exports.map_err(|why| Error::new(format!("failed to instantiate `{name}`: {why}")))?;
        Ok(Instance { store, exports, name: name.clone(), counted: self.counted })
    }
}

impl Instance {
    /// Calls an exported function, and gives what it returns, if it returns anything.
    ///
    /// # Errors
    /// Where there is no such function, it takes other arguments, returns several values or one that is no
    /// number, or traps.
    pub fn call(&mut self, export: &str, arguments: &[Value]) -> Result<Option<Value>, Error> {
        let name = &self.name;
        let failed =
            |why: String| Error::new(format!("failed to call `{export}` of `{name}`: {why}"));
        let Some(function) = self.exports.get_func(&self.store, export) else {
            let there = self.exports.exports(&self.store);
            let there: Vec<_> = there
                .filter(|export| export.ty(&self.store).func().is_some())
                .map(|export| format!("`{}`", export.name()))
                .collect();
            let there = if there.is_empty() { "no function".to_owned() } else { listed(there) };
            return Err(failed(format!("it exports no such function; it exports {there}")));
        };
        let kind = function.ty(&self.store);
        let arguments: Vec<Val> = arguments.iter().copied().map(Value::raw).collect();
        if !arguments.iter().map(Val::ty).eq(kind.params().iter().copied()) {
            let given: Vec<_> = arguments.iter().map(Val::ty).collect();
            let text = format!("it takes {:?}, and was given {given:?}", kind.params());
            return Err(failed(text));
        }
        let mut results = [Val::I32(0)];
        let results = match kind.results().len() {
            returned @ (0 | 1) => &mut results[..returned],
            several => {
                return Err(failed(format!("it returns {several} values, and one can be had")));
            }
        };
        spending(&mut self.store, self.counted, |store| function.call(store, &arguments, results))
            .map_err(|why| failed(why.to_string()))?;
        match results {
            [] => Ok(None),
            [value, ..] => Value::of(value)
                .map(Some)
                .ok_or_else(|| failed(format!("it returns {:?}, which is no number", value.ty()))),
        }
    }

    /// The bytes of the memory that is exported as `memory`.
    ///
    /// # Errors
    /// Where there is no such memory.
    pub fn memory(&mut self) -> Result<&mut [u8], Error> {
        match self.exports.get_memory(&self.store, "memory") {
            Some(memory) => Ok(memory.data_mut(&mut self.store)),
            None => Err(Error::new(format!("`{}` exports no memory named `memory`", self.name))),
        }
    }
}

impl Value {
    fn of(value: &Val) -> Option<Value> {
        match value {
            Val::I32(value) => Some(Value::I32(*value)),
            Val::I64(value) => Some(Value::I64(*value)),
            Val::F32(value) => Some(Value::F32(f32::from(*value))),
            Val::F64(value) => Some(Value::F64(f64::from(*value))),
            _ => None,
        }
    }

    fn raw(self) -> Val {
        match self {
            Value::I32(value) => Val::I32(value),
            Value::I64(value) => Val::I64(value),
            Value::F32(value) => Val::F32(value.into()),
            Value::F64(value) => Val::F64(value.into()),
        }
    }
}

impl Error {
    fn new(text: String) -> Error {
        Error(error::Error::other(text))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

/// Runs what may use fuel, and adds up what it used, whether or not it succeeds.
fn spending<T>(
    store: &mut Store<()>,
    counted: bool,
    run: impl FnOnce(&mut Store<()>) -> Result<T, wasmi::Error>,
) -> Result<T, wasmi::Error> {
    if !counted {
        return run(store);
    }
    store.set_fuel(ENOUGH)?;
    let done = run(store);
    fuel::spend(ENOUGH - store.get_fuel()?);
    done
}

fn listed(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", names.join(", "))
}

#[cfg(test)]
mod tests;
