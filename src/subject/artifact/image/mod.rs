//! Container images: how many layers they have, and how many bytes these have unpacked.
//!
//! An image is what `docker save` writes (`manifest.json`), or an OCI layout (`oci-layout` and
//! `index.json`). It is an archive, plain or gzipped, or a directory. It is read once, as a stream:
//! [`Contents`] notes every part's length and digest and keeps only small JSON documents. So the memory
//! that is needed does not depend on the image, and nothing is ever written to disk. Then the documents
//! say which parts are layers. Each layer's digest must be the one that the image's configuration
//! names, so that a damaged image is an error.

mod contents;
mod fault;
mod manifest;
mod tar;

use perf_budget_core::outcome::Unmeasured;

use self::contents::Contents;
pub(super) use self::manifest::Image;
use super::files::FileEntry;

/// Reads the image in a file or a directory.
pub(super) fn open(found: &FileEntry) -> Result<Image, Unmeasured> {
    let contents = if found.path.is_dir() {
        Contents::of_directory(&found.path, found.deadline)
    } else {
        Contents::of_archive(&found.path, found.deadline)
    };
    contents.and_then(|contents| manifest::image(&contents)).map_err(|fault| {
        let text = format!("failed to read `{}` as a container image: {}", found.shown, fault.why);
        Unmeasured::new(fault.cause, text)
    })
}
