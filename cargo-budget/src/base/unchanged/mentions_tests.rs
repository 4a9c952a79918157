//! Tests of the search for names of files in texts.

use std::collections::BTreeSet;

use super::mentions::Sources;

#[test]
fn a_path_is_named_by_its_end_or_by_a_directory() {
    let check = |code: &str, path: &str, want: bool| {
        let mut sources = Sources::default();
        sources.add("src/lib.rs", code);
        let roots = ["kit".to_owned()].into();
        assert_eq!(sources.naming(path, &roots).is_some(), want, "{code}: {path}");
    };
    check("read(\"README.md\")", "README.md", true);
    check("read(\"../docs/guide.md\")", "docs/guide.md", true);
    check("read_dir(\"docs\")", "docs/guide.md", true);
    check("format!(\"{root}/docs/{name}.md\")", "docs/guide.md", true);
    check("glob(\"docs/*.md\")", "docs/guide.md", true);
    check("// see \"docs\"\n    /// \"README.md\"", "docs/README.md", false);
    check("\"https://docs.rs/kit\"", "docs/guide.md", false);
    check("see README.md", "README.md", false);
    check("\"docs/other.md\"", "docs/guide.md", false);
    // A directory is reached from a root, from the place of the source, or through the directory that it is in.
    check("join(\"data\")", "kit/data/a.md", true);
    check("join(\"data\")", "src/data/a.md", true);
    check("join(\"data\")", "other/data/a.md", false);
    check("join(\"other/data\")", "other/data/a.md", true);
    check("join(\"other\\\\data\")", "other/data/a.md", true);
    check("join(\"other\").join(\"data\")", "other/data/a.md", true);
    check("join(\"another/data\")", "other/data/a.md", false);
    check("join(\"a.md\")", "other/data/a.md", true);
    // Only a part of the name is in the text.
    check("format!(\"corpus/doc_{n}.md\")", "corpus/doc_1.md", true);
    check("format!(\"corpus/doc_{n}.md\")", "corpus/in_1.md", false);
    check("format!(\"corpus/{}{}.md\", a, b)", "corpus/a1.md", true);
    check("format!(\"LICENSE-{k}\")", "LICENSE-MIT", true);
    check("\"LICENSE-\".to_owned() + kind", "LICENSE-MIT", true);
    check("Path::new(\"corpus/a\").with_extension(\"md\")", "corpus/a.md", true);
    check("path.with_extension(\"md\")", "README.md", true);
    check("path.with_extension(\"json\")", "README.md", false);
    check("format!(\"{p}.md\")", "README.md", true);
    check("name.to_owned() + \".md\"", "README.md", true);
    check("name.push_str(\".md\")", "README.md", true);
    check("name.ends_with(\".md\")", "README.md", false);
    // The name is in a longer text.
    check("sh(\"cat corpus/a.md | x\")", "corpus/a.md", true);
    check("args([\"-c\", \"wc -c corpus/*.md\"])", "corpus/a.md", true);
    check("arg(\"--in=docs/a.md\")", "docs/a.md", true);
    check("\"a.md\nb.md\n\".lines()", "corpus/b.md", true);
    check("printf(\"corpus/%s.md\")", "corpus/a.md", true);
    check("concat!(\"docs/\", \"a\")", "docs/guide.md", true);
    check("\"the docs are elsewhere\"", "docs/guide.md", false);
    check("run(\"sh\", \"ls docs\")", "docs/guide.md", true);
    check("\"see https://host/docs/guide.md for more\"", "docs/guide.md", false);
    // A feature is no path.
    check("#[cfg(feature = \"data\")]", "src/data/a.rs", false);
    check("cfg!(all(unix, feature = \"data\"))", "src/data/a.rs", false);
    check("let feature = \"data\";", "src/data/a.rs", true);
    // Nor is the name of a platform.
    check("#[cfg(target_os = \"data\")]", "src/data/a.rs", false);
    check("#[cfg(any(unix, target_family = \"data\"))]", "src/data/a.rs", false);
    check("#[cfg_attr(unix, path = \"data\")]", "src/data/a.rs", true);
    check("let target_os = \"data\";", "src/data/a.rs", true);
    check("r#\"corpus\"#", "corpus/a.md", true);
    // The letters are written by their numbers, or in the other case.
    check("read(\"\\u{64}ocs/\\x61.md\")", "docs/a.md", true);
    check("read(\"DOCS\".to_lowercase())", "docs/a.md", true);
    check("read_dir(\"docs\")", "Docs/a.md", true);
}

#[test]
fn a_list_names_the_files_in_it() {
    let check = |text: &str, path: &str, want: bool| {
        let mut sources = Sources::default();
        sources.add_text("cases.txt", text, &|name| path.split('/').any(|part| part == name));
        assert_eq!(sources.naming(path, &BTreeSet::new()).is_some(), want, "{text}: {path}");
    };
    check("corpus/a.md\n", "corpus/a.md", true);
    check("[book]\nsrc = \"docs\"\n", "docs/guide.md", true);
    check("{\"files\": [\"docs/guide.md\"]}", "docs/guide.md", true);
    check("docs\n", "docs/guide.md", true);
    check("docs_dir: docs\n", "docs/guide.md", true);
    check("dirs:\n  - docs\n", "docs/guide.md", true);
    check("CORPUS = 'docs'\n", "docs/guide.md", true);
    check("all of the docs\n", "docs/guide.md", false);
    check("other.md\n", "corpus/a.md", false);
}

#[test]
fn a_source_that_has_its_own_path_may_read_itself() {
    let mut sources = Sources::default();
    sources.add("src/lib.rs", "read(file!())");
    let roots = BTreeSet::new();
    assert_eq!(sources.naming_at_run_time("src/lib.rs", &roots), Some("src/lib.rs"));
    assert_eq!(sources.naming_at_run_time("src/other.rs", &roots), None);
}

#[test]
fn a_variable_is_read_when_the_program_runs() {
    let check = |code: &str, want: bool| {
        let mut sources = Sources::default();
        sources.add("src/lib.rs", code);
        assert_eq!(sources.reading_variable("OUT_DIR", &|_| false).is_some(), want, "{code}");
        assert_eq!(sources.reading_variable("OUT_DIR", &|_| true), None);
    };
    check("env::var(\"OUT_DIR\")", true);
    check("include!(concat!(env!(\"OUT_DIR\"), \"/x.rs\"))", false);
    check("option_env!( \"OUT_DIR\" )", false);
    check("// env::var(\"OUT_DIR\")", false);
}

#[test]
fn a_file_that_is_compiled_is_not_named_for_the_time_of_running() {
    let check = |code: &str, want: bool| {
        let mut sources = Sources::default();
        sources.add("src/lib.rs", code);
        let roots = BTreeSet::new();
        assert!(sources.naming("README.md", &roots).is_some());
        assert_eq!(sources.naming_at_run_time("README.md", &roots).is_some(), want, "{code}");
    };
    check("#![doc = include_str!(\"../README.md\")]", false);
    check("include_bytes! ( \"../README.md\" )", false);
    check("include_str!(\"../README.md\"); read(\"README.md\")", true);
    check("include_str!(concat!(\"..\", \"/README.md\"))", true);
    check("my_include!(\"README.md\")", true);
}
