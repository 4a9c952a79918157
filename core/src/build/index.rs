//! The index of built files: the last run notes the path of each file that it built and measured, so that a later
//! command can examine the very same file.

use std::fs;
use std::path::{Path, PathBuf};

use super::product::Product;
use crate::atomic;
use crate::error::Error;
use crate::fnv;

/// Notes the path of a product in the index.
///
/// # Errors
/// If the index cannot be written.
pub fn note(results: &Path, root: &Path, product: &Product, built: &Path) -> Result<(), Error> {
    let file = file(results, root, product);
    if fs::read_to_string(&file).is_ok_and(|known| Path::new(&known) == built) {
        return Ok(());
    }
    let written = atomic::write(&file, built.as_os_str().as_encoded_bytes());
    written.map_err(|e| Error::io("write", &file, e))
}

/// Returns the path of a product that the last run built. `None` if it built none, or if the file is gone.
pub fn find(results: &Path, root: &Path, product: &Product) -> Option<PathBuf> {
    let built = PathBuf::from(fs::read_to_string(file(results, root, product)).ok()?);
    built.is_file().then_some(built)
}

/// Returns the index's file for a product. Its name is a hash of the product's key, since a list of features can be too
/// long for a file name.
fn file(results: &Path, root: &Path, product: &Product) -> PathBuf {
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let text = format!("{} {}", root.display(), product.key());
    results.join("built").join("index").join(fnv::name(text.as_bytes()))
}
