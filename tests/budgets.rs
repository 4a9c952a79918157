//! perf-budget on a real subject: a local-first peer, held to the budgets of `budgets.toml`.
//!
//! This is the file a user writes, and the one to copy: each workload prepares what it needs, and
//! calls one measuring method.

use std::path::PathBuf;
use std::process::ExitCode;

use local_first::{Changes, Diverged, Document, Records, Replica, state, sync};
use perf_budget::Harness;

#[global_allocator]
static HEAP: perf_budget::Heap = perf_budget::Heap::system();

fn main() -> ExitCode {
    Harness::new()
        .workload("merge", |run| {
            let pair = Diverged::of(run.param("ops")?)?;
            run.try_iter_with(
                || pair.left().expect("the left side decodes"),
                |mut left| left.pull(&pair.right).map(|()| left),
            )
        })
        .workload("merge_from_four", |run| {
            let base = Document::new(9);
            let edits: u32 = run.param("edits")?;
            let peers = (1..=4).map(|peer| Ok(edited(base.fork(peer)?, edits)));
            let peers = peers.collect::<Result<Vec<_>, local_first::Error>>()?;
            run.try_iter_with(
                || Replica::new(Document::new(10)),
                |replica| replica.gather(&peers).map(|()| replica),
            )
        })
        .workload("edit", |run| {
            let mut document = edited(Document::new(1), 1_000);
            let mut n = 0_i64;
            run.iter(|| {
                n += 1;
                document.set("title", n);
            })
        })
        .workload("read", |run| {
            let document = edited(Document::new(1), 1_000);
            run.iter(|| document.get("field 500"))
        })
        .workload("edit_one_by_one", |run| {
            run.ops(1_000);
            run.iter_with(
                || Document::new(1),
                |mut document| {
                    for n in 0..1_000_i64 {
                        document.set(&format!("field {n}"), n);
                    }
                    document
                },
            )
        })
        .workload("edit_in_batch", |run| {
            run.ops(1_000);
            run.iter_with(
                || Document::new(1),
                |mut document| {
                    document.set_all((0..1_000_i64).map(|n| (format!("field {n}"), n.into())));
                    document
                },
            )
        })
        .workload("encode", |run| {
            let document = edited(Document::new(1), 1_000);
            let nothing = Document::new(2).version();
            let size = document.changes_since(&nothing).len();
            run.bytes(size as u64);
            run.iter(|| document.changes_since(&nothing))
        })
        .workload("decode", |run| {
            let document = edited(Document::new(1), 1_000);
            let update = document.changes_since(&Document::new(2).version());
            run.bytes(update.len() as u64);
            run.try_iter(|| Changes::decode(&update))
        })
        .workload("sync", |run| {
            let edits: u32 = run.param("edits")?;
            run.ops(u64::from(edits));
            let ahead = Replica::new(edited(Document::new(1), edits));
            run.try_iter_async_with(
                async || Replica::new(Document::new(2)),
                async |behind| sync::exchange(&ahead, &behind).await,
            )
        })
        .workload("records", |run| {
            let records: u32 = run.param("records")?;
            run.hold(|| Records::load(records))
        })
        .workload("load_state", |run| {
            let records: u32 = run.param("records")?;
            let file = StateFile::new(records)?;
            run.try_iter(|| state::load(&file.0, 2))
        })
        .main()
}

/// `document` with `edits` fields set.
fn edited(mut document: Document, edits: u32) -> Document {
    document.set_all((0..edits).map(|n| (format!("field {n}"), i64::from(n).into())));
    document
}

/// A saved state. Its file is removed when the value is dropped.
struct StateFile(PathBuf);

impl StateFile {
    fn new(records: u32) -> Result<Self, local_first::Error> {
        let name = format!("perf-budget-state-{}-{records}", std::process::id());
        let file = StateFile(std::env::temp_dir().join(name));
        state::save(Records::load(records).document(), &file.0)?;
        Ok(file)
    }
}

impl Drop for StateFile {
    fn drop(&mut self) {
        // The file may be gone already.
        let _ = std::fs::remove_file(&self.0);
    }
}
