//! `{bin:NAME}`: the path of a binary that cargo builds.
//!
//! Under `cargo test` and nextest the binaries of the tested package are there and named in the
//! environment. Any other binary of the workspace is built, in the profile this test was built in,
//! so that a release test never measures a debug binary.

mod cargo;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use perf_budget_core::outcome::{Cause, Unmeasured};

/// Where binaries are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// Where `budgets.toml` is.
    pub(crate) root: PathBuf,
    /// The program that they are built like, where that is not this one: another revision's test.
    pub(crate) like: Option<PathBuf>,
}

/// Replaces every `{bin:NAME}` in `text` by the path of that binary, built at most once in this
/// process.
pub(crate) fn expand(text: &str, source: &Source) -> Result<String, Unmeasured> {
    expand_by(text, |name| path(name, source))
}

fn expand_by(
    text: &str,
    path: impl Fn(&str) -> Result<PathBuf, Unmeasured>,
) -> Result<String, Unmeasured> {
    const OPEN: &str = "{bin:";
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let Some((name, after)) = after.split_once('}') else {
            let text = format!("`{text}` has `{OPEN}` without an end; close it with `}}`");
            return Err(Unmeasured::new(Cause::NotFound, text));
        };
        let path = path(name)?;
        let path = path.to_str().ok_or_else(|| {
            let text = format!("the path of `{name}` is not UTF-8: `{}`", path.display());
            Unmeasured::new(Cause::Unsuitable, text)
        })?;
        expanded += before;
        expanded += path;
        rest = after;
    }
    Ok(expanded + rest)
}

/// What was built, or why not.
type Built = (PathBuf, String, Result<PathBuf, Unmeasured>);

static BUILT: Mutex<Vec<Built>> = Mutex::new(Vec::new());

fn path(name: &str, source: &Source) -> Result<PathBuf, Unmeasured> {
    // Nextest's own name for it holds where an archive of tests was moved.
    for variable in ["NEXTEST_BIN_EXE_", "CARGO_BIN_EXE_"] {
        let given = std::env::var_os(format!("{variable}{name}")).map(PathBuf::from);
        let own = given.filter(|path| source.like.is_none() && path.is_file());
        if let Some(path) = own {
            return Ok(path);
        }
    }
    // Held while it builds: whoever else wants the same waits for it, and cargo would wait anyway.
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((.., known)) = built.iter().find(|(root, of, _)| *root == source.root && of == name)
    {
        return known.clone();
    }
    let path = if let Some(like) = &source.like {
        cargo::build(name, &source.root, like, cargo::Of::Base)
    } else {
        let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        // Where this program's own path is unknown, cargo's usual places are the guess.
        let like = std::env::current_exe().unwrap_or_default();
        cargo::build(name, package.as_ref().unwrap_or(&source.root), &like, cargo::Of::Head)
    };
    built.push((source.root.clone(), name.to_owned(), path.clone()));
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expanded: Result<&str, &str>) {
        let got = expand_by(text, |name| match name {
            "" => Err(Unmeasured::new(Cause::NotFound, "no such binary")),
            name => Ok(PathBuf::from(format!("/bin/{name}"))),
        });
        assert_eq!(got.as_deref().map_err(|e| e.text.as_str()), expanded);
    }

    #[test]
    fn every_place_is_filled() {
        check("plain {text} {", Ok("plain {text} {"));
        check("{bin:peer}", Ok("/bin/peer"));
        check("--a={bin:a}:{bin:b}.x", Ok("--a=/bin/a:/bin/b.x"));
        check("{bin:}", Err("no such binary"));
        check("x{bin:peer", Err("`x{bin:peer` has `{bin:` without an end; close it with `}`"));
    }
}
