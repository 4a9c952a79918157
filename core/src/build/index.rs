//! Where the last run left what it built, for whoever looks into it afterwards: the same file that was measured.

use std::fs;
use std::path::{Path, PathBuf};

use super::Product;
use crate::error::Error;

/// Writes down where a product is.
///
/// # Errors
/// Where it cannot be written.
pub fn note(results: &Path, root: &Path, product: &Product, built: &Path) -> Result<(), Error> {
    let file = file(results, root, product);
    if fs::read_to_string(&file).is_ok_and(|known| Path::new(&known) == built) {
        return Ok(());
    }
    let written = (|| {
        fs::create_dir_all(file.parent().unwrap_or(results))?;
        // Others may read it at this moment, or write the same.
        let part = file.with_extension(format!("part{}", std::process::id()));
        fs::write(&part, built.as_os_str().as_encoded_bytes())?;
        fs::rename(&part, &file)
    })();
    written.map_err(|e| Error::io("write", &file, e))
}

/// Where the last run left a product; `None` where it built none.
pub fn find(results: &Path, root: &Path, product: &Product) -> Option<PathBuf> {
    let built = PathBuf::from(fs::read_to_string(file(results, root, product)).ok()?);
    built.is_file().then_some(built)
}

/// The file that says so: named by what is built, since features have any length.
fn file(results: &Path, root: &Path, product: &Product) -> PathBuf {
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let text = format!("{} {}", root.display(), product.key());
    results.join("built").join("index").join(format!("{:016x}", hash(&text)))
}

/// FNV-1a: the same in every process and every release of Rust.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
