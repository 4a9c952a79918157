//! The names by which the functions and variables of both revisions are matched.
//!
//! A symbol contains a hash of its crate's name and version, so a release gives a new symbol to every function of the crate.
//! A symbol that both programs have is matched with itself. Any other is matched by its path: the symbol without such
//! hashes.
//!
//! One name can stand for several functions of a program, such as the copies of a generic function for several types.
//! These are told apart by their bodies alone. Two are the same where their machine code is the same, and where everything
//! that the code refers to is the same in turn. The digest of a function also covers which of these functions it refers to.
//! So it is a difference if a call now leads to another function of the same name.

use std::collections::{HashMap, HashSet};

use hmac_sha256::Hash;
use rustc_demangle::try_demangle;

use super::digest::{Digest, add};
use super::program::{Kind, Program, Reference, Target, is_variable};

/// The properties by which a function of one program is matched with one of the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    /// Its symbol or its path.
    pub(super) name: String,
    /// The digest that tells it apart, where it is not the only one of this name.
    pub(super) body: Option<Digest>,
}

/// The names in one program.
#[derive(Debug)]
pub(super) struct Names {
    /// The path of each function whose symbol only this program has.
    functions: HashMap<String, String>,
    /// The path of each section of variables whose name only this program has.
    variables: HashMap<String, String>,
    /// The digests that tell apart functions of the same name, by their sections.
    pub(super) bodies: HashMap<usize, Digest>,
}

impl Names {
    /// Returns the names in both programs. The functions of one name are not told apart by their bodies yet.
    pub(super) fn of_both(programs: [&Program; 2]) -> [Names; 2] {
        let functions = programs.map(functions);
        let variables = programs.map(variables);
        let mut both = [0, 1].map(|side| Names {
            functions: paths(&functions[side], &functions[1 - side]),
            variables: paths(&variables[side], &variables[1 - side]),
            bodies: HashMap::new(),
        });
        // Variables of one path stay apart by the names of their sections, which the other program does not have.
        let paths = both.each_ref().map(|names| names.variables.values().map(String::as_str));
        let several: HashSet<String> = repeated(paths).into_iter().map(str::to_owned).collect();
        for names in &mut both {
            names.variables.retain(|_, path| !several.contains(path));
        }
        let named = |side: usize| -> Vec<&str> {
            functions[side].iter().map(|(_, symbol)| both[side].function(symbol)).collect()
        };
        let named = [named(0), named(1)];
        let several = repeated(named.each_ref().map(|names| names.iter().copied()));
        let bodies = [0, 1].map(|side| {
            let places = functions[side].iter().map(|(place, _)| *place);
            let shared = places.zip(named[side].iter().copied());
            digests(shared.filter(|(_, name)| several.contains(name)))
        });
        for (names, bodies) in both.iter_mut().zip(bodies) {
            names.bodies = bodies;
        }
        both
    }

    /// Returns the name of a function.
    pub(super) fn function<'n>(&'n self, symbol: &'n str) -> &'n str {
        self.functions.get(symbol).map_or(symbol, String::as_str)
    }

    /// Returns the name of a variable by that of its section.
    pub(super) fn variable<'n>(&'n self, section: &'n str) -> &'n str {
        self.variables.get(section).map_or(section, String::as_str)
    }

    /// Returns the identity by which the function in this section is matched.
    pub(super) fn identity(&self, symbol: &str, place: usize) -> Identity {
        let name = self.function(symbol).to_owned();
        Identity { name, body: self.bodies.get(&place).copied() }
    }

    /// Returns the digests of the functions to which a reference may lead, where other functions have the same name.
    pub(super) fn digests_of_targets(
        &self,
        program: &Program,
        reference: &Reference,
    ) -> Vec<Digest> {
        let by_name = |name: &str| program.defined.get(name).into_iter().flatten().map(|at| at.0);
        let places: Vec<usize> = match &reference.target {
            Target::Name(name) => by_name(name).collect(),
            Target::Section { section, name, .. } => {
                // The linker may take a definition from another object file.
                let others = name.iter().flat_map(|name| by_name(name));
                [*section].into_iter().chain(others.filter(|place| place != section)).collect()
            }
        };
        places.iter().filter_map(|place| self.bodies.get(place).copied()).collect()
    }
}

/// Returns the sections of a program's code, each with the name of a function in it.
fn functions(program: &Program) -> Vec<(usize, &str)> {
    let sections = program.sections.iter().enumerate();
    let code = sections.filter(|(_, section)| section.kind == Kind::Code);
    let named = code.flat_map(|(place, section)| {
        section.functions.iter().map(move |name| (place, name.as_str()))
    });
    named.collect()
}

/// Returns the sections of a program's variables with their names.
fn variables(program: &Program) -> Vec<(usize, &str)> {
    let sections = program.sections.iter().enumerate();
    let names = sections.map(|(place, section)| (place, section.name.as_str()));
    names.filter(|(_, name)| is_variable(name)).collect()
}

/// Returns the paths of the names that the other program does not have, by name. A name that has no path is left out.
fn paths(names: &[(usize, &str)], others: &[(usize, &str)]) -> HashMap<String, String> {
    let others: HashSet<&str> = others.iter().map(|(_, name)| *name).collect();
    let own = names.iter().map(|(_, name)| *name).filter(|name| !others.contains(name));
    own.filter_map(|name| Some((name.to_owned(), path(name)?))).collect()
}

/// Returns the path of a symbol of Rust, or of a section that is named after one.
fn path(name: &str) -> Option<String> {
    let begin = if name.starts_with('.') { name.find("._").map_or(0, |dot| dot + 1) } else { 0 };
    let (section, symbol) = name.split_at(begin);
    // No symbol of another language has a space, so no path is equal to such a symbol.
    Some(format!("{section} {:#}", try_demangle(symbol).ok()?))
}

/// Returns the names that one of the programs has several times.
fn repeated<'n>(both: [impl Iterator<Item = &'n str>; 2]) -> HashSet<&'n str> {
    let several = both.into_iter().flat_map(|names| {
        let mut seen = HashSet::new();
        names.filter(move |name| !seen.insert(*name)).collect::<Vec<_>>()
    });
    several.collect()
}

/// Returns a digest of the names in each section.
fn digests<'n>(names: impl Iterator<Item = (usize, &'n str)>) -> HashMap<usize, Digest> {
    let mut hashes: HashMap<usize, Hash> = HashMap::new();
    for (place, name) in names {
        add(hashes.entry(place).or_default(), name.as_bytes());
    }
    hashes.into_iter().map(|(place, hash)| (place, hash.finalize())).collect()
}
