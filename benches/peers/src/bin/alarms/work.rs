//! The operations that every tool compares, and the effect that is injected in one of two builds.

use std::hint::black_box;

/// Every workload's name.
pub(crate) const NAMES: [&str; 3] = ["alu", "sort", "strings"];
/// The name of the file beside the binary of a build. It says how many percent more work the build does.
pub(crate) const EFFECT: &str = "effect";
/// The number of parts of one operation, so that one percent is one part.
const PARTS: u64 = 100;

/// Returns one operation of this build, to be called again and again.
pub(crate) fn operation(name: &str) -> Box<dyn FnMut() -> u64> {
    let parts = black_box(PARTS + effect());
    let mut random = Random(name.len() as u64);
    let mut numbers = [0_u32; 64];
    match name {
        "alu" => {
            Box::new(move || (0..parts * 50).fold(0, |sum: u64, _| sum.wrapping_add(random.next())))
        }
        "sort" => Box::new(move || {
            let mut sum = 0;
            for _ in 0..parts {
                numbers.fill_with(|| random.next() as u32);
                numbers.sort_unstable();
                sum += u64::from(black_box(&numbers)[7]);
            }
            sum
        }),
        _ => Box::new(move || {
            let text = |part| format!("{{\"part\":{part},\"of\":\"{PARTS}\"}}");
            (0..parts * 2).map(text).collect::<Vec<String>>().len() as u64
        }),
    }
}

fn effect() -> u64 {
    let binary = std::env::current_exe().expect("this binary is somewhere");
    let text = std::fs::read_to_string(binary.with_file_name(EFFECT)).expect("each build has one");
    text.trim().parse().expect("it is a number")
}

/// The splitmix64 generator (Steele, Lea & Flood 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }
}
