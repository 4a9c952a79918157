//! The profiles that Valgrind's tool callgrind writes: what each function of a program cost, and which functions it called.
//!
//! The format is text, and is described in Valgrind's manual ("Callgrind format specification"). Only the counts are read,
//! with their addresses if the dump has them; the lines of source files are passed over. The reader is our own, since it is
//! a part of the measuring.

mod text;

use std::collections::HashMap;

/// The content of one dump: every function that ran, and the calls between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// The program that wrote it, such as `callgrind-3.19.0`.
    pub creator: String,
    /// How many system calls there were; `None` if they were not counted.
    pub system_calls: Option<u64>,
    /// The functions, each once, or once for each chain of callers if these were kept apart.
    pub functions: Vec<Function>,
}

/// A function, or a function as some chain of callers called it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Function {
    /// The name as callgrind writes it: demangled, and followed by the callers if these were kept apart.
    pub name: String,
    /// The path of the program or the library that it belongs to.
    pub object: String,
    /// Its own instructions, without those of what it called.
    pub cost: u64,
    /// The system calls that it made itself, if they were counted.
    pub system_calls: u64,
    /// Whether its source file is known, which means that the program has line tables.
    pub has_lines: bool,
    /// Its own instructions by their addresses in the object; empty if the dump has no addresses.
    pub at: Vec<(u64, u64)>,
    /// The calls of the function.
    pub calls: Vec<Call>,
}

/// The calls of one function by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// The index of the function that was called.
    pub to: usize,
    /// The address of the call in the caller's object; 0 if the dump has no addresses.
    pub at: u64,
    /// How often it was called.
    pub count: u64,
    /// The instructions of these calls, with those of all that was called in turn.
    pub cost: u64,
}

impl Profile {
    /// Returns the instructions of all functions.
    pub fn total(&self) -> u64 {
        self.functions.iter().map(|function| function.cost).sum()
    }

    /// Returns the instructions that were spent in some functions and in all that these called. A call from one of them to
    /// another is part of the outer one.
    pub fn inclusive(&self, is_chosen: impl Fn(&str) -> bool) -> u64 {
        let chosen: Vec<bool> =
            self.functions.iter().map(|function| is_chosen(&function.name)).collect();
        let others = self.functions.iter().zip(&chosen).filter(|(_, is_chosen)| !**is_chosen);
        let calls = others.flat_map(|(function, _)| &function.calls);
        calls.filter(|call| chosen[call.to]).map(|call| call.cost).sum()
    }

    /// Returns the instructions of the calls of some functions by others, with all that is called in turn.
    pub fn called(&self, by: impl Fn(&str) -> bool, is_called: impl Fn(&str) -> bool) -> u64 {
        let callers = self.functions.iter().filter(|function| by(&function.name));
        let calls = callers.flat_map(|function| &function.calls);
        calls.filter(|call| is_called(&self.functions[call.to].name)).map(|call| call.cost).sum()
    }

    /// Reads the text of a dump.
    ///
    /// # Errors
    /// If the text is not a dump of instructions, or if it is cut short, so that the sum of its lines is not the total
    /// that it gives. The error says which line is wrong.
    pub fn parse(text: &str) -> Result<Profile, String> {
        let mut reader = Reader::default();
        for (at, line) in text.lines().enumerate() {
            reader.line(line).map_err(|why| format!("line {}: {why}", at + 1))?;
        }
        reader.finish()
    }
}

/// Returns the total that a dump gives for itself, without reading the rest.
///
/// # Errors
/// If it gives none.
pub fn total(text: &str) -> Result<u64, String> {
    let line = text.lines().rev().find_map(|line| line.strip_prefix("totals:"));
    let first = line.and_then(|line| line.split_whitespace().next());
    number(first.ok_or("the end is missing, with the total")?)
}

/// The number of the rule by which [`is_allocator`] recognizes the allocator. It is part of the name of a counter, since another
/// rule leaves out other instructions. The first rule did not know the functions of `__rustc`, and its number was not in the name.
pub const ALLOCATOR_RULE: u32 = 2;

