//! The list of the items that users of the library can name, as a text for people: an item that is added, removed or
//! changed shows in `public_items.txt`, which `UPDATE_SNAPSHOTS=1` writes.
//!
//! The list is made from the sources, because rustdoc's own list needs a nightly compiler. It follows each `pub mod`
//! and `pub use` from `src/lib.rs` to the definitions, and takes their methods and the traits that they implement
//! from all files. If it cannot follow something, the test fails.

mod item;
mod listing;
mod source;

use std::path::Path;
use std::{env, fs};

use listing::Listing;
use source::Source;

const EXPECTED: &str = "tests/it/public_items.txt";

fn library() -> Source {
    Source::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

/// Checks the list of a library that is this one file.
#[track_caller]
fn check(file: &str, expected: &str) {
    let listed = Listing::new(&Source::from_text(file)).to_string();
    let listed = listed.split_once("\n\n").map_or("", |(_, items)| items);
    assert_eq!(listed, expected, "{file}");
}

#[test]
fn the_list_of_public_items_is_up_to_date() {
    let listed = Listing::new(&library()).to_string();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(EXPECTED);
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &listed).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        listed, expected,
        "what users can name has changed: if it should, write {EXPECTED} again by UPDATE_SNAPSHOTS=1, and mention it in \
         CHANGELOG.md"
    );
}

/// A caller needs an example of each measuring method, and has to know when a function fails.
#[test]
fn every_public_function_is_explained() {
    let listing = Listing::new(&library());
    let undocumented = listing.undocumented();
    assert!(undocumented.is_empty(), "these lack something:\n  {}", undocumented.join("\n  "));
}

/// A hidden item is as public as one that is shown, but nobody reads its documentation. Only two kinds may be hidden: items
/// whose only purpose is that the compiler refuses them, and items behind the feature for these tests and for `adapters`.
#[test]
fn little_is_hidden_from_the_documentation() {
    let hidden: Vec<String> = library().files_with_hidden();
    assert_eq!(hidden, ["lib.rs", "run/benchmark.rs", "run/without_tokio.rs"]);
}

#[test]
fn what_users_share_between_threads_can_be_shared() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    shared::<perf_budget::Failed>();
    shared::<perf_budget::Harness>();
    shared::<perf_budget::Heap>();
    sent::<perf_budget::Run>();
}

#[test]
fn an_addition_of_every_kind_is_seen() {
    check("pub struct A { pub b: u8, c: u8 }", "pub struct A\n    pub b: u8\n");
    check("pub struct A(pub u8, u8);", "pub struct A\n    pub 0: u8\n");
    check("pub enum A { B, C(u8) }", "pub enum A\n    B\n    C(u8)\n");
    check("pub fn a() -> u8 { 1 }", "pub fn a() -> u8\n");
    check("pub const A: u8 = 1;", "pub const A: u8\n");
    check("pub type A = Vec<u8>;", "pub type A = Vec<u8>\n");
    check("pub trait A: B { fn c(&self) {} }", "pub trait A: B\n    fn c(&self)\n");
    check("fn a() {}\nstruct B;\npub(crate) struct C;", "");
    check(
        "#[derive(Debug, Clone)]\npub struct A;",
        "pub struct A\n    derive Clone\n    derive Debug\n",
    );
    check(
        "pub struct A;\nimpl A { pub fn b(&self) {}\nfn c() {} }",
        "pub struct A\n    pub fn b(&self)\n",
    );
    check("pub struct A;\nimpl From<u8> for A {}", "pub struct A\n    impl From<u8>\n");
    check("pub trait A {}\nimpl A for Vec<u8> {}", "pub trait A\n    for Vec<u8>\n");
    check(
        "pub trait A {}\nmacro_rules! m { ($t:ty) => { impl A for $t {} } }\nm!(u8);",
        "pub trait A\n    m!(u8)\n",
    );
    check("#[macro_export]\nmacro_rules! m { () => {} }", "macro_rules! m\n");
    check("#[non_exhaustive]\npub struct A;", "#[non_exhaustive] pub struct A\n");
}

#[test]
fn a_path_leads_to_its_definition() {
    check("mod a { pub struct B; }\npub use a::B;", "pub struct B\n");
    check("mod a { pub struct B; }\npub use a::B as C;", "pub struct C\n");
    check(
        "mod a { pub struct B; pub struct C; }\npub use crate::a::{B, C};",
        "pub struct B\npub struct C\n",
    );
    check("mod a { mod b { pub struct C; }\npub use b::C; }\npub use a::C;", "pub struct C\n");
    check("pub mod a { pub struct B; }", "pub mod a\npub struct a::B\n");
    check(
        "#[cfg(feature = \"f\")]\npub mod a { pub struct B; }",
        "pub mod a [f]\npub struct a::B [f]\n",
    );
    check("pub use other::B;", "pub use other::B\n");
    check("#[cfg(feature = \"internals\")]\npub mod a { pub struct B; }", "");
    check(
        "pub struct A;\nmod m { use super::A; impl A { pub fn b() {} } }",
        "pub struct A\n    pub fn b()\n",
    );
}
