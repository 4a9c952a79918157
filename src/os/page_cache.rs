//! The part of a file that is in memory.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::kernel;

/// Returns how many pages of a file are in the page cache, and how many pages it has. It is `None` if the kernel does
/// not report it: the kernel only tells those who may write the file, so that nobody can watch what others read.
pub(crate) fn resident_pages(path: &Path) -> io::Result<Option<(usize, usize)>> {
    let file = fs::File::open(path)?;
    let metadata = file.metadata()?;
    let user = kernel::user();
    let is_reported = user == 0
        || metadata.uid() == user
        || kernel::may_write(&CString::new(path.as_os_str().as_bytes())?);
    if !is_reported {
        return Ok(None);
    }
    let length = usize::try_from(metadata.len()).map_err(io::Error::other)?;
    if length == 0 {
        return Ok(Some((0, 0)));
    }
    let mut pages = vec![0_u8; length.div_ceil(kernel::page_size())];
    kernel::mincore(&file, length, &mut pages)?;
    Ok(Some((pages.iter().filter(|&&page| page & 1 == 1).count(), pages.len())))
}
