//! The samples of one process: where its code was at random moments, each with a copy of the end of its stack.
//!
//! A worker writes the file. The command, which can unwind a stack, reads it. The file begins with a line of JSON. Numbers
//! of eight bytes follow, the lowest byte first.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::exact;

/// The version of the form that is written.
const VERSION: u32 = 1;
/// The largest file that is read: several times what a worker writes.
const LARGEST: u64 = 256 << 20;
/// The longest first line that is read.
const LONGEST: u64 = 4 << 20;

/// The folder of the files, below the results.
pub const FOLDER: &str = "samples";
/// The two sides that are sampled: what is measured, and the reference.
pub const SIDES: [&str; 2] = ["now", "before"];
/// The ending of the name of each file.
const ENDING: &str = ".samples";
/// The ending of the name of a file with counts by address, which is in the same folder.
const COUNTS: &str = ".counts";

/// Returns the name of the file for one of the sides of a case. `key` is a hash.
pub fn file_name(key: &str, side: &str) -> String {
    format!("{key}-{side}{ENDING}")
}

/// Returns the name of the file with the counts by address of a case. `key` is a hash.
pub fn counts_name(key: &str) -> String {
    format!("{key}{COUNTS}")
}

/// Whether a file may have this name. Only such a file is read and removed, whatever a record says.
pub fn is_file_name(name: &str) -> bool {
    let is_hash = |key: &str| key.len() == 16 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts = name.strip_suffix(ENDING).and_then(|name| name.split_once('-'));
    parts.is_some_and(|(key, side)| is_hash(key) && SIDES.contains(&side))
        || name.strip_suffix(COUNTS).is_some_and(is_hash)
}

/// The samples of one process.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples {
    /// The facts that are known of the process.
    pub process: Process,
    /// The samples, in the order of time.
    pub taken: Vec<Sample>,
    /// The code that the kernel gives to each process, and that is in no file.
    pub kernel: Vec<u8>,
}

/// The facts that are known of a process that was sampled.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// The version of the form. It is set when the file is written.
    pub version: u32,
    /// The architecture of its processor, as Rust calls it.
    pub architecture: String,
    /// The seconds that its operations took, the samples included.
    pub seconds: f64,
    /// The number of these operations.
    pub operations: u64,
    /// The share of these seconds in which the thread did not run: it waited for something, or for a processor.
    pub waited: f64,
    /// The processor seconds of other threads, as a share of the seconds.
    pub others: f64,
    /// How many samples were dropped because there was no room for them.
    pub lost: u64,
    /// How many samples are of other threads, each taken while the thread that started the operation waited. Older releases took
    /// none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub instead: u64,
    /// The code that it had in memory.
    pub code: Vec<Code>,
    /// The number of samples in the file. It is set when the file is written.
    pub taken: u64,
    /// The number of bytes of the kernel's code in the file. It is set when the file is written.
    pub kernel: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Code in the memory of a process, and the file that it came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The first address.
    pub start: u64,
    /// The address behind the last one.
    pub end: u64,
    /// The position in the file at which it begins.
    pub offset: u64,
    /// The path of the file; [`KERNEL`] for the code that the kernel gives to each process.
    pub path: String,
    /// The length of the file, and when it was written, in nanoseconds since 1970. Another file is not this one.
    pub file: Option<(u64, u64)>,
}

/// The path that the kernel's own code has.
pub const KERNEL: &str = "[vdso]";

/// One sample: the registers that an unwinder begins with, and the stack from the stack pointer upwards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// The address of the instruction that was next.
    pub instruction: u64,
    /// The stack pointer.
    pub stack: u64,
    /// The frame pointer, or what the compiler uses its register for.
    pub frame: u64,
    /// The link register; 0 if the processor has none.
    pub link: u64,
    /// The copy of the stack.
    pub copy: Vec<u8>,
}

impl Code {
    /// Returns the length of a file and when it was written, which tell it from another one in its place. `None` if it cannot be
    /// read, or is not a regular file: opening a pipe may block, and a device may have no end.
    pub fn state(path: &Path) -> Option<(u64, u64)> {
        let data = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        let at = data.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some((data.len(), at.as_nanos() as u64))
    }
}

impl Samples {
    /// Returns the content of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let process = Process {
            version: VERSION,
            taken: self.taken.len() as u64,
            kernel: self.kernel.len() as u64,
            ..self.process.clone()
        };
        let mut bytes = serde_json::json!(process).to_string().into_bytes();
        bytes.push(b'\n');
        for sample in &self.taken {
            let Sample { instruction, stack, frame, link, copy } = sample;
            for number in [*instruction, *stack, *frame, *link, copy.len() as u64] {
                bytes.extend(number.to_le_bytes());
            }
            bytes.extend(copy);
        }
        bytes.extend(&self.kernel);
        bytes
    }

    /// Whether a file begins as samples do, even if what follows is damaged.
    pub fn begin(path: &Path) -> bool {
        begins_as::<Process>(path)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, or is not a file of samples that this release knows.
    pub fn read(path: &Path) -> Result<Samples, Error> {
        read_as("samples", path, LARGEST, Samples::of_bytes)
    }

    /// Reads the content of a file.
    ///
    /// # Errors
    /// If it is cut short, or of a form that this release does not know.
    pub fn of_bytes(bytes: &[u8]) -> Result<Samples, String> {
        let end = bytes.iter().position(|&byte| byte == b'\n').ok_or("it has no first line")?;
        let process: Process = exact::read(&bytes[..end]).map_err(|e| e.to_string())?;
        check_version(process.version, VERSION)?;
        let mut rest = &bytes[end + 1..];
        let mut take = |count: u64| {
            let count = usize::try_from(count).map_err(|_| CUT_SHORT)?;
            let (first, other) = rest.split_at_checked(count).ok_or(CUT_SHORT)?;
            rest = other;
            Ok::<&[u8], &str>(first)
        };
        let mut taken = Vec::new();
        for _ in 0..process.taken {
            let mut number = || {
                let bytes = take(8)?.try_into().map_err(|_| CUT_SHORT)?;
                Ok::<u64, &str>(u64::from_le_bytes(bytes))
            };
            let [instruction, stack, frame, link, length] =
                [number()?, number()?, number()?, number()?, number()?];
            let copy = take(length)?.to_vec();
            taken.push(Sample { instruction, stack, frame, link, copy });
        }
        let kernel = take(process.kernel)?.to_vec();
        if !rest.is_empty() {
            return Err("more follows than it says".to_owned());
        }
        Ok(Samples { process, taken, kernel })
    }
}

