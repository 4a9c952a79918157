//! What a budget measures, built before it is measured: how, the core says; here its programs are started.
//!
//! Both revisions are built alike, each in its own place with its own configuration, and each once in a run.

mod shared;
mod start;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use perf_budget_core::budget;
use perf_budget_core::build::{self, Built, Product, Site};
use perf_budget_core::outcome::{Cause, Unmeasured};

/// What builds the subject of one case, in one revision.
#[derive(Debug, Clone)]
pub(crate) struct Builder {
    /// Where `budgets.toml` is.
    pub(crate) root: PathBuf,
    /// The base's test binary, in the place of which it is built; `None`: this revision is built.
    pub(crate) base: Option<PathBuf>,
    /// How it is built, with the case's parameters filled in.
    pub(crate) build: budget::Build,
    /// How long one build may take.
    pub(crate) timeout: Duration,
    /// `target/budgets`.
    pub(crate) results: PathBuf,
    /// What the processes of this run share, where they are several.
    pub(crate) run: Option<PathBuf>,
}

/// What was built in this process, or why not: which product of which revision.
type Known = (PathBuf, String, Result<Built, Unmeasured>);

static KNOWN: Mutex<Vec<Known>> = Mutex::new(Vec::new());

impl Builder {
    /// Makes what a command of the budget makes, if it has one, and gives these texts with each `{bin:NAME}` and
    /// `{wasm:NAME}` replaced by where it was built; and what is to be said of all that.
    pub(crate) fn build(&self, texts: &[String]) -> Result<(Vec<String>, Vec<String>), Unmeasured> {
        let mut notes = Vec::new();
        let add = |notes: &mut Vec<String>, found: Vec<String>| {
            for note in found {
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        };
        let expand = |text: &String| build::expand(text, &self.build, &mut |of| self.product(&of));
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

    /// A product, built at most once in this run.
    fn product(&self, product: &Product) -> Result<Built, Unmeasured> {
        let key = product.key();
        // Held while it builds: whoever else wants the same waits for it, and cargo would wait anyway.
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |(root, of, _): &&Known| *root == self.root && *of == key;
        if let Some((.., built)) = known.iter().find(same) {
            return built.clone();
        }
        let built = shared::once(self.run.as_deref(), &self.root, &key, || self.start(product));
        known.push((self.root.clone(), key, built.clone()));
        built
    }

    fn start(&self, product: &Product) -> Result<Built, Unmeasured> {
        let site = self.site();
        let start = start::Starts::of(self.base.is_some(), self.timeout)?;
        let built = product.build(&site, &|step| start.start(step))?;
        if self.base.is_none() && matches!(product, Product::Cargo(_)) {
            build::note(&self.results, &self.root, product, &built.path)
                .map_err(|e| Unmeasured::new(Cause::Harness, e.to_string()))?;
        }
        Ok(built)
    }

    fn site(&self) -> Site {
        // Where this program's own path is unknown, cargo's usual places are the guess.
        let like = self.base.clone().or_else(|| std::env::current_exe().ok()).unwrap_or_default();
        let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let package = package.filter(|_| self.base.is_none()).unwrap_or_else(|| self.root.clone());
        let (target, triple) = place(&like);
        Site { root: self.root.clone(), package, target, triple }
    }
}

/// The target directory that a test binary was built in, and the platform that it was built for where cargo was
/// told one: cargo puts a test in `TARGET_DIR[/TRIPLE]/PROFILE/deps`, and marks `TARGET_DIR`.
fn place(test: &Path) -> (Option<PathBuf>, Option<String>) {
    let mut above = test.ancestors().skip_while(|dir| !dir.ends_with("deps")).skip(2);
    let Some(place) = above.next() else { return (None, None) };
    let is_marked = |dir: &Path| dir.join("CACHEDIR.TAG").is_file();
    let name = place.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    // Some releases of cargo mark the directory of a platform as well.
    let is_platform = name.matches('-').count() >= 2 || !is_marked(place);
    match place.parent().filter(|parent| is_platform && is_marked(parent)) {
        Some(parent) => (Some(parent.to_owned()), Some(name.to_owned())),
        None => (Some(place.to_owned()), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_built_for_the_platform_of_the_tests() {
        let dir = std::env::temp_dir().join(format!("perf-budget-place-{}", std::process::id()));
        let target = dir.join("target");
        std::fs::create_dir_all(&target).unwrap();
        std::fs::write(target.join("CACHEDIR.TAG"), "").unwrap();
        let check = |test: &str, in_target: bool, triple: Option<&str>| {
            let found = place(&dir.join(test));
            let place = in_target.then(|| target.clone());
            assert_eq!(found, (place, triple.map(str::to_owned)), "{test}");
        };
        check("target/debug/deps/t-1", true, None);
        // One of several links of the base's.
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
