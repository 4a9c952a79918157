//! The build of a budget's subject, which happens before it is measured. The core says which programs build it, and
//! this module starts them.
//!
//! Both revisions are built in the same way, each in its own directory with its own configuration. Nothing is built
//! twice in a run.

mod benchmarks;
mod shared;
mod start;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use perf_budget_core::atomic;
use perf_budget_core::budget::{self, Budget, Budgets, Case};
use perf_budget_core::build::{self, Built, Product, Site};
use perf_budget_core::fnv;
use perf_budget_core::outcome::{Cause, Unmeasured};

use self::start::BuildEnvironment;
pub(super) use self::start::without_own_package;
use crate::base::Base;

/// The build of one case's subject in one revision.
#[derive(Debug, Clone)]
pub(crate) struct Builder {
    /// The directory of `budgets.toml`.
    pub(crate) root: PathBuf,
    /// The base's test binary; the base is built in the target directory of that. `None` if this revision is built.
    pub(crate) base: Option<PathBuf>,
    /// The options of the build, with the case's parameters filled in.
    pub(crate) build: budget::Build,
    /// The longest time that one build may take.
    pub(crate) timeout: Duration,
    /// The directory `target/budgets`.
    pub(crate) results: PathBuf,
    /// The directory that the processes of this run share, if there are several.
    pub(crate) run: Option<PathBuf>,
}

/// A finished build: the root of its revision, the key of its product, and the result.
type Finished = (PathBuf, String, Result<Built, Unmeasured>);

/// The builds that this process has finished.
static FINISHED: Mutex<Vec<Finished>> = Mutex::new(Vec::new());

impl Builder {
    /// Returns the build of a budget's subject, in this revision or in `base`.
    pub(crate) fn for_budget(
        budgets: &Budgets,
        results: &Path,
        run: Option<&Path>,
        budget: &Budget,
        base: Option<&Base>,
    ) -> Builder {
        Builder {
            root: base.map_or_else(|| budgets.root.clone(), |base| base.root.clone()),
            base: base.and_then(Base::build).map(|build| build.binary.clone()),
            build: budget.build.clone(),
            timeout: budget.build.timeout.unwrap_or(budgets.settings.build_timeout),
            results: results.to_owned(),
            run: run.map(Path::to_owned),
        }
    }

    /// Returns the build with the parameters of a case filled in.
    pub(crate) fn filled(mut self, case: &Case) -> Builder {
        for word in &mut self.build.command {
            *word = case.fill(word);
        }
        self
    }

