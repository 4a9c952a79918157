//! Tests of the comparison of two programs in which the symbols of a crate differ, as they do after a release: which of
//! the functions differ.

use std::collections::BTreeSet;

use super::differing;
use super::program::{Kind, Program, Reference, Section, Target};
use super::shape::shapes;

/// A function: its path, the hash in its symbol, its machine code, and the functions and variables that it refers to.
type Function = (&'static str, u8, u8, &'static [(&'static str, u8)]);

/// Returns the symbol of a path in the form that most compilers write.
fn symbol(path: &str, hash: u8) -> String {
    let parts = path.split("::").map(|part| format!("{}{part}", part.len()));
    let parts: String = parts.collect();
    format!("_ZN{parts}17h{hash:016x}E")
}

fn section(name: String, kind: Kind, byte: u8) -> Section {
    Section {
        name,
        kind,
        size: 1,
        alignment: 1,
        bytes: vec![byte],
        entry: None,
        functions: Vec::new(),
        references: Vec::new(),
        unwinding: None,
    }
}

/// Returns a program that consists of functions, and of a variable for each path in `variables`.
fn program(functions: &[Function], variables: &[(&'static str, u8)]) -> Program {
    let mut program = Program::default();
    let mut define = |name: String, section: Section| {
        let place = program.sections.len();
        program.sections.push(section);
        program.defined.entry(name).or_default().push((place, 0));
    };
    for (path, hash) in variables {
        let name = symbol(path, *hash);
        define(name.clone(), section(format!(".bss.{name}"), Kind::Data, 0));
    }
    for (path, hash, code, called) in functions {
        let name = symbol(path, *hash);
        let mut own = section(format!(".text.{name}"), Kind::Code, *code);
        own.functions.push(name.clone());
        own.references.extend(called.iter().map(|(path, hash)| Reference {
            offset: 0,
            kind: 0,
            addend: 0,
            is_exact: true,
            target: Target::Name(symbol(path, *hash)),
        }));
        define(name, own);
    }
    program
}

/// Checks which functions differ, by their hashes in the base and in this revision.
#[track_caller]
fn check(both: [&Program; 2], want: [&[(&str, u8)]; 2]) {
    let shapes = shapes(both, [&[], &[]]).unwrap();
    let (found, _) = differing(&shapes).unwrap();
    for (found, want) in found.into_iter().zip(want) {
        let want: BTreeSet<String> = want.iter().map(|(path, hash)| symbol(path, *hash)).collect();
        assert_eq!(found.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), want);
    }
}

/// Does the same for two programs that consist of functions alone.
#[track_caller]
fn check_functions(base: &[Function], head: &[Function], want: [&[(&str, u8)]; 2]) {
    check([&program(base, &[]), &program(head, &[])], want);
}

#[test]
fn a_release_changes_only_the_functions_that_it_changes() {
    let base: [Function; 3] = [
        ("kit::work", 1, 10, &[("kit::step", 2)]),
        ("kit::step", 2, 11, &[]),
        ("own::main", 3, 12, &[("kit::work", 1)]),
    ];
    let head: [Function; 3] = [
        ("kit::work", 4, 10, &[("kit::step", 5)]),
        ("kit::step", 5, 11, &[]),
        ("own::main", 3, 12, &[("kit::work", 4)]),
    ];
    check_functions(&base, &head, [&[], &[]]);
    let mut changed = head;
    changed[1].2 = 13;
    check_functions(&base, &changed, [&[("kit::step", 2)], &[("kit::step", 5)]]);
    // A function of another path is another function.
    let mut renamed = head;
    renamed[0].3 = &[("kit::last", 5)];
    renamed[1].0 = "kit::last";
    check_functions(
        &base,
        &renamed,
        [&[("kit::work", 1), ("kit::step", 2)], &[("kit::work", 4), ("kit::last", 5)]],
    );
}

#[test]
fn the_copies_of_a_generic_function_are_told_apart_by_their_bodies() {
    let base: [Function; 3] = [
        ("kit::take", 1, 10, &[]),
        ("kit::take", 2, 11, &[]),
        ("own::main", 3, 12, &[("kit::take", 1)]),
    ];
    let head = |called| -> [Function; 3] {
        [("kit::take", 5, 11, &[]), ("kit::take", 6, 10, &[]), ("own::main", 3, 12, called)]
    };
    check_functions(&base, &head(&[("kit::take", 6)]), [&[], &[]]);
    // The code of `main` is the same, and so is the name that it refers to.
    let main: &[_] = &[("own::main", 3)];
    check_functions(&base, &head(&[("kit::take", 5)]), [main, main]);
    // A copy whose body has changed differs, and so do the functions that refer to it. The other copy does not.
    let mut changed = head(&[("kit::take", 6)]);
    changed[0].2 = 13;
    check_functions(&base, &changed, [&[("kit::take", 2)], &[("kit::take", 5)]]);
    changed[1].2 = 14;
    check_functions(
        &base,
        &changed,
        [
            &[("own::main", 3), ("kit::take", 1), ("kit::take", 2)],
            &[("own::main", 3), ("kit::take", 5), ("kit::take", 6)],
        ],
    );
}

#[test]
fn another_copy_with_the_same_body_is_no_difference() {
    let base: [Function; 2] =
        [("kit::take", 1, 10, &[]), ("own::main", 3, 12, &[("kit::take", 1)])];
    let head: [Function; 3] = [
        ("kit::take", 5, 10, &[]),
        ("kit::take", 6, 10, &[]),
        ("own::main", 3, 12, &[("kit::take", 6)]),
    ];
    check_functions(&base, &head, [&[], &[]]);
}

#[test]
fn copies_are_told_apart_by_what_they_refer_to_through_other_copies() {
    // The copies of `outer` and `middle` have the same machine code, but lead to different copies of `inner`.
    let chain = |shift: u8, called: &'static [(&'static str, u8)]| -> Vec<Function> {
        let link = |to: u8| -> &'static [(&'static str, u8)] {
            match to {
                3 => &[("kit::middle", 3)],
                4 => &[("kit::middle", 4)],
                5 => &[("kit::inner", 5)],
                6 => &[("kit::inner", 6)],
                13 => &[("kit::middle", 13)],
                14 => &[("kit::middle", 14)],
                15 => &[("kit::inner", 15)],
                _ => &[("kit::inner", 16)],
            }
        };
        vec![
            ("kit::outer", shift + 1, 1, link(shift + 3)),
            ("kit::outer", shift + 2, 1, link(shift + 4)),
            ("kit::middle", shift + 3, 2, link(shift + 5)),
            ("kit::middle", shift + 4, 2, link(shift + 6)),
            ("kit::inner", shift + 5, 3, &[]),
            ("kit::inner", shift + 6, 4, &[]),
            ("own::main", 9, 5, called),
        ]
    };
    let base = chain(0, &[("kit::outer", 1)]);
    check_functions(&base, &chain(10, &[("kit::outer", 11)]), [&[], &[]]);
    let main: &[_] = &[("own::main", 9)];
    check_functions(&base, &chain(10, &[("kit::outer", 12)]), [main, main]);
}

