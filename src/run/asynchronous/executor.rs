//! The runtime on which a workload's asynchronous operations run. It is apart because a [`Run`](crate::run::Run) holds
//! it, whereas the measuring methods in `mod.rs` belong to a `Run`.

use tokio::runtime::{Handle, Runtime};

/// The runtime that runs asynchronous operations.
#[derive(Debug)]
pub(crate) enum Executor {
    Own(Runtime),
    Theirs(Handle),
}

impl Executor {
    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        match self {
            Executor::Own(runtime) => runtime.block_on(future),
            Executor::Theirs(handle) => handle.block_on(future),
        }
    }
}