/// Whether a file begins with a line of JSON that is of this kind.
pub(crate) fn begins_as<First: DeserializeOwned>(path: &Path) -> bool {
    let Some(file) = Code::state(path).and_then(|_| File::open(path).ok()) else {
        return false;
    };
    let mut first = Vec::new();
    let read = BufReader::new(file.take(LONGEST)).read_until(b'\n', &mut first);
    read.is_ok() && exact::read::<First>(&first).is_ok()
}

/// Reads a file of `what`, which may have up to `largest` bytes. `of_bytes` reads its content.
///
/// # Errors
/// If it cannot be read, or is not such a file.
pub(crate) fn read_as<Content>(
    what: &str,
    path: &Path,
    largest: u64,
    of_bytes: impl Fn(&[u8]) -> Result<Content, String>,
) -> Result<Content, Error> {
    let data = std::fs::metadata(path).map_err(|e| Error::io("read", path, e))?;
    let refused =
        |why: &str| Error::other(format!("failed to read {what} from `{}`: {why}", path.display()));
    if !data.is_file() || data.len() > largest {
        return Err(refused(&format!("it is not a file of {what}")));
    }
    let bytes = std::fs::read(path).map_err(|e| Error::io("read", path, e))?;
    of_bytes(&bytes).map_err(|why| refused(&why))
}

/// Refuses a form of another version than the one that this release knows.
pub(crate) fn check_version(version: u32, known: u32) -> Result<(), String> {
    if version == known {
        return Ok(());
    }
    Err(format!(
        "its form is of version {version}, and this release knows version {known}; use the same release of perf-budget and \
         cargo-budget"
    ))
}

/// The reason why a file that ends too early is not read.
pub(crate) const CUT_SHORT: &str = "it is cut short";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::frozen::frozen;

    const FIRST: &str = r#"{"version":1,"architecture":"x86_64","seconds":0.5,"operations":10,"waited":0.1,"others":0.0,"lost":0,"code":[{"start":4096,"end":8192,"offset":0,"path":"/bin/work","file":[12,34]}],"taken":2,"kernel":3}"#;

    fn samples() -> Samples {
        let sample = |copy: &[u8]| Sample {
            instruction: 4100,
            stack: 16,
            frame: 1 << 63,
            link: 0,
            copy: copy.to_vec(),
        };
        let process = frozen(FIRST);
        Samples { process, taken: vec![sample(&[1, 2, 3]), sample(&[])], kernel: vec![7, 8, 9] }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let samples = samples();
        let bytes = samples.to_bytes();
        let line = bytes.iter().position(|&byte| byte == b'\n').unwrap();
        let first: serde_json::Value = serde_json::from_slice(&bytes[..line]).unwrap();
        assert_eq!(first, serde_json::from_str::<serde_json::Value>(FIRST).unwrap());
        assert_eq!(bytes.len() - line - 1, 2 * 40 + 3 + 3);
        assert_eq!(Samples::of_bytes(&bytes).unwrap(), samples);
        let process = Process { instead: 2, ..samples.process.clone() };
        let with_others = Samples { process, ..samples };
        let taken =
            Process { version: VERSION, taken: 2, kernel: 3, ..with_others.process.clone() };
        assert_eq!(Samples::of_bytes(&with_others.to_bytes()).unwrap().process, taken);
    }

    #[test]
    fn the_names_of_the_files_are_known() {
        for side in SIDES {
            assert!(is_file_name(&file_name(&crate::fnv::name(b"a case"), side)));
        }
        let others = [
            "",
            ".samples",
            "now.samples",
            "0123456789abcdef-now",
            "0123456789abcdef-later.samples",
            "0123456789abcde-now.samples",
            "../456789abcdef-now.samples",
            "0123456789abcdef-now.samples/",
            "0123456789abcdeg-before.samples",
            "0123456789abcdef-now.samples.samples",
            "outcomes.jsonl",
        ];
        for name in others {
            assert!(!is_file_name(name), "{name}");
        }
    }

    #[test]
    fn a_file_that_is_damaged_is_refused() {
        let bytes = samples().to_bytes();
        for end in 0..bytes.len() {
            assert!(Samples::of_bytes(&bytes[..end]).is_err(), "{end} bytes");
        }
        assert!(Samples::of_bytes(&[&bytes[..], b"x"].concat()).is_err());
        let newer = String::from_utf8_lossy(&bytes).replacen("\"version\":1", "\"version\":2", 1);
        assert!(Samples::of_bytes(newer.as_bytes()).unwrap_err().contains("version 2"));
        // A sample claims a length that no memory has room for.
        let mut wrong = bytes.clone();
        let line = bytes.iter().position(|&byte| byte == b'\n').unwrap();
        wrong[line + 1 + 32..line + 1 + 40].fill(0xff);
        assert_eq!(Samples::of_bytes(&wrong).unwrap_err(), CUT_SHORT);
    }
}
