//! The search for sources that walk through directories, starting from the top of a package. Such a source may read any
//! file without containing its name.

use super::mentions::Sources;
use super::words::OF_TEXTS;

/// The words by which a source is known to list the files of a directory.
const LISTS: [&str; 8] =
    ["read_dir", "WalkDir", "walkdir", "WalkBuilder", "glob(", "globwalk", "jwalk", "ls-files"];
/// The libraries that list files for their users. `glob` is not among them, because the harness has it for the patterns of
/// files in `budgets.toml`.
const LISTERS: [&str; 7] =
    ["walkdir", "ignore", "jwalk", "globwalk", "wax", "rust_embed_impl", "include_dir_macros"];
/// The ways in which a source gets a directory: the variables with the directory of a package, the function that returns the
/// current directory, and the path of the source itself.
const PLACES: [&str; 4] = ["CARGO_MANIFEST_DIR", "CARGO_WORKSPACE_DIR", "current_dir()", "file!()"];
/// The paths of a directory and of those above it, as texts.
const DOTS: [&str; 12] = [
    "\".\"",
    "\"./\"",
    "\"..\"",
    "\"../\"",
    "\"../..\"",
    "\"../../\"",
    "\"./..\"",
    "../..\"",
    "../../\"",
    "\"*",
    "\"./*",
    "\"../*",
];

/// Returns the source from which all files of a package, or of the directory in which a program runs, may be found by
/// listing them. `libraries` are the crates of the build.
pub(super) fn walker<'s>(sources: &'s Sources, libraries: &[String]) -> Option<&'s str> {
    // A script that is started may list files with the words of its own language.
    if let Some(script) = sources.script() {
        return Some(script);
    }
    // Criterion uses `walkdir` to find its own records.
    let has = |name: &str| libraries.iter().any(|library| library == name);
    let lists = LISTERS.iter().any(|name| has(name) && !(*name == "walkdir" && has("criterion")))
        || LISTS.iter().any(|word| sources.has(word));
    if !lists {
        return None;
    }
    // The directory may be named in one source and listed in another.
    sources.find(&|code| DOTS.iter().any(|dots| is_start(code, dots)) || begins_at_place(code))
}

/// Whether a source uses a text such as `"."` as a path, and not only as the argument of a method on texts.
fn is_start(code: &str, dots: &str) -> bool {
    code.match_indices(dots).any(|(at, _)| {
        let called = code[..at].trim_end().strip_suffix('(').unwrap_or_default();
        !OF_TEXTS
            .iter()
            .any(|method| called.strip_suffix(method).is_some_and(|before| before.ends_with('.')))
    })
}

/// Whether a source uses the directory of a package by itself, and not only to name something in it.
fn begins_at_place(code: &str) -> bool {
    PLACES.iter().any(|place| {
        code.match_indices(place).any(|(at, _)| {
            let after = code[at + place.len()..]
                .trim_start_matches(|c: char| c.is_whitespace() || "\")?".contains(c));
            let after = after.strip_prefix(".unwrap()").unwrap_or(after);
            let after = after.trim_start_matches(|c: char| c.is_whitespace() || c == ')');
            // `.join("data")`, or the next part of `concat!`.
            let joined = after.strip_prefix(".join(").or_else(|| after.strip_prefix(','));
            let part = joined.and_then(|joined| joined.trim_start().strip_prefix('"'));
            !part.or_else(|| filled_in(&code[..at])).is_some_and(begins_with_name)
        })
    })
}

/// Whether a part of a path begins with a name.
fn begins_with_name(part: &str) -> bool {
    let part = part.trim_start_matches(['/', '\\']);
    part.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// Returns what follows the place in the text that it is filled into: `data/{name}.md` for the code
/// `format!("{}/data/{name}.md", env!("…`. `before` is the code before the place.
fn filled_in(before: &str) -> Option<&str> {
    let before = before.trim_end_matches('"').trim_end();
    let called = before.strip_suffix("env!(").or_else(|| before.strip_suffix("env::var("))?;
    let called = called.trim_end_matches("option_").trim_end_matches("std::").trim_end();
    let text = called.strip_suffix(',')?.trim_end().strip_suffix('"')?;
    let (_, text) = text.rsplit_once('"')?;
    text.strip_prefix("{}/")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_source_that_walks_from_the_top_may_find_any_file() {
        let check = |code: &str, want: bool| {
            let mut sources = Sources::default();
            sources.add("src/lib.rs", code);
            assert_eq!(walker(&sources, &[]).is_some(), want, "{code}");
        };
        check("read_dir(\".\")", true);
        check("WalkDir::new(\"..\")", true);
        check("read_dir(\"../../..\")", true);
        check("glob(\"**/*.md\")", true);
        check("glob(\"*.md\")", true);
        check("glob(\"../*\")", true);
        check("read_dir(Path::new(file!()).parent().unwrap())", true);
        check("read_dir(env!(\"CARGO_MANIFEST_DIR\"))", true);
        check("read_dir(std::env::var(\"CARGO_MANIFEST_DIR\").unwrap())", true);
        check("let top = Path::new(env!(\"CARGO_MANIFEST_DIR\")); read_dir(top)", true);
        check("read_dir(Path::new(env!(\"CARGO_MANIFEST_DIR\")).join(\"..\"))", true);
        check("read_dir(env::current_dir()?)", true);
        // These name a part of a package, which the search for names finds.
        check("read_dir(\"data\")", false);
        check("read_dir(Path::new(env!(\"CARGO_MANIFEST_DIR\")).join(\"data\"))", false);
        check("read_dir(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/data\"))", false);
        let data = "read_dir(x); format!(\"{}/data/{name}.md\", env!(\"CARGO_MANIFEST_DIR\"))";
        check(data, false);
        check(&format!("{data}; read(\"\\x6e.md\")"), false);
        check(&data.replace("{}/data", "{}/{name}"), true);
        check(&data.replace("{}/data", "{}{name}"), true);
        check("read_dir(\"data\"); name.split(\".\")", false);
        check("read(\".\")", false);
    }

    #[test]
    fn the_directory_may_be_listed_elsewhere() {
        let mut sources = Sources::default();
        sources.add("benches/b.rs", "count(\".\")");
        assert_eq!(walker(&sources, &[]), None);
        let with = ["walkdir", "criterion"].map(str::to_owned);
        assert_eq!(walker(&sources, &with[..1]), Some("benches/b.rs"));
        assert_eq!(walker(&sources, &with), None);
        sources.add("src/lib.rs", "fs::read_dir(place)");
        assert_eq!(walker(&sources, &[]), Some("benches/b.rs"));
    }

    /// The harness has functions that list files. A workload may call them, and then it names the directory.
    #[test]
    fn the_harness_lists_only_what_it_is_given() {
        let mut sources = Sources::default();
        sources.add_of_harness("src/files.rs", "read_dir(\".\"); read(\"docs/a.md\")");
        assert_eq!(walker(&sources, &[]), None);
        assert_eq!(sources.naming("docs/a.md", &BTreeSet::default()), None);
        sources.add("tests/budgets.rs", "find(\".\")");
        assert_eq!(walker(&sources, &[]), Some("tests/budgets.rs"));
    }

    #[test]
    fn a_text_that_is_only_read_lists_no_files_but_a_script_may() {
        let mut sources = Sources::default();
        sources.add_text("README.md", "read_dir(\".\")", &|_| true);
        assert_eq!(walker(&sources, &[]), None);
        sources.add_text("ci/list.sh", "ls", &|_| true);
        assert_eq!(walker(&sources, &[]), Some("ci/list.sh"));
    }
}