#[test]
fn copies_that_call_each_other_in_a_circle_are_told_apart() {
    let circle = |first: u8, second: u8, code: u8| -> Vec<Function> {
        let called: [&'static [(&'static str, u8)]; 2] = match first {
            1 => [&[("kit::turn", 2)], &[("kit::turn", 1)]],
            _ => [&[("kit::turn", 12)], &[("kit::turn", 11)]],
        };
        vec![("kit::turn", first, 1, called[0]), ("kit::turn", second, code, called[1])]
    };
    check_functions(&circle(1, 2, 1), &circle(11, 12, 1), [&[], &[]]);
    check_functions(&circle(1, 2, 2), &circle(11, 12, 2), [&[], &[]]);
    let (base, head): ([&[_]; 1], [&[_]; 1]) =
        ([&[("kit::turn", 1), ("kit::turn", 2)]], [&[("kit::turn", 11), ("kit::turn", 12)]]);
    check_functions(&circle(1, 2, 1), &circle(11, 12, 2), [base[0], head[0]]);
}

#[test]
fn a_symbol_that_both_programs_have_is_matched_with_itself_alone() {
    // A copy for another type is added, and is called instead of the old one.
    let base: [Function; 2] =
        [("kit::take", 1, 10, &[]), ("own::main", 3, 12, &[("kit::take", 1)])];
    let head: [Function; 3] = [
        ("kit::take", 1, 10, &[]),
        ("kit::take", 2, 10, &[]),
        ("own::main", 3, 12, &[("kit::take", 2)]),
    ];
    check_functions(&base, &head, [&[("own::main", 3)], &[("own::main", 3), ("kit::take", 2)]]);
}

