//! WASM modules: sections, and the bodies of functions with the names of the `name` section.

use std::collections::HashMap;

use super::{Inside, demangled};

const CUSTOM: u8 = 0;
const IMPORT: u8 = 2;
const CODE: u8 = 10;
/// The words of the sections by their numbers.
const NAMES: [&str; 14] = [
    "custom",
    "type",
    "import",
    "function",
    "table",
    "memory",
    "global",
    "export",
    "start",
    "element",
    "code",
    "data",
    "data count",
    "tag",
];

/// What is left to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn take(&mut self, count: u64) -> Option<&'a [u8]> {
        let (part, rest) = self.0.split_at_checked(usize::try_from(count).ok()?)?;
        self.0 = rest;
        Some(part)
    }

    /// An unsigned number in LEB128.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn part(&mut self) -> Option<&'a [u8]> {
        let count = self.number()?;
        self.take(count)
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.part()?).ok()
    }
}

/// `None` where the file is not what it claims to be.
pub(super) fn read(file: &[u8]) -> Option<Inside> {
    if file.get(4..8)? != [1, 0, 0, 0] {
        return None;
    }
    let mut rest = Rest(&file[8..]);
    let mut inside = Inside { kind: "WASM", ..Inside::default() };
    let (mut imported, mut bodies, mut names) = (0, Vec::new(), HashMap::new());
    while !rest.0.is_empty() {
        let (id, whole) = (rest.byte()?, rest.0.len());
        let mut section = Rest(rest.part()?);
        let bytes = (whole - rest.0.len() + 1) as u64;
        let name = match id {
            CUSTOM => format!("custom {}", section.text()?),
            id => NAMES.get(usize::from(id)).copied().unwrap_or("unknown").to_owned(),
        };
        match id {
            IMPORT => imported = functions_imported(&mut section)?,
            CODE => {
                for _ in 0..section.number()? {
                    bodies.push(section.part()?.len() as u64);
                }
            }
            CUSTOM if name == "custom name" => names = function_names(&mut section)?,
            _ => {}
        }
        *inside.sections.entry(name).or_default() += bytes;
    }
    if !names.is_empty() {
        for (index, bytes) in (imported..).zip(bodies) {
            let name =
                names.get(&index).map_or("without a name".to_owned(), |name| demangled(name));
            *inside.functions.entry(name).or_default() += bytes;
        }
    }
    Some(inside)
}

/// How many of the imports are functions, which are counted before the module's own.
fn functions_imported(section: &mut Rest<'_>) -> Option<u64> {
    let mut functions = 0;
    for _ in 0..section.number()? {
        section.part()?;
        section.part()?;
        match section.byte()? {
            0 => {
                section.number()?;
                functions += 1;
            }
            1 => {
                section.byte()?;
                limits(section)?;
            }
            2 => limits(section)?,
            3 => {
                section.take(2)?;
            }
            _ => return None,
        }
    }
    Some(functions)
}

fn limits(section: &mut Rest<'_>) -> Option<()> {
    let flags = section.byte()?;
    section.number()?;
    if flags & 1 == 1 {
        section.number()?;
    }
    Some(())
}

fn function_names<'a>(section: &mut Rest<'a>) -> Option<HashMap<u64, &'a str>> {
    const FUNCTIONS: u8 = 1;
    let mut names = HashMap::new();
    while !section.0.is_empty() {
        let (id, mut part) = (section.byte()?, Rest(section.part()?));
        if id == FUNCTIONS {
            for _ in 0..part.number()? {
                let index = part.number()?;
                names.insert(index, part.text()?);
            }
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_get_the_names_of_their_numbers() {
        let section = |id: u8, content: &[u8]| [&[id, content.len() as u8], content].concat();
        let file = [
            b"\0asm\x01\0\0\0".to_vec(),
            // One function, and a memory with a maximum.
            section(2, b"\x02\x01m\x01f\0\0\x01m\x01n\x02\x01\x01\x02"),
            // Bodies of three bytes and of one.
            section(10, b"\x02\x03abc\x01d"),
            // Of the functions 1 and 2.
            section(0, b"\x04name\x01\x0d\x02\x01\x04a::f\x02\x04b::g"),
        ]
        .concat();
        let inside = read(&file).unwrap();
        assert_eq!(inside.functions.get("a::f"), Some(&3));
        assert_eq!(inside.functions.get("b::g"), Some(&1));
        assert_eq!(inside.sections.values().sum::<u64>() + 8, file.len() as u64);
        assert_eq!(read(&file[..file.len() - 1]), None);
    }
}
