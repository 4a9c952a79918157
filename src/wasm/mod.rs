//! WebAssembly modules in an engine: workloads compile, instantiate and call them, and their fuel is counted.
//!
//! They are behind the cargo feature `wasm`, which adds wasmi, an interpreter. A workload reads a module and measures
//! it with the same methods as everything else:
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
//! - **Fuel** is what wasmi counts. Entering a function, a lap of a loop or a branch of an `if` costs one, and each
//!   instruction in it costs one, even if a `br` then jumps over it. Instructions that only give structure or discard
//!   a value (`block`, `end`, `return`, `drop` and the like) are free. `memory.grow`, `memory.copy` and the like cost
//!   one more for every 64 bytes. Fuel is the same on every machine and every time, but may change with wasmi's
//!   version. It is added up over all calls of an operation, start functions included. It is counted only if a budget
//!   limits `fuel`, in processes of its own.
//! - **Times** are those of an interpreter that does not count fuel. They are good for limits against another module
//!   or against the base revision; a browser's compiler starts a module slower, and runs it many times faster. Every
//!   function is translated when the module is compiled, so that a first call is not slower than the next.
//! - **A module may not import anything.** Imports would be functions of a host, and their cost would be part of the
//!   result. WASI is not provided.
//! - **A call that never ends** is ended with its process, by the budget's `timeout`. A call that recurses without
//!   end traps, as in any engine.

use std::fmt;
use std::path::Path;

use perf_budget_core::error;
use wasmi::{CompilationMode, Config, Engine, Linker, Store, Val};

use crate::instrument::fuel;

/// The fuel of each call: the most that there is, so that no call ends for lack of it.
const ENOUGH: u64 = u64::MAX;
/// The most exports or imports that a message names.
const NAMED: usize = 12;

/// A compiled module. [`instantiate`](Module::instantiate) makes instances of it.
#[derive(Debug)]
pub struct Module {
    compiled: wasmi::Module,
    /// The module's name in messages.
    name: String,
    counted: bool,
}

/// An instance of a module, with its own memory.
#[derive(Debug)]
pub struct Instance {
    store: Store<()>,
    exports: wasmi::Instance,
    name: String,
    counted: bool,
}

/// A number of WebAssembly. A pointer of a 32-bit module is an [`I32`](Value::I32).
///
/// A later release may add the other types of WebAssembly.
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

/// The reason why a module could not be read, compiled, instantiated or called. Its text says what failed, for which
/// module, and what to do; a workload passes it on by `?`.
pub struct Error(error::Error);

impl Module {
    /// Reads and compiles a file in binary form. The path is relative to where tests run: the package's directory.
    ///
    /// # Errors
    /// If the file cannot be read, or is not a valid module.
    pub fn read(path: impl AsRef<Path>) -> Result<Module, Error> {
        let path = path.as_ref();
        let bytes =
            std::fs::read(path).map_err(|source| Error(error::Error::io("read", path, source)))?;
        Module::named(&bytes, path.display().to_string())
    }

    /// Compiles a module in binary form.
    ///
    /// # Errors
    /// If it is not a valid module.
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

    /// Makes an instance: allocates its memory with its data, and runs its start function.
    ///
    /// # Errors
    /// If the module imports anything, or its start function traps.
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
                name_list(imports)
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
    /// Calls an exported function, and returns its result, if it has one.
    ///
    /// # Errors
    /// If there is no such function, if it takes other arguments, if it returns several values or one that is not a
    /// number, or if it traps.
    pub fn call(&mut self, export: &str, arguments: &[Value]) -> Result<Option<Value>, Error> {
        let name = &self.name;
        let failed =
            |why: String| Error::new(format!("failed to call `{export}` of `{name}`: {why}"));
        let Some(function) = self.exports.get_func(&self.store, export) else {
            let functions = self.exports.exports(&self.store);
            let functions: Vec<_> = functions
                .filter(|export| export.ty(&self.store).func().is_some())
                .map(|export| format!("`{}`", export.name()))
                .collect();
            let functions =
                if functions.is_empty() { "no function".to_owned() } else { name_list(functions) };
            return Err(failed(format!("it exports no such function; it exports {functions}")));
        };
        let kind = function.ty(&self.store);
        let arguments: Vec<Val> = arguments.iter().copied().map(Value::to_engine).collect();
        if !arguments.iter().map(Val::ty).eq(kind.params().iter().copied()) {
            let given: Vec<_> = arguments.iter().map(Val::ty).collect();
            let text = format!("it takes {:?}, but was given {given:?}", kind.params());
            return Err(failed(text));
        }
        let mut results = [Val::I32(0)];
        let results = match kind.results().len() {
            returned @ (0 | 1) => &mut results[..returned],
            several => {
                return Err(failed(format!(
                    "it returns {several} values, but only one can be returned"
                )));
            }
        };
        spending(&mut self.store, self.counted, |store| function.call(store, &arguments, results))
            .map_err(|why| failed(why.to_string()))?;
        match results {
            [] => Ok(None),
            [value, ..] => Value::from_engine(value).map(Some).ok_or_else(|| {
                failed(format!("it returns {:?}, which is not a number", value.ty()))
            }),
        }
    }

    /// Returns the bytes of the memory that is exported as `memory`.
    ///
    /// # Errors
    /// If there is no such memory.
    pub fn memory(&mut self) -> Result<&mut [u8], Error> {
        match self.exports.get_memory(&self.store, "memory") {
            Some(memory) => Ok(memory.data_mut(&mut self.store)),
            None => Err(Error::new(format!("`{}` exports no memory named `memory`", self.name))),
        }
    }
}

impl Value {
    fn from_engine(value: &Val) -> Option<Value> {
        match value {
            Val::I32(value) => Some(Value::I32(*value)),
            Val::I64(value) => Some(Value::I64(*value)),
            Val::F32(value) => Some(Value::F32(f32::from(*value))),
            Val::F64(value) => Some(Value::F64(f64::from(*value))),
            Val::V128(_) | Val::FuncRef(_) | Val::ExternRef(_) => None,
        }
    }

    fn to_engine(self) -> Val {
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

/// Runs what may use fuel, and adds up what it used, whether or not it succeeded.
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

fn name_list(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", names.join(", "))
}

#[cfg(test)]
mod tests;
