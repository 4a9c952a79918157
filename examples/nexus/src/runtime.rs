//! The server's runtime: tokio with another configuration than its own, as the document has it.

use std::io;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};

/// One worker for each processor, which look less often for what came from outside than tokio's own would (61), and
/// keep few threads for work that blocks.
///
/// # Errors
/// If no threads can be started.
pub fn tuned() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(available_parallelism()?.get())
        .max_blocking_threads(16)
        .global_queue_interval(127)
        .event_interval(127)
        .enable_all()
        .build()
}