/// Whether a function is one by which a program asks its allocator for memory, or gives memory back. In Rust these are the ones
/// that call the allocator of the program, such as one of this library that counts.
pub fn is_allocator(name: &str) -> bool {
    const RUST: [&str; 4] =
        ["__rust_alloc", "__rust_alloc_zeroed", "__rust_realloc", "__rust_dealloc"];
    const CALLS: [&str; 9] = [
        "malloc",
        "calloc",
        "realloc",
        "free",
        "cfree",
        "posix_memalign",
        "aligned_alloc",
        "memalign",
        "reallocarray",
    ];
    // The symbols of jemalloc and mimalloc, as the crates of these allocators name them.
    let plain = ["_rjem_", "_rjem_je_", "mi_"].iter().find_map(|start| name.strip_prefix(start));
    let sized = ["mallocx", "rallocx", "sdallocx", "malloc_aligned", "realloc_aligned"];
    // The compiler puts its own functions into the crate `__rustc`. Its name has a hash behind it until names are made plain.
    let of_rust = name.rsplit_once("::").map_or(name, |(krate, last)| {
        let is_compiler = krate.split('[').next() == Some("__rustc");
        if is_compiler { last } else { name }
    });
    CALLS.contains(&name)
        || RUST.contains(&of_rust)
        || plain.is_some_and(|plain| CALLS.contains(&plain) || sized.contains(&plain))
}

