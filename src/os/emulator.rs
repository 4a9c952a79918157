//! Whether this program is run by an emulator of another processor, as qemu-user and Rosetta are.
//!
//! Such an emulator is part of the process: its memory is the process's, and its instructions are what a counter counts. It shows
//! the program a processor, a machine and files of `/proc` as if they were real, but not every file: which processor the
//! kernel is for is told by one that Linux has since 6.1. An older kernel does not tell, and then no emulator is seen.

use perf_budget_core::outcome::{Cause, Unmeasured};

/// The processors whose names are the same in Rust and in the kernel, and of which none runs the programs of another.
const KNOWN: [&str; 2] = ["x86_64", "aarch64"];

/// Returns the name of the processor on which an emulator runs this program; `None` if none does as far as can be seen.
pub fn emulator() -> Option<&'static str> {
    let kernel = cfg!(target_os = "linux")
        .then(|| std::fs::read_to_string("/proc/sys/kernel/arch").ok())
        .flatten()?;
    emulated(std::env::consts::ARCH, kernel.trim())
}

/// Returns the processor of the kernel, if it cannot run a program for this one by itself.
fn emulated(program: &str, kernel: &str) -> Option<&'static str> {
    let kernel = KNOWN.into_iter().find(|known| *known == kernel)?;
    (KNOWN.contains(&program) && program != kernel).then_some(kernel)
}

/// Returns the reason why something is not measured in an emulator, if this is one. `what` is what was to be read, `metrics` are the
/// limits that want it, and `instead` says what would be measured in its place.
pub(crate) fn refused(what: &str, metrics: &str, instead: &str) -> Result<(), Unmeasured> {
    emulator().map_or(Ok(()), |kernel| Err(refusal(what, metrics, instead, kernel)))
}

fn refusal(what: &str, metrics: &str, instead: &str, kernel: &str) -> Unmeasured {
    let program = std::env::consts::ARCH;
    let text = format!(
        "failed to {what}: an emulator runs this program for {program} on {kernel}, and {instead}; measure on {program} itself, \
         or drop the limit on {metrics} here"
    );
    Unmeasured::new(Cause::Unsupported, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_another_processor_is_emulated() {
        assert_eq!(emulated("aarch64", "x86_64"), Some("x86_64"));
        assert_eq!(emulated("x86_64", "aarch64"), Some("aarch64"));
        assert_eq!(emulated("x86_64", "x86_64"), None);
        // These run on the kernel as they are, or nothing is known of them.
        for (program, kernel) in [("x86", "x86_64"), ("arm", "aarch64"), ("x86_64", "another")] {
            assert_eq!(emulated(program, kernel), None);
        }
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let why = refusal("count", "`instructions`", "its own would be counted", "z80");
        let end = "or drop the limit on `instructions` here";
        assert!(why.text.ends_with(end) && why.text.contains(" on z80, and its own"), "{why}");
        assert_eq!(why.cause, Cause::Unsupported);
    }
}
