//! The reader of the sections of a WebAssembly module or component.

use super::sections::Sections;

/// The names of a module's sections by their number. A custom section has a name of its own besides.
const NAMES: [&str; 14] = [
    CUSTOM,
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
/// The names of a component's sections by their number.
const OF_COMPONENT: [&str; 13] = [
    CUSTOM,
    "core module",
    "core instance",
    "core type",
    "component",
    "component instance",
    "component alias",
    "component type",
    "component canonical",
    "component start",
    "component import",
    "component export",
    "component value",
];
const CUSTOM: &str = "custom";
/// The sections of a component that contain a module or a component.
const WITH_SECTIONS: [&str; 2] = ["core module", "component"];
/// More components than any tool puts into each other.
const DEEPEST: usize = 32;

/// Returns the sections in their order, each with its name and its content. The sections of the modules in a component are
/// included. `None` if this is not a whole module or component.
pub(super) fn sections(file: &[u8]) -> Option<Sections> {
    let mut found = Vec::new();
    read(file, 0, &mut found)?;
    Some(found)
}

fn read(file: &[u8], depth: usize, found: &mut Sections) -> Option<()> {
    let (names, mut rest) = match file.strip_prefix(b"\0asm")?.split_at_checked(4)? {
        (b"\x01\0\0\0", rest) => (&NAMES[..], rest),
        // The first two bytes are the version of the format, which is not a final one, and the others its layer.
        (b"\x0d\0\x01\0", rest) => (&OF_COMPONENT[..], rest),
        _ => return None,
    };
    while let Some((&kind, after)) = rest.split_first() {
        let (length, after) = read_number(after)?;
        let (section, after) = after.split_at_checked(length)?;
        rest = after;
        let name = *names.get(usize::from(kind))?;
        if name == CUSTOM {
            let (length, content) = read_number(section)?;
            let (custom, content) = content.split_at_checked(length)?;
            found.push((format!("{name} {}", String::from_utf8_lossy(custom)), content.to_vec()));
        } else if WITH_SECTIONS.contains(&name) && depth < DEEPEST {
            read(section, depth + 1, found)?;
        } else {
            found.push((name.to_owned(), section.to_vec()));
        }
    }
    Some(())
}

/// Reads an unsigned LEB128 number of 32 bits. Returns it, and the bytes that follow it.
fn read_number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut number = 0_u64;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(number).ok()?, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_read_whole_or_not_at_all() {
        let module = b"\0asm\x01\0\0\0\x01\x01\0\0\x06\x04nameabc"; // one byte more than the section has
        assert_eq!(sections(module), None);
        let module = b"\0asm\x01\0\0\0\x01\x01\0\0\x06\x04namea";
        let found = sections(module).unwrap();
        assert_eq!(found[0], ("type".to_owned(), vec![0]));
        assert_eq!(found[1], ("custom name".to_owned(), b"a".to_vec()));
        assert_eq!(sections(b"\0asm\x01\0\0\0\x01\x80\x80"), None);
        assert_eq!(sections(b"\x7fELF"), None);
    }

    #[test]
    fn a_component_has_the_sections_of_its_modules() {
        let module = b"\0asm\x01\0\0\0\x0a\x02\x01\x02";
        let within = |kind: u8, inner: &[u8]| {
            let mut component = b"\0asm\x0d\0\x01\0\x07\x01\x09".to_vec();
            component.extend([kind, inner.len() as u8]);
            component.extend(inner);
            component
        };
        let names = |file: &[u8]| -> Vec<String> {
            sections(file).unwrap().into_iter().map(|(name, _)| name).collect()
        };
        let component = within(1, module);
        assert_eq!(names(&component), ["component type", "code"]);
        let nested = within(4, &component);
        assert_eq!(names(&nested), ["component type", "component type", "code"]);
        assert_eq!(sections(&nested[..nested.len() - 1]), None);
        // The reader ends, however deep the components are nested.
        let mut deep = component;
        for _ in 0..6 {
            deep = within(4, &deep);
        }
        assert_eq!(names(&deep).len(), 8);
    }
}