/// The lines that have been read so far.
#[derive(Default)]
struct Reader {
    profile: Profile,
    /// Whether the costs are instructions.
    counts: bool,
    /// The index of the number of system calls among the costs of a line.
    system_calls: Option<usize>,
    /// How many numbers of a line say where its cost is.
    positions: usize,
    /// Whether the first of these is an address.
    has_addresses: bool,
    /// The address of the line before.
    address: u64,
    /// The total that the text itself says.
    total: Option<u64>,
    objects: Names,
    files: Names,
    names: Names,
    /// The functions by the numbers of their object and their name.
    known: HashMap<(usize, usize), usize>,
    /// The object and the function that lines belong to.
    object: usize,
    /// Whether the source file of the functions that follow is known.
    has_lines: bool,
    current: Option<usize>,
    /// The object and the function that the next call is of.
    callee: (Option<usize>, Option<usize>),
    /// How often that function is called. The line of the cost comes after the line that says this.
    calls: Option<u64>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        match line.bytes().next() {
            None | Some(b'#') => return Ok(()),
            Some(b'0'..=b'9' | b'+' | b'-' | b'*') => return self.cost(line),
            Some(_) => {}
        }
        if let Some((key, value)) = line.split_once('=') {
            return self.name(key, value);
        }
        let Some((key, value)) = line.split_once(':') else {
            return Err(format!("`{line}` is of no known kind"));
        };
        let value = value.trim();
        match key {
            "creator" => value.clone_into(&mut self.profile.creator),
            "positions" => {
                self.positions = value.split_whitespace().count();
                self.has_addresses = value.split_whitespace().next() == Some("instr");
            }
            "events" => {
                self.counts = value.split_whitespace().next() == Some("Ir");
                self.system_calls = value.split_whitespace().position(|event| event == "sysCount");
                self.profile.system_calls = self.system_calls.map(|_| 0);
            }
            // A summary comes before the costs, and a total after them.
            "summary" | "totals" => {
                self.total = Some(number(value.split_whitespace().next().unwrap_or_default())?);
            }
            // `desc`, `cmd`, `pid`, `version` and others describe the run.
            _ => {}
        }
        Ok(())
    }

    fn name(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "ob" => self.object = self.objects.find(value)?,
            "fn" => {
                let name = self.names.find(value)?;
                let current = self.function(self.object, name);
                self.profile.functions[current].has_lines |= self.has_lines;
                self.current = Some(current);
            }
            "cob" => self.callee.0 = Some(self.objects.find(value)?),
            "cfn" => self.callee.1 = Some(self.names.find(value)?),
            "calls" => {
                let count = value.split_whitespace().next().unwrap_or_default();
                self.calls = Some(number(count)?);
            }
            "fl" => {
                let file = self.files.find(value)?;
                self.has_lines = self.files.0.get(&file).is_some_and(|file| file != "???");
            }
            // A name for a number may be given in any of these.
            "fi" | "fe" | "cfi" | "cfl" => drop(self.files.find(value)?),
            // These lines are about jumps within a function, which are not needed.
            "jump" | "jcnd" => {}
            _ => return Err(format!("`{key}=` is of no known kind")),
        }
        Ok(())
    }

    /// Reads a line of costs: of the current function, or of a call after a line that begins with `calls`.
    fn cost(&mut self, line: &str) -> Result<(), String> {
        if !self.counts {
            return Err("the costs are no instructions (`events: Ir`)".to_owned());
        }
        let cost = line.split_whitespace().nth(self.positions.max(1));
        // A line may leave out costs that are zero.
        let cost = cost.map_or(Ok(0), number)?;
        let current = self.current.ok_or("a cost comes before any function")?;
        let at = self.address(line)?;
        let Some(count) = self.calls.take() else {
            let function = &mut self.profile.functions[current];
            function.cost += cost;
            if self.has_addresses {
                function.at.push((at, cost));
            }
            if let (Some(at), Some(sum)) = (self.system_calls, &mut self.profile.system_calls) {
                let made = line.split_whitespace().nth(self.positions.max(1) + at);
                let made = made.map_or(Ok(0), number)?;
                *sum += made;
                function.system_calls += made;
            }
            return Ok(());
        };
        let (object, name) = std::mem::take(&mut self.callee);
        let name = name.ok_or("a call comes without a function")?;
        let to = self.function(object.unwrap_or(self.object), name);
        let calls = &mut self.profile.functions[current].calls;
        match calls.iter_mut().find(|call| (call.to, call.at) == (to, at)) {
            Some(call) => {
                call.count += count;
                call.cost += cost;
            }
            None => calls.push(Call { to, at, count, cost }),
        }
        Ok(())
    }

    /// Returns the address of a line of costs, which may be relative to that of the line before; 0 if it has none.
    fn address(&mut self, line: &str) -> Result<u64, String> {
        if !self.has_addresses {
            return Ok(0);
        }
        let text = line.split_whitespace().next().unwrap_or_default();
        let before = self.address;
        self.address = match (text.as_bytes().first(), text.get(1..)) {
            (Some(b'+'), Some(by)) => before.wrapping_add(number(by)?),
            (Some(b'-'), Some(by)) => before.wrapping_sub(number(by)?),
            (Some(b'*'), _) => before,
            _ => number(text)?,
        };
        Ok(self.address)
    }

    fn function(&mut self, object: usize, name: usize) -> usize {
        let functions = &mut self.profile.functions;
        *self.known.entry((object, name)).or_insert_with(|| {
            functions.push(Function {
                name: self.names.0.get(&name).cloned().unwrap_or_default(),
                object: self.objects.0.get(&object).cloned().unwrap_or_default(),
                ..Function::default()
            });
            functions.len() - 1
        })
    }

    fn finish(self) -> Result<Profile, String> {
        let sum = self.profile.total();
        match self.total {
            Some(total) if total == sum => Ok(self.profile),
            Some(total) => Err(format!("the lines add up to {sum}, and the total is {total}")),
            None => Err("the end is missing, with the total".to_owned()),
        }
    }
}

/// Names by their numbers: `(3) main` says what `(3)` stands for from there on.
#[derive(Default)]
struct Names(HashMap<usize, String>);

impl Names {
    /// Returns the number of a compressed name, which is stored if it comes with its text.
    fn find(&mut self, text: &str) -> Result<usize, String> {
        let compressed = text.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        let Some((id, name)) = compressed else {
            return Err(format!("`{text}` is not a compressed name"));
        };
        let id = number(id)? as usize;
        if let Some(name) = name.strip_prefix(' ') {
            self.0.insert(id, name.to_owned());
        } else if !self.0.contains_key(&id) {
            return Err(format!("({id}) was not named before"));
        }
        Ok(id)
    }
}

fn number(text: &str) -> Result<u64, String> {
    let hexadecimal = text.strip_prefix("0x").map(|digits| u64::from_str_radix(digits, 16));
    hexadecimal.unwrap_or_else(|| text.parse()).map_err(|_| format!("`{text}` is not a number"))
}

#[cfg(test)]
mod tests;
