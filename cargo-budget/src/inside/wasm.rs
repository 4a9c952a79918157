//! The reader of WASM modules and components: their sections, and the bodies of functions, named by the `name`
//! section.

use std::collections::HashMap;

use wasmparser::{
    BinaryReaderError, Chunk, CustomSectionReader, Encoding, KnownCustom, Name, Parser, Payload,
    TypeRef,
};

use super::contents::{FileContents, demangled};

/// One module, whose functions have their own numbers. A component may contain several modules.
#[derive(Default)]
struct Module<'a> {
    imported: u32,
    bodies: Vec<u64>,
    names: HashMap<u32, &'a str>,
}

/// Reads a file. An error says where the file is damaged.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other sections are treated alike")]
pub(super) fn read(file: &[u8]) -> Result<FileContents, BinaryReaderError> {
    let mut inside = FileContents { kind: "WASM", ..FileContents::default() };
    let (mut rest, mut parser, mut module) = (file, Parser::new(0), Module::default());
    let mut outer = Vec::new();
    loop {
        let Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? else {
            unreachable!("the parser was told that the file ends here")
        };
        rest = &rest[consumed..];
        let name = match &payload {
            // The first eight bytes of the file belong to no section.
            Payload::Version { .. } if outer.is_empty() => None,
            payload => section(payload),
        };
        if let Some(name) = name {
            *inside.sections.entry(name).or_default() += consumed as u64;
        }
        match payload {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let function = matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
                    module.imported += u32::from(function);
                }
            }
            Payload::CodeSectionEntry(body) => module.bodies.push(body.as_bytes().len() as u64),
            Payload::CustomSection(custom) => name_functions(&custom, &mut module.names),
            Payload::ModuleSection { parser: inner, .. }
            | Payload::ComponentSection { parser: inner, .. } => {
                outer.push((std::mem::replace(&mut parser, inner), std::mem::take(&mut module)));
            }
            Payload::End(_) => {
                add(&module, &mut inside);
                let Some(around) = outer.pop() else { return Ok(inside) };
                (parser, module) = around;
            }
            _ => {}
        }
    }
}

/// Returns the name of the section that a payload belongs to; `None` where it belongs to none.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other sections are treated alike")]
fn section(payload: &Payload<'_>) -> Option<String> {
    let name = match payload {
        Payload::TypeSection(_) => "type",
        Payload::ImportSection(_) => "import",
        Payload::FunctionSection(_) => "function",
        Payload::TableSection(_) => "table",
        Payload::MemorySection(_) => "memory",
        Payload::TagSection(_) => "tag",
        Payload::GlobalSection(_) => "global",
        Payload::ExportSection(_) => "export",
        Payload::StartSection { .. } => "start",
        Payload::ElementSection(_) => "element",
        Payload::DataCountSection { .. } => "data count",
        Payload::DataSection(_) => "data",
        Payload::CodeSectionStart { .. } | Payload::CodeSectionEntry(_) => "code",
        // These bytes surround a module in a component. The module's own sections are counted separately.
        Payload::ModuleSection { .. } | Payload::Version { encoding: Encoding::Module, .. } => {
            "core module"
        }
        Payload::ComponentSection { .. } | Payload::Version { .. } => "component",
        Payload::InstanceSection(_) => "core instance",
        Payload::CoreTypeSection(_) => "core type",
        Payload::ComponentInstanceSection(_) => "component instance",
        Payload::ComponentAliasSection(_) => "component alias",
        Payload::ComponentTypeSection(_) => "component type",
        Payload::ComponentCanonicalSection(_) => "component canonical",
        Payload::ComponentStartSection { .. } => "component start",
        Payload::ComponentImportSection(_) => "component import",
        Payload::ComponentExportSection(_) => "component export",
        Payload::CustomSection(custom) => return Some(format!("custom {}", custom.name())),
        Payload::End(_) => return None,
        _ => "unknown",
    };
    Some(name.to_owned())
}

