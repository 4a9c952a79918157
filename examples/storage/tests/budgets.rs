//! The store held to `budgets.toml`.

use std::process::ExitCode;

use perf_budget::{Failed, Harness, Heap, Run};
use storage::Store;

#[global_allocator]
static HEAP: Heap = Heap::system();

fn main() -> ExitCode {
    Harness::new()
        .workload("get", |run| {
            let place = Place::new(run)?;
            run.bytes(place.size).try_iter_async(async || place.store.get("value").await)
        })
        .workload("get_growing", |run| {
            let place = Place::new(run)?;
            run.bytes(place.size).try_iter_async(async || place.store.get_growing("value").await)
        })
        .workload("put", |run| {
            let place = Place::new(run)?;
            run.bytes(place.size)
                .try_iter_async(async || place.store.put("other", &place.value).await)
        })
        .workload("put_copy", |run| {
            let place = Place::new(run)?;
            run.bytes(place.size).try_iter_async(async || {
                // As where a cursor must own what it writes.
                let owned = place.value.clone();
                place.store.put("other", &owned).await
            })
        })
        .workload("scan", |run| {
            let place = Place::new(run)?;
            let buffer: usize = run.param("buffer")?;
            run.bytes(place.size).try_iter_async(async || place.store.scan("value", buffer).await)
        })
        .main()
}

/// A store with one value in it, gone when the process is.
struct Place {
    _directory: tempfile::TempDir,
    store: Store,
    value: Vec<u8>,
    size: u64,
}

impl Place {
    fn new(run: &mut Run) -> Result<Place, Failed> {
        let size: u64 = run.param("size")?;
        let directory = tempfile::tempdir()?;
        let store = Store::new(directory.path());
        let value: Vec<u8> = (0..size).map(|byte| byte as u8).collect();
        run.block_on(store.put("value", &value))??;
        Ok(Place { _directory: directory, store, value, size })
    }
}
