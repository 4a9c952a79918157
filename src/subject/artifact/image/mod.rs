//! Container images: how many layers they have, and how many bytes these have unpacked.
//!
//! An image is what `docker save` writes (`manifest.json`), or an OCI layout (`oci-layout` and
//! `index.json`). It is an archive, plain or gzipped, or a directory. It is read once, as a stream:
//! [`Contents`] notes every part's length and digest and keeps only small JSON documents, so that
//! memory does not depend on the image, and nothing is ever written to disk. Then the documents say
//! which parts are layers. Each layer's digest must be the one that the image's configuration
//! names, so that a damaged image is an error.

mod contents;
mod manifest;
mod tar;

use std::fmt::Display;
use std::io;

use perf_budget_core::outcome::{Cause, Unmeasured};

use self::contents::Contents;
use super::files::Found;

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Image {
    /// The length of each layer's uncompressed tar archive in bytes, from the lowest layer up.
    pub(super) layers: Vec<u64>,
}

/// Reads the image in a file or a directory.
pub(super) fn open(found: &Found) -> Result<Image, Unmeasured> {
    let contents = if found.path.is_dir() {
        Contents::of_directory(&found.path)
    } else {
        Contents::of_archive(&found.path)
    };
    contents.and_then(|contents| manifest::image(&contents)).map_err(|fault| {
        let text = format!("failed to read `{}` as a container image: {}", found.shown, fault.why);
        Unmeasured::new(fault.cause, text)
    })
}

/// The reason why something is not an image that can be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    cause: Cause,
    why: String,
}

impl Fault {
    fn new(why: impl Display) -> Fault {
        Fault { cause: Cause::Unsuitable, why: why.to_string() }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        let cause = match error.kind() {
            io::ErrorKind::Unsupported => Cause::Unsupported,
            io::ErrorKind::PermissionDenied => Cause::Harness,
            _ => Cause::Unsuitable,
        };
        Fault { cause, why: error.to_string() }
    }
}
