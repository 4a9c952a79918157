//! The crates with their versions, and the package that measures them.

use std::fmt::Write as _;
use std::path::Path;

/// A crate of which the newer version is slower.
pub(crate) struct Crate {
    pub(crate) name: &'static str,
    /// The older and the newer version.
    pub(crate) versions: [&'static str; 2],
    /// The text that follows the version in `Cargo.toml`.
    features: &'static str,
    pub(crate) works: &'static [Work],
}

/// The operation that is measured of a crate.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    /// The operation.
    code: &'static str,
    /// A part of the name of the function that got worse.
    pub(crate) guilty: &'static str,
}

pub(crate) const CRATES: &[Crate] = &[
    Crate {
        name: "time",
        versions: ["0.3.41", "0.3.42"],
        features: ", features = [\"formatting\", \"macros\"]",
        works: &[
            Work {
                name: "rfc3339",
                code: "let at = black_box(time::macros::datetime!(2026-11-29 10:11:12.345 UTC));\n\
                       black_box(at.format(&time::format_description::well_known::Rfc3339).unwrap());",
                guilty: "time::format",
            },
            Work {
                name: "custom",
                code: "let at = black_box(time::macros::datetime!(2026-11-29 10:11:12.345 UTC));\n\
                       let how = time::macros::format_description!(\"[year]-[month]-[day] [hour]:[minute]:[second].[subsecond]\");\n\
                       black_box(at.format(&how).unwrap());",
                guilty: "time::format",
            },
        ],
    },
    Crate {
        name: "jiff",
        versions: ["0.2.13", "0.2.14"],
        features: "",
        works: &[Work {
            name: "parse",
            code: "let at: jiff::Zoned = black_box(\"2026-11-29T10:11:12[Europe/Paris]\").parse().unwrap();\n\
                   black_box(at);",
            guilty: "jiff::",
        }],
    },
    Crate {
        name: "arrayvec",
        versions: ["0.6.0", "0.6.1"],
        features: "",
        works: &[
            Work {
                name: "new",
                code: "black_box(arrayvec::ArrayVec::<u64, 256>::new());",
                guilty: "memset",
            },
            Work {
                name: "push",
                code: "let mut all = arrayvec::ArrayVec::<u64, 256>::new();\n\
                       for n in 0..256_u64 { all.push(black_box(n)); }\n\
                       black_box(&all);",
                guilty: "memset",
            },
        ],
    },
    Crate {
        name: "unicode-width",
        versions: ["0.1.12", "0.1.13"],
        features: "",
        works: &[
            Work {
                name: "ascii",
                code: "use unicode_width::UnicodeWidthStr as _;\n\
                       black_box(black_box(\"the quick brown fox jumps over the lazy dog, again and again\").width());",
                guilty: "unicode_width::str_width",
            },
            Work {
                name: "mixed",
                code: "use unicode_width::UnicodeWidthStr as _;\n\
                       black_box(black_box(\"le cœur déçu mais l'âme plutôt naïve, 你好世界 и ещё раз\").width());",
                guilty: "unicode_width::str_width",
            },
        ],
    },
];

/// Writes the package with one version of each crate.
pub(crate) fn write(root: &Path, version: fn(&Crate) -> &'static str) {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let library = library.canonicalize().expect("the library is here");
    let mut manifest = "[workspace]\n\n[package]\nname = \"measured\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
                        [lib]\npath = \"lib.rs\"\n\n[[test]]\nname = \"budgets\"\nharness = false\n\n[dev-dependencies]\n"
        .to_owned();
    let _ = writeln!(
        manifest,
        "perf-budget = {{ path = {:?}, default-features = false }}",
        library.to_str().expect("the path is UTF-8")
    );
    let (mut functions, mut workloads, mut budgets) = (String::new(), String::new(), String::new());
    for krate in CRATES {
        let _ = writeln!(
            manifest,
            "{} = {{ version = \"={}\"{} }}",
            krate.name,
            version(krate),
            krate.features
        );
        for Work { name, code, .. } in krate.works {
            let _ = writeln!(functions, "#[inline(never)]\nfn {name}() {{\n{code}\n}}");
            let _ = writeln!(workloads, ".workload({name:?}, |run| run.iter({name}))");
            let _ = writeln!(
                budgets,
                "[budget.{name}]\nworkload = {name:?}\nmax = {{ instructions = \"1.001 x base\", allocs = \"1 x base\" }}"
            );
        }
    }
    let tests = format!(
        "use std::hint::black_box;\n\n#[global_allocator]\n\
         static HEAP: perf_budget::Heap = perf_budget::Heap::system();\n\n{functions}\nfn main() -> std::process::ExitCode {{\n\
         perf_budget::Harness::new()\n{workloads}.main()\n}}\n"
    );
    for (name, text) in [
        ("Cargo.toml", manifest.as_str()),
        ("lib.rs", ""),
        ("tests/budgets.rs", &tests),
        ("budgets.toml", &budgets),
    ] {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().expect("a file has a directory"))
            .expect("the target directory can be written");
        std::fs::write(path, text).expect("the target directory can be written");
    }
}