    /// Runs the budget's `build` command, if it has one, and builds what these texts name. Returns the texts with each
    /// `{bin:NAME}` and `{wasm:NAME}` replaced by a path, and the notes about how everything was built.
    pub(crate) fn build(&self, texts: &[String]) -> Result<(Vec<String>, Vec<String>), Unmeasured> {
        let mut notes = Vec::new();
        let add = |notes: &mut Vec<String>, found: Vec<String>| {
            for note in found {
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        };
        let expand =
            |text: &String| build::expand(text, &self.build, &mut |product| self.product(&product));
        let mut command = Vec::new();
        for word in &self.build.command {
            let (word, _) = expand(word)?;
            command.push(word);
        }
        let own = budget::Build { command, ..self.build.clone() };
        if let Some(made) = Product::made(&own) {
            self.product(&made)?;
            add(&mut notes, vec![format!("made by `{}`", self.build.command.join(" "))]);
        }
        let mut expanded = Vec::new();
        for text in texts {
            let (text, found) = expand(text)?;
            expanded.push(text);
            add(&mut notes, found);
        }
        Ok((expanded, notes))
    }

    /// Builds a product, or returns it if it was already built in this run.
    fn product(&self, product: &Product) -> Result<Built, Unmeasured> {
        self.once(product.key(), || self.start(product))
    }

    /// Calls `build`, unless the product with this key was already built in this run; then returns that result.
    fn once(
        &self,
        key: String,
        build: impl FnOnce() -> Result<Built, Unmeasured>,
    ) -> Result<Built, Unmeasured> {
        // The lock is held during the build, so that another thread that needs the same product waits for it. Different
        // products wait for each other too. Cargo would make them wait anyway, and the `build` commands of two budgets
        // may write the same files.
        let mut finished = FINISHED.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |(root, known, _): &&Finished| *root == self.root && *known == key;
        if let Some((.., built)) = finished.iter().find(is_same) {
            return built.clone();
        }
        let built = shared::build_once(self.run.as_deref(), &self.root, &key, build);
        finished.push((self.root.clone(), key, built.clone()));
        built
    }

    fn start(&self, product: &Product) -> Result<Built, Unmeasured> {
        let site = self.site();
        let environment = BuildEnvironment::new(self.base.is_some(), self.timeout)?;
        let _lock = self.lock_commands(product)?;
        let built = product.build(&site, &|step| environment.start(step))?;
        if self.base.is_none() && matches!(product, Product::Cargo(_)) {
            build::note(&self.results, &self.root, product, &built.path)
                .map_err(|e| Unmeasured::new(Cause::Harness, e.to_string()))?;
        }
        Ok(built)
    }

    /// Waits until no other process of this run runs a `build` command in this revision, and returns the lock. `None` if this
    /// product needs no lock.
    fn lock_commands(&self, product: &Product) -> Result<Option<File>, Unmeasured> {
        match (product, &self.run) {
            (Product::Made(_), Some(run)) => {
                let root = fnv::name(self.root.as_os_str().as_encoded_bytes());
                let lock = atomic::lock(&run.join(format!("commands-{root}.lock")));
                lock.map(Some).map_err(|e| Unmeasured::new(Cause::Harness, e.to_string()))
            }
            (Product::Made(_), None) | (Product::Cargo(_), _) => Ok(None),
        }
    }

    fn site(&self) -> Site {
        // If the path of this program is unknown, cargo chooses the target directory and the platform.
        let test = self.base.clone().or_else(|| std::env::current_exe().ok()).unwrap_or_default();
        let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let package = package.filter(|_| self.base.is_none()).unwrap_or_else(|| self.root.clone());
        let (target, triple) = place_of(&test);
        Site { root: self.root.clone(), package, target, triple }
    }
}

/// Returns the target directory that a test binary was built in, and the platform that it was built for, if cargo was
/// given one. Cargo puts a test in `TARGET_DIR[/TRIPLE]/PROFILE/deps`, and marks `TARGET_DIR` by a `CACHEDIR.TAG`.
fn place_of(test: &Path) -> (Option<PathBuf>, Option<String>) {
    let mut above = test.ancestors().skip_while(|dir| !dir.ends_with("deps")).skip(2);
    let Some(above_profile) = above.next() else { return (None, None) };
    let is_marked = |dir: &Path| dir.join("CACHEDIR.TAG").is_file();
    let name = above_profile.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    // Some releases of cargo mark the directory of a platform too.
    let is_platform = name.matches('-').count() >= 2 || !is_marked(above_profile);
    match above_profile.parent().filter(|parent| is_platform && is_marked(parent)) {
        Some(parent) => (Some(parent.to_owned()), Some(name.to_owned())),
        None => (Some(above_profile.to_owned()), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_built_for_the_platform_of_the_tests() {
        let dir = std::env::temp_dir().join(format!("perf-budget-place-{}", std::process::id()));
        let target = dir.join("target");
        std::fs::create_dir_all(&target).unwrap();
        std::fs::write(target.join("CACHEDIR.TAG"), "").unwrap();
        let check = |test: &str, in_target: bool, triple: Option<&str>| {
            let found = place_of(&dir.join(test));
            let expected = in_target.then(|| target.clone());
            assert_eq!(found, (expected, triple.map(str::to_owned)), "{test}");
        };
        check("target/debug/deps/t-1", true, None);
        // A test binary of the base that was linked several times is in a directory below `deps`.
        check("target/release/deps/layouts/base/t-1", true, None);
        let triple = "aarch64-unknown-linux-gnu";
        check(&format!("target/{triple}/release/deps/t-1"), true, Some(triple));
        std::fs::create_dir_all(target.join(triple)).unwrap();
        std::fs::write(target.join(triple).join("CACHEDIR.TAG"), "").unwrap();
        check(&format!("target/{triple}/release/deps/t-1"), true, Some(triple));
        check("moved/t-1", false, None);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
