//! Two checks of the search for names. The first prints how much processor time it takes, in this repository and in a generated
//! one of 5000 files; it asserts nothing about time, which depends on the machine. The second asserts that this repository's
//! own budgets name none of its documents.
//! `docs/unchanged.md` has the figures, and the command that prints them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::changed::Tree;
use super::inputs::Inputs;
use super::listed;
use super::literals::without_tests;
use super::mentions::{Sources, is_source};
use super::walks;

#[test]
#[ignore = "it prints seconds, and holds nothing"]
fn the_search_for_names() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    time("this repository", own, files_in(own));
    let made = tempfile::tempdir().unwrap();
    time("a generated tree", made.path(), generate(made.path()));
}

/// Its own budgets walk through no directory and name no document and no script, whatever its libraries do for others. The
/// libraries have compiled in a file whose words are those of many scripts, such as `run`.
#[test]
fn the_documents_of_this_repository_are_no_part_of_its_own_budgets() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let tracked = files_in(own);
    let mut all = Sources::default();
    for path in tracked.iter().filter(|path| is_source(path)) {
        let text = || without_tests(&fs::read_to_string(own.join(path)).unwrap());
        if path.starts_with("src/") || path.starts_with("core/src/") {
            all.add_of_harness(path, &text());
        } else if path == "tests/budgets.rs" || path.starts_with("fixtures/local-first/src/") {
            all.add(path, &text());
        }
    }
    assert!(all.len() > 100 && all.has("read_dir"));
    let roots = ["", "core", "fixtures/local-first"].map(str::to_owned).into();
    let compiled = "core/schema/budgets.schema.json".to_owned();
    assert!(tracked.contains(&compiled) && tracked.contains(".ci/run"));
    let harness = BTreeSet::from([compiled]);
    let inputs = Inputs { paths: harness.clone(), harness, ..Inputs::default() };
    listed::add(&mut all, &Tree { tracked, ..Tree::default() }, &inputs, &roots, own);
    assert_eq!(walks::walker(&all, &["glob".to_owned()]), None);
    assert_eq!(all.naming_at_run_time("docs/unchanged.md", &roots), None);
}

/// Writes 2000 sources, each of which names files and directories, 500 lists that name one another, and 2500 documents and
/// data files. Returns their paths.
fn generate(top: &Path) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    let mut write = |path: String, text: &str| {
        let at = top.join(&path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, text).unwrap();
        files.insert(path);
    };
    for n in 0..2000 {
        let text = format!(
            "fn f{n}() {{\n    read(\"data/{}/input_{n}.json\");\n    format!(\"{{place}}/case_{}_{{n}}.txt\");\n    \
             panic!(\"the file {{name}} of src/part{} cannot be read: {{error}}\");\n    join(\"tests\").join(\"mod.rs\");\n}}\n",
            n % 50,
            n % 7,
            n % 40,
        );
        write(format!("crates/part{}/src/file{n}.rs", n % 40), &text);
    }
    for n in 0..500 {
        write(
            format!("lists/list_{n}.txt"),
            &format!("lists/list_{}.txt\ndocs/page_{n}.md\n", n + 1),
        );
    }
    for n in 0..2500 {
        let path = match n % 5 {
            0 => format!("docs/page_{n}.md"),
            1 => format!("data/{}/input_{n}.json", n % 50),
            2 => format!("crates/part{}/tests/case_{}_{n}.txt", n % 40, n % 7),
            3 => format!("assets/deep/and/deeper/image{n}.svg"),
            _ => format!("crates/part{}/README_{n}.md", n % 40),
        };
        write(path, "A page about [another](page_3.md), the size of which is 5.\n");
    }
    write("src/lib.rs".to_owned(), "read(\"lists/list_0.txt\");\n");
    files
}

/// Returns the files that git would track: none below a directory of built files, or of git's own.
fn files_in(top: &Path) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    let mut next = vec![top.to_owned()];
    while let Some(directory) = next.pop() {
        for entry in fs::read_dir(directory).unwrap().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                if name != "target" && name != ".git" {
                    next.push(path);
                }
            } else {
                files.insert(path.strip_prefix(top).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    files
}

/// Returns the seconds for which this thread has run.
fn processor_time() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e9
}

#[expect(clippy::print_stderr, reason = "the figures are the purpose of the test")]
fn time(what: &str, top: &Path, tracked: BTreeSet<String>) {
    let sources: Vec<(&String, String)> = tracked
        .iter()
        .filter(|path| is_source(path))
        .filter_map(|path| Some((path, fs::read_to_string(top.join(path)).ok()?)))
        .collect();
    let start = processor_time();
    let mut all = Sources::default();
    for (path, text) in &sources {
        all.add(path, text);
    }
    let words = processor_time() - start;
    let count = (sources.len(), tracked.len());
    let paths = tracked.iter().filter(|path| is_source(path)).cloned().collect();
    let inputs = Inputs { paths, ..Inputs::default() };
    let tree = Tree { tracked, ..Tree::default() };
    let roots = [String::new()].into();
    let start = processor_time();
    listed::add(&mut all, &tree, &inputs, &roots, top);
    let read = processor_time() - start;
    let start = processor_time();
    let is_named = |path: &&String| all.naming_at_run_time(path, &roots).is_some();
    let named = tree.tracked.iter().filter(is_named).count();
    let asked = processor_time() - start;
    eprintln!(
        "{what}: {} of {} files are sources. Their words: {words:.2} s. What is read: {read:.2} s. Each of all files asked \
         for: {asked:.2} s, of which {named} are named.",
        count.0, count.1
    );
}