/// Takes the names of functions from a custom section, if it is the section with names. Names do not affect what the
/// module does, so a damaged section is no error: the names before the damage are used.
fn name_functions<'a>(custom: &CustomSectionReader<'a>, names: &mut HashMap<u32, &'a str>) {
    let KnownCustom::Name(parts) = custom.as_known() else { return };
    // The lists are read as they are, whatever their order, since nothing looks a name up in them.
    for part in parts.sections {
        match part {
            Ok(Name::Function(functions)) => {
                let functions = functions.names.map_while(Result::ok);
                names.extend(functions.map(|function| (function.index, function.name)));
            }
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

/// Adds the functions of a module after its end was reached. A module without any names adds none.
fn add(module: &Module<'_>, inside: &mut FileContents) {
    if module.names.is_empty() {
        return;
    }
    for (index, bytes) in (module.imported..).zip(&module.bodies) {
        let name = module.names.get(&index);
        let name = name.map_or("without a name".to_owned(), |name| demangled(name));
        *inside.functions.entry(name).or_default() += bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        [&[id, content.len() as u8], content].concat()
    }

    /// Returns a module of two functions with this section of names.
    fn module(names: &[u8]) -> Vec<u8> {
        [
            b"\0asm\x01\0\0\0".to_vec(),
            // The imports are a function and a memory with a maximum.
            section(2, b"\x02\x01m\x01f\0\0\x01m\x01n\x02\x01\x01\x02"),
            section(3, b"\x02\0\0"),
            // The bodies have three bytes and one byte.
            section(10, b"\x02\x03abc\x01d"),
            section(0, &[b"\x04name", names].concat()),
        ]
        .concat()
    }

    /// The names of the functions 1 and 2.
    const NAMES: &[u8] = b"\x01\x0d\x02\x01\x04a::f\x02\x04b::g";

    #[track_caller]
    fn check(file: &[u8], functions: &[(&str, u64)]) -> FileContents {
        let inside = read(file).unwrap();
        let found: Vec<(&str, u64)> =
            inside.functions.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
        assert_eq!(found, functions);
        assert_eq!(inside.sections.values().sum::<u64>() + 8, file.len() as u64);
        inside
    }

    #[test]
    fn bodies_get_the_names_of_their_numbers() {
        let file = module(NAMES);
        check(&file, &[("a::f", 3), ("b::g", 1)]);
        assert!(read(&file[..file.len() - 1]).is_err());
    }

    #[test]
    fn names_that_cannot_be_read_are_left_out() {
        // First comes a part of an unknown kind, then names of the module and of locals; in the second case a part is
        // longer than its section.
        let before = b"\x63\x02xy\x00\x02\x01m\x02\x01\x00";
        check(&module(&[&before[..], NAMES].concat()), &[("a::f", 3), ("b::g", 1)]);
        check(&module(&[NAMES, b"\x07\x7f"].concat()), &[("a::f", 3), ("b::g", 1)]);
        // The second name is not UTF-8.
        let names = b"\x01\x0d\x02\x01\x04a::f\x02\x04\xff\xfe\xfd\xfc";
        check(&module(names), &[("a::f", 3), ("without a name", 1)]);
        check(&module(b""), &[]);
        check(&module(b"\x01\x7f"), &[]);
    }

    #[test]
    fn a_component_has_the_sections_of_its_modules() {
        let inner = module(NAMES);
        let component = |parts: &[Vec<u8>]| [&b"\0asm\x0d\0\x01\0"[..], &parts.concat()].concat();
        let nested = component(&[section(1, &inner)]);
        let file = component(&[section(1, &inner), section(4, &nested), section(0, b"\x01xyz")]);
        let inside = check(&file, &[("a::f", 6), ("b::g", 2)]);
        let bytes = |name: &str| inside.sections[name];
        assert_eq!((bytes("code"), bytes("custom x")), (2 * 9, 6));
        assert_eq!((bytes("core module"), bytes("component")), (2 * 10, 10));
    }
}
