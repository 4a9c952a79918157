//! Unwinds the stacks that a worker has copied, and names their functions.

use std::collections::{BTreeMap, HashMap};

use framehop::aarch64::{CacheAarch64, UnwindRegsAarch64, UnwinderAarch64};
use framehop::x86_64::{CacheX86_64, UnwindRegsX86_64, UnwinderX86_64};
use framehop::{FrameAddress, MayAllocateDuringUnwind, Unwinder};
use perf_budget_core::blame::Stacks;
use perf_budget_core::samples::{Code, KERNEL, Sample, Samples};

use super::code::Module;

/// The most functions of a stack that are looked at.
const DEEPEST: usize = 200;

type Read = Vec<u8>;

/// Reads the files whose code the samples of one process were in.
///
/// # Errors
/// If one of them is gone or has changed.
pub(super) fn modules(samples: &Samples) -> Result<Vec<Module>, String> {
    // A file in which no sample was taken need not be read, and may be gone.
    sampled_code(samples)
        .into_iter()
        // Code that was made in memory, or whose file was replaced while it ran, has no file that could be read.
        .filter(|code| code.file.is_some() || code.path == KERNEL)
        .map(|code| Module::read(code, &samples.kernel))
        .collect()
}

/// Names the functions of all samples of one process.
///
/// # Errors
/// If the processor is not known.
pub(super) fn stacks(samples: &Samples, modules: &[Module]) -> Result<Stacks, String> {
    let process = &samples.process;
    let chains: Vec<Vec<u64>> = match process.architecture.as_str() {
        "x86_64" => {
            let unwinder = UnwinderX86_64::<Read, MayAllocateDuringUnwind>::new();
            let regs = |s: &Sample| UnwindRegsX86_64::new(s.instruction, s.stack, s.frame);
            chains(unwinder, modules, &mut CacheX86_64::new(), samples, regs)
        }
        "aarch64" => {
            let unwinder = UnwinderAarch64::<Read, MayAllocateDuringUnwind>::new();
            let regs = |s: &Sample| UnwindRegsAarch64::new(s.link, s.stack, s.frame);
            chains(unwinder, modules, &mut CacheAarch64::new(), samples, regs)
        }
        other => return Err(format!("stacks of the processor `{other}` are not known")),
    };
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    // The names are kept by address, since most samples have most of their callers in common.
    let mut names_at: HashMap<u64, Vec<String>> = HashMap::new();
    for chain in &chains {
        for &address in chain {
            names_at.entry(address).or_insert_with(|| names(modules, address));
        }
        let names: Vec<&str> =
            chain.iter().flat_map(|address| &names_at[address]).map(String::as_str).collect();
        *counts.entry(names.join("'")).or_default() += 1;
    }
    let broken = chains.iter().filter(|chain| chain.len() < 2).count() as u64;
    Ok(Stacks {
        chains: counts.into_iter().collect(),
        seconds: process.seconds / process.operations.max(1) as f64,
        waited: process.waited,
        others: process.others,
        lost: process.lost,
        instead: process.instead,
        broken,
    })
}

/// Returns the code that may be in a stack: a sample was taken in it, or the copy of a stack has a return address to it.
fn sampled_code(samples: &Samples) -> Vec<&Code> {
    let mut all: Vec<(&Code, bool)> =
        samples.process.code.iter().map(|code| (code, false)).collect();
    all.sort_by_key(|(code, _)| code.start);
    for sample in &samples.taken {
        let numbers = sample.copy.chunks_exact(8).map(number);
        for number in numbers.chain([sample.instruction]) {
            let after = all.partition_point(|(code, _)| code.start <= number);
            if let Some((code, is_there)) = all[..after].last_mut() {
                *is_there |= number < code.end;
            }
        }
    }
    all.into_iter().filter_map(|(code, is_there)| is_there.then_some(code)).collect()
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().unwrap_or_default())
}

/// Returns the addresses of the functions of each sample, the innermost first.
fn chains<U: Unwinder<Module = framehop::Module<Read>>>(
    mut unwinder: U,
    modules: &[Module],
    cache: &mut U::Cache,
    samples: &Samples,
    registers: impl Fn(&Sample) -> U::UnwindRegs,
) -> Vec<Vec<u64>> {
    for module in modules {
        let (range, sections) = (module.range.clone(), module.sections.clone());
        unwinder.add_module(framehop::Module::new(String::new(), range, module.bias, sections));
    }
    let chain = |sample: &Sample| {
        let mut read = |address: u64| {
            let at = address.checked_sub(sample.stack).and_then(|at| usize::try_from(at).ok());
            let bytes = at.and_then(|at| sample.copy.get(at..at.checked_add(8)?));
            bytes.map(number).ok_or(())
        };
        let mut frames =
            unwinder.iter_frames(sample.instruction, registers(sample), cache, &mut read);
        let mut chain = Vec::new();
        // A stack ends where the copy does, which is an error for the unwinder.
        while let Ok(Some(frame)) = frames.next() {
            chain.push(match frame {
                FrameAddress::InstructionPointer(address) => address,
                // A call is before the address that it returns to, which may be in the next function.
                FrameAddress::ReturnAddress(address) => u64::from(address) - 1,
            });
            if chain.len() == DEEPEST {
                break;
            }
        }
        // An unwinder that goes wrong finds addresses without code, so the chain ends before the first of them.
        let is_code = |address: &u64| modules.iter().any(|module| module.range.contains(address));
        let callers = chain.iter().skip(1).take_while(|address| is_code(address)).count();
        chain.truncate(1 + callers);
        chain
    };
    samples.taken.iter().map(chain).collect()
}

fn names(modules: &[Module], address: u64) -> Vec<String> {
    let module = modules.iter().find(|module| module.range.contains(&address));
    let unknown = || vec![format!("0x{address:x}")];
    module.map_or_else(unknown, |module| module.names(address))
}
