//! A digest of each function of a program. Two functions with the same digest have the same machine code. They also refer
//! to functions of the same names and to constants of the same content.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

use hmac_sha256::Hash;

use super::digest::{Digest, add};
use super::names::{Identity, Names};
use super::program::{Kind, Program, Reference, Section, Target, is_variable};
use crate::base::unchanged::image::text_at;
use crate::base::unchanged::mentions::is_source;

/// The length of a `core::panic::Location`: the address and the length of a file's name, a line, a column.
const LOCATION: usize = 24;

/// The parts of which a program consists, without its addresses.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// The functions, by the identities that match them.
    pub(super) functions: BTreeMap<Identity, SameIdentity>,
    /// The functions that the code of each function refers to.
    pub(super) calls: HashMap<String, HashSet<String>>,
    /// The functions that constants and variables refer to, so that they may be called through a pointer.
    pub(super) pointed: HashSet<String>,
    /// The sections that are found in another way than by a reference: the name of each, and its digest. Sections of one
    /// name are in the order in which the linker gets them.
    pub(super) special: Vec<(String, Digest)>,
}

/// The most visits of sections for the digests of a program, in all rounds. A program needs more only if its constants refer
/// to each other in many circles, or if it has long chains of functions of one name.
const MOST_VISITS: usize = 20_000_000;
/// The most rounds in which functions of one name are told apart. Only a longer chain of functions of one name needs more.
const MOST_ROUNDS: usize = 200;

/// The functions of one identity.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SameIdentity {
    /// The digests of their code.
    pub(super) digests: BTreeSet<Digest>,
    /// Their symbols in this program.
    pub(super) symbols: BTreeSet<String>,
}

/// Returns the shapes of both programs. `starts` are the directories from which the compiler names the sources of each. The
/// error says why a shape cannot be made.
pub(super) fn shapes(
    programs: [&Program; 2],
    starts: [&[PathBuf]; 2],
) -> Result<[Shape; 2], String> {
    let [base, head] = Names::of_both(programs);
    let mut digests =
        [Digests::new(programs[0], starts[0], base), Digests::new(programs[1], starts[1], head)];
    tell_apart(&mut digests)?;
    let [base, head] = &mut digests;
    Ok([base.shape()?, head.shape()?])
}

/// Tells apart the functions that share a name in one of the programs. Each round distinguishes those whose code differs, or
/// that refer to functions which the last round distinguished. The rounds end when one distinguishes no more.
fn tell_apart(both: &mut [Digests<'_>; 2]) -> Result<(), String> {
    let count = |both: &[Digests<'_>; 2]| {
        let bodies = both.iter().flat_map(|digests| digests.names.bodies.values());
        bodies.collect::<HashSet<_>>().len()
    };
    let mut known = count(both);
    for _ in 0..MOST_ROUNDS {
        for digests in both.iter_mut() {
            digests.next_round()?;
        }
        let now = count(both);
        if now == known {
            return Ok(());
        }
        known = now;
    }
    Err("functions of one name refer to each other in a chain that is too long to tell them apart"
        .to_owned())
}

impl Program {
    /// Returns the functions that a reference may lead to; none where it leads to data. A name that no object file
    /// defines counts as a function, since it may be one of a shared library.
    fn functions<'p>(&'p self, reference: &'p Reference) -> Vec<&'p str> {
        match &reference.target {
            Target::Name(name) => {
                let is_code = |&(place, _): &(usize, u64)| self.sections[place].kind == Kind::Code;
                let defined = self.defined.get(name);
                let is_function = defined.is_none_or(|all| all.iter().any(is_code));
                is_function.then_some(name.as_str()).into_iter().collect()
            }
            Target::Section { section, .. } if self.sections[*section].kind != Kind::Code => {
                Vec::new()
            }
            Target::Section { name: Some(name), .. } => vec![name],
            Target::Section { section, .. } => {
                self.sections[*section].functions.iter().map(String::as_str).collect()
            }
        }
    }
}

/// The digests of a program's sections, as far as they are known.
struct Digests<'p> {
    program: &'p Program,
    starts: &'p [PathBuf],
    /// The texts of the sources that locations name, each read once; `None` for a file that is not there.
    sources: HashMap<PathBuf, Option<String>>,
    names: Names,
    known: HashMap<usize, Digest>,
    /// The sections whose digests are being made, so that a circle of references ends.
    open: HashSet<usize>,
    visits: usize,
}

