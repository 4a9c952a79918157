//! A shared library in which `getrandom` and `getentropy` return the same bytes in every process.
//!
//! The seeds of hash maps are random, and so the number of instructions is random too. A process whose instructions are
//! counted is therefore started with this library in `LD_PRELOAD`. Nothing has to be linked into the measured binary, so
//! the same file is counted and timed. The library is a few hundred bytes, and is written here
//! byte by byte, since nobody who runs tests needs a compiler for C. It asks the kernel for nothing: the bytes come from a linear
//! congruential generator, whose state begins at 0.

/// The address at which the part of the library begins that can be written to. It is a multiple of every size of a page.
const WRITABLE: usize = 0x1_0000;
/// The size of the header of an ELF file, of one program header, and of one symbol.
const HEADER: usize = 64;
const PROGRAM_HEADER: usize = 56;
const SYMBOL: usize = 24;
/// The texts of the symbols, each with the position of its name.
const NAMES: &[u8] = b"\0getrandom\0getentropy\0";
const NAME_OF: [usize; 2] = [1, 11];

/// A function of the library, as the code of one processor.
struct Code {
    /// The number of the processor in ELF.
    machine: u16,
    /// The code of `getrandom`, followed by that of `getentropy`, which calls it.
    text: Vec<u8>,
    /// Where `getentropy` begins.
    second: usize,
}

/// Returns the code for this processor; `state` is the distance of the generator's state from the beginning of the code.
/// `None` if there is no code for it.
fn code(state: usize) -> Option<Code> {
    match std::env::consts::ARCH {
        "x86_64" => Some(x86_64(state)),
        "aarch64" => Some(aarch64(state)),
        _ => None,
    }
}

/// `getrandom(buffer: rdi, length: rsi)`
fn x86_64(state: usize) -> Code {
    let mut text = vec![
        0x48, 0x89, 0xf0, // mov rax, rsi
        0x4c, 0x8d, 0x05, 0, 0, 0, 0, // lea r8, [rip + state]
        0x49, 0x8b, 0x08, // mov rcx, [r8]
        0x49, 0xb9, 0x2d, 0x7f, 0x95, 0x4c, 0x2d, 0xf4, 0x51,
        0x58, // mov r9, 0x5851f42d4c957f2d
        0x48, 0x85, 0xf6, // test rsi, rsi
        0x74, 0x1c, // je to `ret`
        0x49, 0x0f, 0xaf, 0xc9, // imul rcx, r9
        0x48, 0x83, 0xc1, 0x01, // add rcx, 1
        0x48, 0x89, 0xca, // mov rdx, rcx
        0x48, 0xc1, 0xea, 0x38, // shr rdx, 56
        0x88, 0x17, // mov [rdi], dl
        0x48, 0xff, 0xc7, // inc rdi
        0x48, 0xff, 0xce, // dec rsi
        0x75, 0xe7, // jne to `imul`
        0x49, 0x89, 0x08, // mov [r8], rcx
        0xc3, // ret
    ];
    // The distance is from the end of the instruction.
    text[6..10].copy_from_slice(&(state as u32 - 10).to_le_bytes());
    let second = text.len();
    let back = (second as u32 + 5).wrapping_neg();
    text.push(0xe8); // call getrandom
    text.extend(back.to_le_bytes());
    text.extend([0x31, 0xc0, 0xc3]); // xor eax, eax; ret
    Code { machine: 62, text, second }
}