#[test]
fn a_variable_is_matched_by_its_path_unless_another_has_the_same() {
    let with = |hash: u8, more: &[(&'static str, u8)]| {
        let called: &'static [_] =
            if hash == 1 { &[("kit::SEEN", 1)] } else { &[("kit::SEEN", 2)] };
        program(&[("own::main", 3, 12, called)], &[&[("kit::SEEN", hash)], more].concat())
    };
    check([&with(1, &[]), &with(2, &[])], [&[], &[]]);
    let main: &[_] = &[("own::main", 3)];
    check([&with(1, &[]), &with(2, &[("kit::SEEN", 4)])], [main, main]);
    let mut other = with(2, &[]);
    other.sections[0].name = other.sections[0].name.replace("SEEN", "DONE");
    check([&with(1, &[]), &other], [main, main]);
}

#[test]
fn newer_symbols_are_matched_without_the_hashes_of_their_crates() {
    let with = |hash: &str, code: u8| {
        let mut program = Program::default();
        let name = format!("_RNvCs{hash}_3kit4work");
        let mut own = section(format!(".text.{name}"), Kind::Code, code);
        own.functions.push(name);
        program.sections.push(own);
        program
    };
    check([&with("1x", 1), &with("2y", 1)], [&[], &[]]);
    let shapes = shapes([&with("1x", 1), &with("2y", 2)], [&[], &[]]).unwrap();
    let (found, names) = differing(&shapes).unwrap();
    assert_eq!(found.map(Vec::from_iter), [["_RNvCs1x_3kit4work"], ["_RNvCs2y_3kit4work"]]);
    assert_eq!(names, ["kit::work"]);
}

/// The constants of a codegen unit are in one section, in an order that depends on the symbols of its functions.
#[test]
fn a_constant_is_compared_by_its_content_wherever_it_is() {
    // A function that refers to a constant: the bytes of all constants, and where this constant begins.
    let with = |bytes: &[u8], offset: u64, is_exact: bool| {
        let mut program = program(&[("own::main", 3, 12, &[])], &[]);
        let place = program.sections.len();
        let mut constants = section(".rodata.cst2".to_owned(), Kind::Data, 0);
        constants.bytes = bytes.to_vec();
        constants.size = bytes.len() as u64;
        constants.entry = Some(2);
        program.sections.push(constants);
        let target = Target::Section { section: place, offset, name: None };
        let reference = Reference { offset: 0, kind: 2, addend: -4, is_exact, target };
        program.sections[0].references.push(reference);
        program
    };
    let main: &[_] = &[("own::main", 3)];
    let base = with(&[1, 2, 3, 4], 0, true);
    check([&base, &with(&[3, 4, 1, 2], 2, true)], [&[], &[]]);
    check([&base, &with(&[1, 2, 9, 9, 5, 6], 0, true)], [&[], &[]]);
    check([&base, &with(&[1, 2, 3, 4], 2, true)], [main, main]);
    check([&base, &with(&[1, 3, 3, 4], 0, true)], [main, main]);
    // A reference to another part of the same constant is a difference.
    check([&base, &with(&[1, 2, 3, 4], 1, true)], [main, main]);
    // A reference that leads out of the constant depends on the bytes beside it.
    let beside = |bytes: &[u8]| {
        let mut program = with(bytes, 0, true);
        program.sections[0].references[0].addend = 2;
        program
    };
    check([&beside(&[1, 2, 3, 4]), &beside(&[1, 2, 3, 5])], [main, main]);
    // A distance from the start of the section may lead to any constant.
    let start = with(&[1, 2, 3, 4], 0, false);
    check([&start, &with(&[1, 2, 3, 4], 0, false)], [&[], &[]]);
    check([&start, &with(&[1, 2, 3, 5], 0, false)], [main, main]);
}
