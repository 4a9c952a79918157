//! Whether this program is run by an emulator of another processor, as qemu-user and Rosetta are.
//!
//! Such an emulator is part of the process: its memory is the process's, and a counter counts its instructions. It shows the
//! program a processor, a machine and files of `/proc` as if they were real, but not every file: one that Linux has since 6.1
//! names the processor of the kernel. Under an older kernel, no emulator is recognised.

/// The processors whose names are the same in Rust and in the kernel. None of them runs the programs of another.
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
}