/// `getrandom(buffer: x0, length: x1)`
fn aarch64(state: usize) -> Code {
    // The distance is from the instruction itself.
    let distance = state as u32 - 4;
    let instructions = [
        0xaa01_03e2,                                                          // mov x2, x1
        0x1000_0003 | (distance & 3) << 29 | (distance >> 2 & 0x7_ffff) << 5, // adr x3, state
        0xf940_0064,                                                          // ldr x4, [x3]
        0xd28f_e5a5,                                                          // mov x5, 0x7f2d
        0xf2a9_92a5,     // movk x5, 0x4c95, lsl 16
        0xf2de_85a5,     // movk x5, 0xf42d, lsl 32
        0xf2eb_0a25,     // movk x5, 0x5851, lsl 48
        0xb400_0101,     // cbz x1, to the last `mov`
        0x9b05_7c84,     // mul x4, x4, x5
        0x9100_0484,     // add x4, x4, 1
        0xd378_fc86,     // lsr x6, x4, 56
        0x3800_1406,     // strb w6, [x0], 1
        0xf100_0421,     // subs x1, x1, 1
        0x54ff_ff61,     // b.ne to `mul`
        0xf900_0064,     // str x4, [x3]
        0xaa02_03e0,     // mov x0, x2
        0xd65f_03c0,     // ret
        0xa9bf_7bfd,     // stp x29, x30, [sp, -16]!
        0x97ff_ffee,     // bl getrandom
        0xd280_0000,     // mov x0, 0
        0xa8c1_7bfd,     // ldp x29, x30, [sp], 16
        0xd65f_03c0_u32, // ret
    ];
    let text = instructions.iter().flat_map(|one| one.to_le_bytes()).collect();
    Code { machine: 183, text, second: 17 * 4 }
}

/// Returns the library; `None` if there is no code for this processor.
pub(super) fn library() -> Option<Vec<u8>> {
    const HASH: usize = HEADER + 4 * PROGRAM_HEADER;
    const SYMBOLS: usize = HASH + 24;
    const STRINGS: usize = SYMBOLS + 3 * SYMBOL;
    let text_at = (STRINGS + NAMES.len()).next_multiple_of(16);
    let length = code(WRITABLE)?.text.len();
    let dynamic = (text_at + length).next_multiple_of(16);
    let state = dynamic + 6 * 16;
    let code = code(WRITABLE + state - text_at)?;

    let mut file = Bytes(Vec::new());
    // A shared library of 64 bits, little-endian, of version 1.
    file.raw(&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    file.half(&[3, code.machine]).word(&[1]).long(&[0, HEADER, 0]);
    file.word(&[0]).half(&[HEADER as u16, PROGRAM_HEADER as u16, 4, 64, 0, 0]);
    // Each is: kind, rights, place in the file, address twice, length in the file and in memory, alignment.
    let mut part = |kind: u32, rights: u32, place: usize, address: usize, length: usize, align| {
        let address = address + place;
        file.word(&[kind, rights]).long(&[place, address, address, length, length, align]);
    };
    let (load, dynamic_part, stack) = (1, 2, 0x6474_e551);
    part(load, 4 | 1, 0, 0, text_at + length, WRITABLE);
    part(load, 4 | 2, dynamic, WRITABLE, state + 8 - dynamic, WRITABLE);
    part(dynamic_part, 4 | 2, dynamic, WRITABLE, state - dynamic, 8);
    // Without this the stack of the process would become executable.
    part(stack, 4 | 2, 0, 0, 0, 16);
    // The table by which symbols are found: one chain of both.
    file.word(&[1, 3, 1, 0, 2, 0]);
    file.raw(&[0; SYMBOL]);
    let ends = [code.second, length];
    for (nth, name) in NAME_OF.into_iter().enumerate() {
        let start = if nth == 0 { 0 } else { code.second };
        // A global function, which is anywhere but in "undefined".
        file.word(&[name as u32]).raw(&[0x12, 0]).half(&[1]);
        file.long(&[text_at + start, ends[nth] - start]);
    }
    file.raw(NAMES).pad(text_at).raw(&code.text).pad(dynamic);
    let (hash, strings, symbols, strings_length, symbol_length) = (4, 5, 6, 10, 11);
    file.long(&[hash, HASH, strings, STRINGS, symbols, SYMBOLS]);
    file.long(&[strings_length, NAMES.len(), symbol_length, SYMBOL, 0, 0]);
    // The state of the generator.
    file.long(&[0]);
    Some(file.0)
}

/// A file that grows, in the order of little-endian bytes.
struct Bytes(Vec<u8>);

impl Bytes {
    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend(bytes);
        self
    }

    fn half(&mut self, numbers: &[u16]) -> &mut Self {
        self.0.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        self
    }

    fn word(&mut self, numbers: &[u32]) -> &mut Self {
        self.0.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        self
    }

    fn long(&mut self, numbers: &[usize]) -> &mut Self {
        self.0.extend(numbers.iter().flat_map(|&number| (number as u64).to_le_bytes()));
        self
    }

    fn pad(&mut self, length: usize) -> &mut Self {
        self.0.resize(length, 0);
        self
    }
}
