//! The same test binary linked several times, its functions in another order each time, so that luck with
//! addresses is drawn anew for each pair instead of once for all.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::build::{Side, Target};
use crate::failure::Failure;

/// Links the target once for each seed, and copies the binaries beside the one that cargo makes, to a directory `name`: by
/// where a binary is the harness knows into which target directory it builds others of that revision.
pub(super) fn link(
    target: &Target,
    package: &Path,
    side: Side<'_>,
    seeds: RangeInclusive<u32>,
    name: &str,
) -> Result<Vec<PathBuf>, Failure> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(Failure::usage(
            "`layouts` needs a linker that shuffles sections: lld, which is Rust's own on x86-64 Linux; \
             leave it at 1 elsewhere",
        ));
    }
    let mut binaries = Vec::new();
    for seed in seeds {
        let mut arguments: Vec<OsString> = vec!["rustc".into()];
        arguments.extend(target.arguments());
        let shuffle = format!("link-arg=-Wl,--shuffle-sections=.text*={seed}");
        let after = ["-C".to_owned(), shuffle];
        let built = target.built(package, side, arguments, &after)?;
        let place = built.with_file_name("layouts").join(name);
        std::fs::create_dir_all(&place).map_err(|e| Failure::io("create", &place, &e))?;
        let binary = place.join(format!("{}-{seed}{}", target.test, std::env::consts::EXE_SUFFIX));
        let part = binary.with_extension("part");
        std::fs::copy(&built, &part)
            .and_then(|_| std::fs::rename(&part, &binary))
            .map_err(|e| Failure::io("write", &binary, &e))?;
        binaries.push(binary);
    }
    Ok(binaries)
}
