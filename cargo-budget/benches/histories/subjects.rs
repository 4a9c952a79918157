//! The workload for each crate, which becomes the crate's test `budgets`.

/// A crate with a history, and a workload that uses it.
pub(super) struct Subject {
    /// The name of the package at the top of the repository.
    pub(super) name: &'static str,
    /// The statements of the workload. The last one is an expression.
    work: &'static str,
}

/// This library is in the list as its users have it: a change of the library changes every test binary. Its workload
/// reads a file of budgets.
pub(super) const ALL: [Subject; 9] = [
    Subject {
        name: "serde_json",
        work: r##"
    let text = r#"{"a":[1,2.5,-3e7,"text \u00e9"],"b":{"c":null,"d":true}}"#;
    let value: serde_json::Value = serde_json::from_str(black_box(text)).unwrap();
    serde_json::to_string(&value).unwrap().len() + serde_json::to_string_pretty(&value).unwrap().len()
"##,
    },
    Subject {
        name: "hashbrown",
        work: r"
    let mut map = hashbrown::HashMap::new();
    for n in 0..black_box(1000_usize) {
        *map.entry(n % 700).or_insert(n) += n;
    }
    map.retain(|key, _| key % 3 != 0);
    let sum: usize = map.values().sum();
    sum + map.remove(&7).unwrap_or(0) + map.get(&8).copied().unwrap_or(0)
",
    },
    Subject {
        name: "httparse",
        work: r#"
    let text = b"GET /search?q=budget HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\nCookie: a=1; b=2\r\n\r\n";
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut request = httparse::Request::new(&mut headers);
    let parsed = request.parse(black_box(text)).unwrap().unwrap();
    let chunk = httparse::parse_chunk_size(black_box(b"1fA2;name\r\n")).unwrap().unwrap();
    parsed + request.headers.len() + chunk.0
"#,
    },
    Subject {
        name: "smallvec",
        work: r"
    let mut list = smallvec::SmallVec::<u64, 8>::new();
    for n in 0..black_box(100_u64) {
        list.push(n * n);
    }
    list.retain(|n| *n % 3 != 0);
    list.insert(1, 7);
    list.drain(2..5);
    list.iter().sum::<u64>() as usize
",
    },
    Subject {
        name: "memchr",
        work: r#"
    let text = [b"a budget sets a limit on a metric of a subject; ".as_slice(), &[b'x'; 300], b"needle"].concat();
    let text = black_box(text.as_slice());
    memchr::memchr_iter(b't', text).count()
        + memchr::memrchr(b'b', text).unwrap_or(0)
        + memchr::memmem::find(text, black_box(b"needle")).unwrap_or(0)
"#,
    },
    Subject {
        name: "itoa",
        work: r"
    let mut buffer = itoa::Buffer::new();
    let mut digits = 0;
    for n in 0..black_box(50_u32) {
        digits += buffer.format(n * 7919).len() + buffer.format(i64::from(n) * -90_000_000_007).len();
    }
    digits + buffer.format(black_box(u128::MAX / 3)).len()
",
    },
    Subject {
        name: "hex",
        work: r#"
    let text = hex::encode(black_box(b"a budget sets a limit on a metric of a subject"));
    let mut bytes = [0; 4];
    hex::decode_to_slice(black_box("c0ffee07"), &mut bytes).unwrap();
    hex::decode(&text).unwrap().len() + usize::from(bytes[0])
"#,
    },
    Subject {
        name: "semver",
        work: r#"
    let version = semver::Version::parse(black_box("1.10.3-rc.2+build.77")).unwrap();
    let wanted = semver::VersionReq::parse(black_box(">=1.2.3, <2.0.0, ~1.10")).unwrap();
    let later = semver::Version::parse(black_box("1.10.4")).unwrap();
    version.to_string().len() + usize::from(wanted.matches(&later)) + usize::from(version < later)
"#,
    },
    Subject {
        name: "perf-budget",
        work: r#"
    let text = "[budget.work]\nworkload = \"work\"\nparams.size = [1, 10, 100]\nmax = { p99 = \"5 ms\", allocs = 7 }\n";
    let read = perf_budget_core::budget::parse(black_box(text), std::path::Path::new("budgets.toml"));
    read.unwrap().budgets.len()
"#,
    },
];

/// The function that the workload runs. Its name is kept, so that callgrind can count what happens in it.
pub(super) const FUNCTION: &str = "budgeted_work";
/// The variable with which the test calls the function and does nothing else.
pub(super) const CALLS: &str = "BUDGETED_CALLS";

impl Subject {
    /// Returns the source of the test.
    pub(super) fn source(&self) -> String {
        let work = self.work;
        format!(
            "#![allow(unsafe_code)]\n\nuse std::hint::black_box;\n\n\
             #[unsafe(no_mangle)]\n#[inline(never)]\npub extern \"C\" fn {FUNCTION}() -> usize {{{work}}}\n\n\
             fn main() -> std::process::ExitCode {{\n    \
                 if let Ok(calls) = std::env::var(\"{CALLS}\") {{\n        \
                     for _ in 0..calls.parse().unwrap() {{\n            black_box({FUNCTION}());\n        }}\n        \
                     return std::process::ExitCode::SUCCESS;\n    }}\n    \
                 perf_budget::Harness::new().workload(\"work\", |run| run.iter(|| {FUNCTION}())).main()\n}}\n"
        )
    }
}
