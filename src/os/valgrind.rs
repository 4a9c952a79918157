//! Requests of a program to Valgrind, the tool under which it runs; elsewhere they do nothing. And a loop of as many
//! instructions as are asked for, by which a selftest shows that they are counted.
//!
//! A request is a sequence of instructions that has no effect on a processor, and that Valgrind recognises. It is
//! assembly, and so `unsafe`. The sequences are those of Valgrind's own header `valgrind.h`, and are part of its
//! interface.

#![expect(unsafe_code, reason = "a request is a sequence of instructions")]

/// A request of a program to Valgrind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// Whether the program runs under Valgrind.
    IsRunning,
    /// Begins to count instructions.
    Begin,
    /// Stops counting, after which the program is faster.
    Stop,
    /// Sets the counts of all threads to zero.
    Zero,
    /// Writes the counts to a file and sets them to zero.
    Dump,
}

impl Request {
    /// Returns the number of the request. The numbers of callgrind's requests contain its letters.
    fn number(self) -> usize {
        const CALLGRIND: usize = (b'C' as usize) << 24 | (b'T' as usize) << 16;
        match self {
            Request::IsRunning => 0x1001,
            Request::Dump => CALLGRIND,
            Request::Zero => CALLGRIND + 1,
            Request::Begin => CALLGRIND + 4,
            Request::Stop => CALLGRIND + 5,
        }
    }
}

/// Makes a request, and returns the answer; 0 without Valgrind. It is always inlined, so that what is counted contains no
/// call of it.
#[expect(clippy::inline_always, reason = "a call would be part of what is counted")]
#[inline(always)]
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) fn request(request: Request) -> usize {
    let arguments = [request.number(), 0, 0, 0, 0, 0];
    let answer: usize;
    // SAFETY: the rotations add up to whole turns, and exchanging a register with itself does nothing. Valgrind reads the
    // arguments, which live until the end of this function, and writes nothing but the register of the answer.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") arguments.as_ptr(),
            inout("rdx") 0_usize => answer,
            options(nostack),
        );
    }
    // SAFETY: the same, with the instructions of this processor.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        std::arch::asm!(
            "ror x12, x12, #3",
            "ror x12, x12, #13",
            "ror x12, x12, #51",
            "ror x12, x12, #61",
            "orr x10, x10, x10",
            in("x4") arguments.as_ptr(),
            inout("x3") 0_usize => answer,
            options(nostack),
        );
    }
    answer
}

/// Runs this many instructions, to within one pass of the loop.
#[inline(never)]
pub(crate) fn spend(instructions: u64) {
    let passes = instructions / 2;
    if passes == 0 {
        return;
    }
    // SAFETY: the loop changes nothing but its own register and the flags.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!("2:", "dec {0}", "jne 2b", inout(reg) passes => _, options(nomem, nostack));
    }
    // SAFETY: the same, with the instructions of this processor.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        std::arch::asm!("2:", "subs {0}, {0}, #1", "b.ne 2b", inout(reg) passes => _, options(nomem, nostack));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    (0..passes).for_each(|pass| drop(std::hint::black_box(pass)));
}

/// Whether this build can make requests.
pub(crate) const IS_KNOWN: bool =
    cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")));

/// Makes no request, since Valgrind's requests are not known for this system.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(crate) fn request(request: Request) -> usize {
    usize::from(request.number() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_without_valgrind_does_nothing() {
        for each in
            [Request::IsRunning, Request::Begin, Request::Zero, Request::Dump, Request::Stop]
        {
            assert_eq!(request(each), 0, "{each:?}");
        }
        assert_eq!(Request::Zero.number(), 0x4354_0001);
    }
}