impl<'p> Digests<'p> {
    fn new(program: &'p Program, starts: &'p [PathBuf], names: Names) -> Digests<'p> {
        Digests {
            program,
            starts,
            sources: HashMap::new(),
            names,
            known: HashMap::new(),
            open: HashSet::new(),
            visits: 0,
        }
    }

    /// Tells apart the functions that share a name, by what the last round found out about the functions that they refer to.
    fn next_round(&mut self) -> Result<(), String> {
        let places: Vec<usize> = self.names.bodies.keys().copied().collect();
        let mut bodies = HashMap::new();
        for place in places {
            let mut hash = Hash::new();
            add(&mut hash, &self.names.bodies[&place]);
            add(&mut hash, &self.digest(place).0);
            bodies.insert(place, hash.finalize());
        }
        // The digests of constants depend on the functions to which they refer.
        self.known.clear();
        self.names.bodies = bodies;
        self.check_visits()
    }

    fn check_visits(&self) -> Result<(), String> {
        let is_too_much = self.visits > MOST_VISITS;
        let why = "too many of its constants, or functions of one name, refer to each other";
        if is_too_much { Err(why.to_owned()) } else { Ok(()) }
    }

    /// Returns the shape of the program, once functions of one name are told apart.
    fn shape(&mut self) -> Result<Shape, String> {
        let program = self.program;
        let mut shape = Shape::default();
        for (place, section) in program.sections.iter().enumerate() {
            if section.kind != Kind::Code {
                let pointed = section.references.iter().flat_map(|at| program.functions(at));
                shape.pointed.extend(pointed.map(str::to_owned));
            }
            match section.kind {
                Kind::Data => {}
                Kind::Special => {
                    shape.special.push((section.name.clone(), self.digest(place).0));
                }
                Kind::Code => {
                    let digest = self.digest(place).0;
                    let called = section.references.iter().flat_map(|at| program.functions(at));
                    let called: HashSet<String> = called.map(str::to_owned).collect();
                    for symbol in &section.functions {
                        let identity = self.names.identity(symbol, place);
                        let alike = shape.functions.entry(identity).or_default();
                        alike.digests.insert(digest);
                        alike.symbols.insert(symbol.clone());
                        shape
                            .calls
                            .entry(symbol.clone())
                            .or_default()
                            .extend(called.iter().cloned());
                    }
                }
            }
        }
        shape.special.sort_by(|a, b| a.0.cmp(&b.0));
        self.check_visits().map(|()| shape)
    }

    /// Returns the digest of a section, and whether it is whole. Within a circle of references it is not, because it depends
    /// on where the circle was entered.
    fn digest(&mut self, place: usize) -> (Digest, bool) {
        if let Some(known) = self.known.get(&place) {
            return (*known, true);
        }
        let section = &self.program.sections[place];
        let mut hash = Hash::new();
        self.visits += 1;
        if self.visits > MOST_VISITS {
            return ([0; 32], false);
        }
        if !self.open.insert(place) {
            add(&mut hash, b"circle");
            add(&mut hash, section.name.as_bytes());
            return (hash.finalize(), false);
        }
        add(&mut hash, &section.size.to_le_bytes());
        add(&mut hash, &section.alignment.to_le_bytes());
        match self.location(section) {
            Some(text) => add(&mut hash, text.as_bytes()),
            None => add(&mut hash, &section.bytes),
        }
        let mut is_whole = true;
        for reference in &section.references {
            add(&mut hash, &reference.offset.to_le_bytes());
            add(&mut hash, &reference.kind.to_le_bytes());
            add(&mut hash, &reference.addend.to_le_bytes());
            is_whole &= self.add_target(&mut hash, reference);
        }
        if let Some(table) = section.unwinding {
            let (digest, whole) = self.digest(table);
            add(&mut hash, &digest);
            is_whole &= whole;
        }
        self.open.remove(&place);
        let digest = hash.finalize();
        // The digest of the first section of a circle depends on nothing that is still open.
        let is_whole = is_whole || self.open.is_empty();
        if is_whole {
            self.known.insert(place, digest);
        }
        (digest, is_whole)
    }

    /// Adds the target of a reference: a function by its name, and data by its content. Returns whether the target's digest is
    /// whole.
    fn add_target(&mut self, hash: &mut Hash, reference: &Reference) -> bool {
        let names = self.program.functions(reference);
        for name in &names {
            add(hash, self.names.function(name).as_bytes());
        }
        for digest in self.names.digests_of_targets(self.program, reference) {
            add(hash, &digest);
        }
        let places = match &reference.target {
            Target::Section { section, offset, .. } => vec![(*section, *offset)],
            Target::Name(name) => self.program.defined.get(name).cloned().unwrap_or_default(),
        };
        let mut is_whole = true;
        for (place, offset) in places {
            if let Some((constant, within)) =
                constant(&self.program.sections[place], offset, reference)
            {
                add(hash, b"constant");
                add(hash, &self.program.sections[place].alignment.to_le_bytes());
                add(hash, &within.to_le_bytes());
                add(hash, constant);
                continue;
            }
            add(hash, &offset.to_le_bytes());
            if !names.is_empty() {
                continue;
            }
            let section = &self.program.sections[place];
            if is_variable(&section.name) {
                // Two variables with the same first value are still two.
                add(hash, self.names.variable(&section.name).as_bytes());
            }
            let (digest, whole) = self.digest(place);
            add(hash, &digest);
            is_whole &= whole;
        }
        is_whole
    }

    /// Returns the text of the source that a location names, if a section is such a location. Its line and its column change
    /// when somebody adds a comment above, and the text does not.
    fn location(&mut self, section: &Section) -> Option<String> {
        let [reference] = &section.references[..] else { return None };
        let bytes: &[u8; LOCATION] = section.bytes.as_slice().try_into().ok()?;
        let Target::Section { section: named, offset, .. } = &reference.target else { return None };
        let number = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let begin = usize::try_from(offset.checked_add_signed(reference.addend)?).ok()?;
        let length = usize::try_from(number(8)).ok()?;
        let name = self.program.sections[*named].bytes.get(begin..begin.checked_add(length)?)?;
        let name = std::str::from_utf8(name).ok().filter(|name| is_source(name))?;
        let place = (number(16), number(20));
        let text = self.starts.iter().find_map(|start| {
            let source = self.sources.entry(start.join(name));
            let source = source.or_insert_with_key(|path| std::fs::read_to_string(path).ok());
            text_at(source.as_ref()?, place)
        })?;
        (reference.offset == 0 && number(12) == 0 && !text.is_empty())
            .then(|| format!("a location in {name}: {text}"))
    }
}

/// Returns the constant that a reference to a symbol at this offset leads to, and the symbol's offset within it. The compiler
/// collects the constants of a whole codegen unit in one section, in the order of its functions. The linker moves each
/// constant by itself, so nothing depends on the constants beside it.
fn constant<'s>(
    section: &'s Section,
    offset: u64,
    reference: &Reference,
) -> Option<(&'s [u8], u64)> {
    let length = section.entry.filter(|_| reference.is_exact && section.references.is_empty())?;
    let within = offset % length;
    // If the reference leads out of the constant, its target is not known.
    let is_within = reference.addend < i64::try_from(length - within).ok()?;
    let begin = usize::try_from(offset - within).ok()?;
    let end = begin.checked_add(usize::try_from(length).ok()?)?;
    Some((section.bytes.get(begin..end)?, within)).filter(|_| is_within)
}
