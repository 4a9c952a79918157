//! Tests that a file is measured again wherever a program could come to read it, and that a change elsewhere needs no
//! measuring. One crate reads files in many ways; each file is changed alone and then put back.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;

use perf_budget_core::outcome::ComparisonMethod;
use perf_budget_core::verdict::Verdict;

use crate::Crate;
use crate::made::Made;

const TESTS: &str = r#"
fn main() -> std::process::ExitCode {
    perf_budget::Harness::new().workload("read", |run| run.record("bytes", named::all())).main()
}
"#;

/// The limit cannot be broken: what is tested is whether it is measured.
const BUDGETS: &str = "[budget.read]\nworkload = \"read\"\nmax = { bytes = \"1000 x base\" }\n";

const LIBRARY: &str = r#"//! Reads documents, each in another way.

use std::path::Path;
use std::{env, fs};

/// All that is in the directory is read.
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus");

/// The bytes of all files.
pub fn all() -> f64 {
    let of = |path: &dyn AsRef<Path>| fs::read(path).map_or(0, |bytes| bytes.len());
    let by_directory = |name: &str| of(&format!("{}/data/{name}.md", env!("CARGO_MANIFEST_DIR")));
    let given = |name: &str| env::var(name).unwrap();
    let listed = fs::read_dir(CORPUS).unwrap().map(|entry| of(&entry.unwrap().path()));
    let read = [
        by_directory("one"),
        of(&"\u{6e}otes.md"),
        of(&"le\x74ters.md"),
        of(&"SMALL.MD".to_lowercase()),
        of(&given("NAMED_TEXT")),
        of(&format!("{}/first.md", given("NAMED_TEXTS"))),
        of(&"linked.json"),
        (1..3).map(|n| of(&format!("pages/{n}.md"))).sum(),
        include_str!("../included.md").len(),
        std::process::Command::new("cat").arg("listing.md").output().unwrap().stdout.len(),
    ];
    read.into_iter().chain(listed).sum::<usize>() as f64
}
"#;

/// A comment with an apostrophe, which is no quotation mark in TOML.
const CONFIGURATION: &str = "# It isn't read by cargo.\n[env]\nNAMED_TEXT = 'words/first.md'\n\
                             NAMED_TEXTS = { value = \"strings\", relative = true }\n";

/// The documents that are read.
const DOCUMENTS: [&str; 12] = [
    "data/one.md",
    "corpus/a.md",
    "notes.md",
    "letters.md",
    "small.md",
    "words/first.md",
    "strings/first.md",
    "texts/linked.md",
    "texts/1.md",
    "texts/2.md",
    "included.md",
    "listing.md",
];

struct Named(Crate);

impl Named {
    fn new() -> Named {
        let made = Crate(Made::new("named", TESTS, BUDGETS));
        let write = |name: &str, text: &str| made.0.write(name, text);
        write(".gitignore", "target\nresults\n");
        write("src/lib.rs", LIBRARY);
        write(".cargo/config.toml", CONFIGURATION);
        for name in DOCUMENTS.into_iter().chain(["GUIDE.md", "unread/one.md"]) {
            write(name, "some words\n");
        }
        symlink("texts/linked.md", made.0.path("linked.json")).unwrap();
        symlink("texts", made.0.path("pages")).unwrap();
        made.commit_beside_another_package();
        Named(made)
    }

    /// Compares with HEAD, checks whether anything was measured, and puts everything back.
    #[track_caller]
    fn check(&self, what: &str, by: Option<ComparisonMethod>) {
        let run = self.0.check(&["--base", "HEAD"]);
        run.is(0, &[]).verdict("read::bytes::x_base", Verdict::Pass);
        let got = run.outcomes[0].proven.as_ref().map(|proven| proven.by);
        assert_eq!(got, by, "{what}: {}", run.text);
        self.0.git(&["reset", "-q", "--hard", "HEAD"]);
        self.0.git(&["clean", "-q", "-fd", "-e", "results"]);
    }

    /// Checks that a file is measured where its text changes, and where it is deleted.
    #[track_caller]
    fn is_read(&self, name: &str) {
        self.0.0.write(name, "other words, and more\n");
        self.check(name, None);
        // What is compiled in has to be there.
        if name != "included.md" {
            fs::remove_file(self.0.0.path(name)).unwrap();
            self.check(&format!("{name}, deleted"), None);
        }
    }
}

#[test]
fn a_file_is_measured_however_a_program_comes_to_read_it() {
    let made = Named::new();
    made.check("nothing", Some(ComparisonMethod::Files));
    for name in ["GUIDE.md", "unread/one.md", "unread/two.md", "other/src/lib.rs"] {
        made.0.0.write(name, "// Something else.\n");
        made.check(name, Some(ComparisonMethod::Files));
    }
    for name in DOCUMENTS {
        made.is_read(name);
    }
    // A file that is added where one is listed, and where a link leads.
    for name in ["corpus/b.md", "texts/3.md"] {
        made.0.0.write(name, "more words\n");
        made.check(name, None);
    }
    // A link that leads elsewhere.
    for (link, target) in [("linked.json", "texts/1.md"), ("pages", "unread")] {
        fs::remove_file(made.0.0.path(link)).unwrap();
        symlink(target, made.0.0.path(link)).unwrap();
        made.check(link, None);
    }
    // The whole directory that a link leads to is gone.
    fs::remove_dir_all(made.0.0.path("texts")).unwrap();
    made.check("texts", None);
}
