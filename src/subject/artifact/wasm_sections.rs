//! The reader of a WebAssembly module's sections.

use super::sections::Sections;

/// The names of the sections by their number. A custom section has a name of its own besides.
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

/// Returns the sections in their order, each with its name and its content. `None` if this is not a whole module.
pub(super) fn sections(module: &[u8]) -> Option<Sections> {
    let mut rest = module.strip_prefix(b"\0asm\x01\0\0\0")?;
    let mut found = Vec::new();
    while let Some((&kind, after)) = rest.split_first() {
        let (length, after) = read_number(after)?;
        let (section, after) = after.split_at_checked(length)?;
        rest = after;
        let name = NAMES.get(usize::from(kind))?;
        if kind == 0 {
            let (length, content) = read_number(section)?;
            let (custom, content) = content.split_at_checked(length)?;
            found.push((format!("{name} {}", String::from_utf8_lossy(custom)), content.to_vec()));
        } else {
            found.push(((*name).to_owned(), section.to_vec()));
        }
    }
    Some(found)
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
}
