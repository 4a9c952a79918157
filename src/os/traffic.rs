//! The bytes that a process passed to the system and took from it, as Linux counts them in `/proc/PID/io`.
//!
//! `rchar` and `wchar` are the bytes that its calls read and wrote, in files, pipes, sockets and terminals, whether or not a
//! disk was used. So they are the same in every run of the same work. The kernel's `read_bytes` and `write_bytes` would
//! depend on what the page cache happens to hold.

use std::ops::{AddAssign, Sub};

/// Bytes that were read and written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// The bytes that were read.
    pub(crate) read: u64,
    /// The bytes that were written.
    pub(crate) written: u64,
}

/// The room for the file, in bytes. The file has fewer.
#[cfg(target_os = "linux")]
pub(crate) const FILE: usize = 256;

impl Traffic {
    /// Reads the content of the file, which may be cut or padded with zeros. It does not allocate, because it is also
    /// called before a process loads its program.
    #[cfg(target_os = "linux")]
    pub(crate) fn of_file(content: &[u8]) -> Option<Traffic> {
        let end = content.iter().position(|&byte| byte == 0).unwrap_or(content.len());
        let text = str::from_utf8(&content[..end]).ok()?;
        let number = |name: &str| {
            let value =
                text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))?;
            value.parse().ok()
        };
        Some(Traffic { read: number("rchar")?, written: number("wchar")? })
    }

    /// Reads the bytes of a living process and of the children that it waited for; `None` if the system does not show them.
    #[cfg(target_os = "linux")]
    pub(crate) fn of_process(pid: u32) -> Option<Traffic> {
        Traffic::of_file(&std::fs::read(format!("/proc/{pid}/io")).ok()?)
    }
}

impl Sub for Traffic {
    type Output = Traffic;

    fn sub(self, before: Traffic) -> Traffic {
        Traffic {
            read: self.read.saturating_sub(before.read),
            written: self.written.saturating_sub(before.written),
        }
    }
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, other: Traffic) {
        self.read += other.read;
        self.written += other.written;
    }
}

/// The counter of this process, read without an allocation. What its own readings read is not counted.
#[derive(Debug)]
pub(crate) struct Counter {
    #[cfg(target_os = "linux")]
    file: std::fs::File,
    /// The bytes that the readings themselves have read so far.
    #[cfg(target_os = "linux")]
    own: u64,
}

#[cfg(target_os = "linux")]
impl Counter {
    /// Opens the counter; returns `None` if the kernel does not keep it.
    pub(crate) fn open() -> Option<Self> {
        let file = std::fs::File::open("/proc/self/io").ok()?;
        let mut counter = Counter { file, own: 0 };
        counter.now().is_some().then_some(counter)
    }

    /// Takes a reading.
    pub(crate) fn now(&mut self) -> Option<Traffic> {
        use std::os::unix::fs::FileExt;
        let mut content = [0; FILE];
        let length = self.file.read_at(&mut content, 0).ok()?;
        let mut traffic = Traffic::of_file(&content[..length])?;
        traffic.read = traffic.read.saturating_sub(self.own);
        // The kernel counts a reading once it is done, so that it is in the next one.
        self.own += length as u64;
        Some(traffic)
    }
}

#[cfg(not(target_os = "linux"))]
impl Counter {
    /// Returns `None`: only Linux keeps this counter.
    pub(crate) fn open() -> Option<Self> {
        None
    }

    #[expect(clippy::unused_self, reason = "the same signature as on Linux")]
    pub(crate) fn now(&mut self) -> Option<Traffic> {
        None
    }
}

/// Reads this many bytes from a device that has any number of them.
#[cfg(unix)]
pub(crate) fn read_zeros(bytes: u64) -> std::io::Result<()> {
    use std::io::Read;
    let mut zeros = std::fs::File::open("/dev/zero")?;
    let mut buffer = [0; 4096];
    for length in chunks(bytes, buffer.len()) {
        zeros.read_exact(&mut buffer[..length])?;
    }
    Ok(())
}

/// Writes this many bytes to a device that forgets them.
#[cfg(unix)]
pub(crate) fn write_to_nowhere(bytes: u64) -> std::io::Result<()> {
    use std::io::Write;
    let mut null = std::fs::OpenOptions::new().write(true).open("/dev/null")?;
    let buffer = [0; 4096];
    chunks(bytes, buffer.len()).try_for_each(|length| null.write_all(&buffer[..length]))
}

/// Divides a number of bytes into chunks of at most `most`.
#[cfg(unix)]
fn chunks(bytes: u64, most: usize) -> impl Iterator<Item = usize> {
    let most = most as u64;
    (0..bytes.div_ceil(most)).map(move |chunk| (bytes - chunk * most).min(most) as usize)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_whole_or_not_at_all() {
        let check = |content: &str, expected| {
            assert_eq!(Traffic::of_file(content.as_bytes()), expected, "{content:?}");
        };
        let both = Some(Traffic { read: 12, written: 345 });
        check("rchar: 12\nwchar: 345\nsyscr: 1\nsyscw: 2\nread_bytes: 9\nwrite_bytes: 8\n", both);
        check("rchar: 12\nwchar: 345\n\0\0\0", both);
        check("rchar: 12\n", None);
        check("wchar: 345\nrchar: x\n", None);
        check("", None);
    }

    /// Other tests of this process read and write too, so that only a lower bound is known.
    #[test]
    fn what_is_written_is_counted() {
        use std::io::Write;
        let Some(mut counter) = Counter::open() else { return };
        let before = counter.now().unwrap();
        std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/null")
            .and_then(|mut null| null.write_all(&[1; 5000]))
            .unwrap();
        let after = counter.now().unwrap() - before;
        assert!(after.written >= 5000, "{after:?}");
    }
}
