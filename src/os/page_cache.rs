//! What of a file is in memory.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::kernel;

/// How many pages of a file are in the page cache, and how many it has. `None` where the kernel does
/// not tell: it shows only who may write the file, so that nobody watches what others read.
pub(crate) fn resident_pages(path: &Path) -> io::Result<Option<(usize, usize)>> {
    let file = fs::File::open(path)?;
    let metadata = file.metadata()?;
    let user = kernel::user();
    let told = user == 0
        || metadata.uid() == user
        || kernel::may_write(&CString::new(path.as_os_str().as_bytes())?);
    if !told {
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
