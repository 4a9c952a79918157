//! Builds that the processes of a run share: nothing is built twice, and a build that failed is not tried again.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use perf_budget_core::atomic;
use perf_budget_core::build::Built;
use perf_budget_core::outcome::{Cause, Fault, Unmeasured};
use serde::{Deserialize, Serialize};

/// The file with the result of a build.
#[derive(Serialize, Deserialize)]
enum Wire {
    Built { path: PathBuf, note: String },
    Failed(Fault),
}

/// Calls `build`, unless a process of the run has already built this product; then returns that result. `run` is the
/// directory of the run. A product is identified by the `root` of its revision and by its `key`.
pub(super) fn build_once(
    run: Option<&Path>,
    root: &Path,
    key: &str,
    build: impl FnOnce() -> Result<Built, Unmeasured>,
) -> Result<Built, Unmeasured> {
    let Some(run) = run else { return build() };
    // The standard hasher may differ between releases of Rust, but all processes of a run are the same binary.
    let mut name = DefaultHasher::new();
    (root, key).hash(&mut name);
    let place = run.join(format!("built-{:016x}", name.finish()));
    let wire = atomic::once(&place, || Wire::new(&build()));
    wire.map_err(|e| Unmeasured::new(Cause::Harness, e.to_string()))?.into()
}

impl Wire {
    fn new(built: &Result<Built, Unmeasured>) -> Wire {
        match built {
            Ok(Built { path, note }) => Wire::Built { path: path.clone(), note: note.clone() },
            Err(why) => Wire::Failed(Fault::from(why)),
        }
    }
}

impl From<Wire> for Result<Built, Unmeasured> {
    fn from(wire: Wire) -> Self {
        match wire {
            Wire::Built { path, note } => Ok(Built { path, note }),
            Wire::Failed(fault) => Err(fault.reason()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;

    use super::*;

    #[test]
    fn each_product_of_each_revision_is_built_once_even_if_it_fails() {
        let run = std::env::temp_dir().join(format!("perf-budget-shared-{}", std::process::id()));
        fs::create_dir_all(&run).unwrap();
        let (head, base) = (Path::new("/w"), Path::new("/base"));
        let good = |path: &str| Ok(Built { path: path.into(), note: "release".to_owned() });
        let bad = || {
            let output = Some("error: oops".to_owned());
            Err(Unmeasured { cause: Cause::ExitedBadly, text: "failed".to_owned(), output })
        };
        let count = Cell::new(0);
        let ask = |root, key, built: &Result<Built, Unmeasured>| {
            let build = || {
                count.set(count.get() + 1);
                built.clone()
            };
            build_once(Some(&run), root, key, build)
        };
        for _ in 0..2 {
            assert_eq!(ask(head, "{bin:app}", &good("/a")), good("/a"));
            assert_eq!(ask(base, "{bin:app}", &good("/b")), good("/b"));
            assert_eq!(ask(head, "{bin:other}", &bad()), bad());
        }
        assert_eq!(count.get(), 3);
        // Without a directory of the run there is no other process to share with.
        assert_eq!(build_once(None, head, "{bin:app}", bad), bad());
        fs::remove_dir_all(&run).unwrap();
    }
}
