//! The copies of the object files and libraries of a link. In each copy the functions are at other offsets.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::align;
use super::record::{Record, has_extension, is_library};

/// Makes the copies for links, one after another or several at once.
pub(super) struct Copies<'r> {
    record: &'r Record,
    place: &'r Path,
    /// The linker's arguments, with copies in place of the libraries of the compiler.
    arguments: Vec<String>,
}

/// The copies for one link, which are removed when this is dropped: they take as much room as the originals.
pub(super) struct CopiesOfLink {
    pub(super) arguments: Vec<String>,
    place: PathBuf,
}

impl Drop for CopiesOfLink {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.place);
    }
}

impl<'r> Copies<'r> {
    /// Copies the compiler's own libraries to `place`. Both revisions have the same ones, so one copy is for all links, with the
    /// functions at multiples of 64 bytes.
    pub(super) fn new(record: &'r Record, place: &'r Path) -> Result<Self, String> {
        let _ = fs::remove_dir_all(place);
        let mut copies = Copies { record, place, arguments: record.arguments.clone() };
        copies.arguments = copies.replaced(&place.join("compiler"), None)?.0;
        Ok(copies)
    }

    /// Makes the copies for a link with this seed.
    pub(super) fn of_link(&self, seed: u32) -> Result<CopiesOfLink, String> {
        let place = self.place.join(seed.to_string());
        let mut copies = CopiesOfLink { arguments: Vec::new(), place };
        let (arguments, functions) = self.replaced(&copies.place, Some(seed.into()))?;
        if functions == 0 {
            return Err(
                "the object files contain no machine code, as with link-time optimisation".into()
            );
        }
        copies.arguments = arguments;
        Ok(copies)
    }

    /// Copies files to a new directory: without a draw the compiler's own libraries, and with a draw all other files. Returns
    /// the arguments with the copies in place of the files, and the number of functions in the object files.
    fn replaced(&self, place: &Path, draw: Option<u64>) -> Result<(Vec<String>, usize), String> {
        let failed = |e: std::io::Error| format!("failed to create `{}`: {e}", place.display());
        fs::create_dir_all(place).map_err(failed)?;
        let mut arguments = self.arguments.clone();
        let mut functions = 0;
        for (nth, argument) in arguments.iter_mut().enumerate() {
            let Some(from) = self.original(argument, draw.is_none()) else { continue };
            let name = from.file_name().unwrap_or_default().to_string_lossy();
            let copy = place.join(format!("{nth}-{name}"));
            let Some(count) = align::copy(&from, &copy, draw)? else { continue };
            if has_extension(argument, "o") {
                functions += count;
            }
            *argument = copy.to_string_lossy().into_owned();
        }
        Ok((arguments, functions))
    }

    /// Returns the file that an argument names, if it is to be copied. `of_compiler` says whether the compiler's own
    /// libraries are copied, or all other files.
    fn original(&self, argument: &str, of_compiler: bool) -> Option<PathBuf> {
        let is_code = has_extension(argument, "o") || is_library(argument);
        let from = self.record.directory.join(argument);
        let parts: Vec<_> = from.components().map(Component::as_os_str).collect();
        let is_of_compiler = parts.windows(4).any(|part| {
            (part[0], part[1], part[3]) == ("lib".as_ref(), "rustlib".as_ref(), "lib".as_ref())
        });
        let is_copy = from.starts_with(self.place);
        (is_code && is_of_compiler == of_compiler && !is_copy && from.is_file()).then_some(from)
    }
}
