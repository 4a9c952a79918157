//! Every message about a mistake in a file, in one committed text that people can read.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{environments, locks, reading, repository, snapshot};
use crate::budget::Param;
use crate::budget::parse::case::{self, Parameter};

/// Texts under `[budget.a]` with a workload.
const WORKLOAD: &[&str] = &[
    // words
    "max = { P99 = \"1 ms\" }",
    "max = { gzip = \"1 KB\", wall_p50 = \"1 s\" }",
    "max = { p75 = \"1 ms\", p42 = \"1 ms\", scaling = 1.1 }",
    "max = { allocations = 3, latency = \"1 ms\", median = \"1 ms\" }\nmin.qps = \"3 op/s\"",
    "max = { \"Überlauf\" = 3 }",
    "worklod = \"b\"\nmax = { p99 = \"1 ms\" }",
    "p99 = \"1 ms\"",
    "waive = \"later\"\nmax = { p99 = \"1 ms\" }",
    "waive = {}\nmax = { p99 = \"1 ms\" }",
    "waive = { until = \"soon\", owner = \"\", why = 3, who = \"ann\" }\nmax = { p99 = \"1 ms\" }",
    "waive = { until = 3, owner = \"ann\", why = \"b\" }\nmax = { p99 = \"1 ms\" }",
    "max = { p99 = { limit = \"1 ms\", waive = { until = 2027-02-29, owner = \"ann\", why = \"b\" } } }",
    // what the workload records itself
    "unit = { median = \"ms\", p99 = \"ms\", Deep = \"ms\", depth = 3, lag = \"parsec\", age = \"3\", scaling_rss = \"number\" }\nmax.median = 3",
    "unit = {}\nmax.depth = 3",
    "unit = { depth = \"number\", rest = \"KB\" }\nmax.depth = \"3 ms\"",
    // quantities
    "max = { p99 = 10 }",
    "max = { p99 = \"10\", rss = 50 }",
    "max = { p99 = \"10 KB\", throughput = 3 }",
    "max = { p99 = \"10 MS\", rss = \"10 parsecs\" }",
    "max = { p99 = \"soon\", p50 = true, allocs = \"3 ms\", error_rate = 0.1 }",
    "min = { throughput = \"10 ms\" }",
    "max = { p99 = [], p50 = [[\"1 ms\"]] }",
    "max = { p99 = 99999999999999999999, drift = nan }",
    "max = { p99 = \"-1 ms\", p50 = \"0 s\", error_rate = \"100 %\" }\nmin.utilization = \"0 %\"",
    "max = 10",
    "max = { p99 = 1979-05-27 }",
    // sides
    "max = { throughput = \"1000 op/s\" }",
    "min = { p99 = \"1 ms\", allocs = 3 }",
    "min = { p99 = \"2 ms\" }\nmax = { p99 = \"1 ms\" }",
    "min = { drift = \"2 ms\" }\nmax = { drift = \"1 KB\" }",
    "max = { p99 = [\"1 ms\", \"2 ms\", \"1.1 x base\", \"1.2 x base\"] }",
    // the long form
    "max = { p99 = {} }",
    "max = { p99 = { lmit = \"1 ms\" } }",
    "max = { p99 = { limit = \"1 ms\", warn = \"2 ms\", why = 3 } }",
    "min = { throughput = { limit = \"9 op/s\", warn = \"8 op/s\" } }",
    "max = { drift = { limit = \"1 ms\", warn = \"2 KB\" } }",
    "max = { p99 = { limit = \"1.1 x base\", warn = \"2 ms\" } }",
    // by the values of a parameter
    "params.n = [1, 200]\nmax.p99 = { n = { 1 = \"1 ms\", 2 = \"2 ms\" } }",
    "params.n = [1, 200]\nmax.p99.n = { 1 = \"1 ms\" }",
    "params.n = [1, 200]\nmax.p99 = { n = { 1 = \"1 ms\", 2_00 = \"2 ms\", 200 = \"3 ms\", _ = \"1 s\" } }",
    "params.n = [1, 200]\nmax.p99 = { n = \"1 ms\", m = \"2 ms\" }",
    "params.n = [1, 200]\nmax.p99 = [\"1 ms\", { n = { _ = \"2 ms\" } }]",
    "params.n = [1, 200]\nmax.p99 = { n = { 1 = \"1 KB\", _ = { n = { 200 = \"1 ms\" } } } }",
    "params.n = [1, 2]\nmin.p99.n = { 1 = \"2 ms\", 2 = \"2 ms\" }\nmax.p99.n = { 1 = \"1 ms\", 2 = \"3 ms\" }",
    "params = { n = [0.5, 2], kind = [\"a b\", \"c\"] }\nmax.p99.kind = { c = \"1 ms\" }",
    "max.p99 = { n = { 1 = \"1 ms\", big = \"2 ms\", _ = \"1 s\" } }",
    "params.size = [1, 200]\nmax.p99 = [\"1 ms\", { sise = { 1 = \"1 ms\" } }]\nmax.p50.m = { 1 = \"1 ms\" }",
    // references
    "max = { p99 = \"base x 1.5\", p50 = \"105 % x base\", p90 = \"0 x base\", p95 = \"1 x bse\" }",
    "max = { p99 = \"1 x a\" }",
    "max = { p99 = \"1 x b\" }\n[budget.b]\nartifact = \"b\"\nmax.size = \"1 KB\"",
    "max = { p99 = \"1 x b\" }\n[budget.b]\nworkload = \"b\"\nparams.n = [1, 2]\nmax.p99 = \"1 s\"",
    // parameters
    "params = 3\nmax.p99 = \"1 s\"",
    "params = { n = [], m = [1, 1], s = [\"a::b\", \"a,b\", \"\"], \"x=y\" = 1 }\nmax.p99 = \"1 s\"",
    "params = { n = [[1]], m = inf, k = 0xffffffffffffffffff }\nmax.p99 = \"1 s\"",
    // scaling
    "scaling = { over = \"n\" }",
    "params.n = [1, 2]\nscaling = { over = \"n\", max = { rss = 1.1 } }",
    "params.num = [1, 2, 3]\nscaling = { over = \"nun\", max = { rss = \"1 x base\", throughput = 1 } }",
    "params.n = [1, 2, 3]\nscaling = { over = \"n\", max = {} }",
    "params.n = [1, 2, 3]\nscaling = { over = \"n\", max = { rss = \"1 KB\", heap = [1] } }",
    // load
    "load = 3\nmax.p99 = \"1 s\"",
    "load = {}\nmax.p99 = \"1 s\"",
    "load = { shape = \"constnt\", rate = 1000, rat = 1 }\nmax.p99 = \"1 s\"",
    "load = { shape = \"constant\", rate = \"0 op/s\", every = \"1 s\" }\nmax.p99 = \"1 s\"",
    "load = { shape = \"poisson\", rate = \"10 ms\", concurrency = 0 }\nmax.p99 = \"1 s\"",
    "load = { shape = \"constant\", rate = \"many\" }\nmax.p99 = \"1 s\"",
    "load = { shape = \"ramp\", rate = \"10 op/s\" }\nmax.p99 = \"1 s\"",
    "load = { shape = \"ramp\", rate = \"10 op/s\", peak = \"9 op/s\", every = \"1 s\" }\nmax.p99 = \"1 s\"",
    "load = { shape = \"spike\", rate = \"10 op/s\", peak = \"20 op/s\", every = \"1 s\" }\nmax.p99 = \"1 s\"",
    "load = { shape = \"spike\", rate = \"10 op/s\", peak = \"20 op/s\", every = \"1 s\", width = \"1 s\" }\nmax.p99 = \"1 s\"",
    "load = { shape = \"burst\", rate = \"10 op/s\", every = \"100 ms\" }\nmax.p99 = \"1 s\"",
    "load = { shape = \"burst\", rate = \"10 op/s\", every = \"2 min\" }\nmax.p99 = \"1 s\"",
    "load = { shape = \"constant\", rate = \"10 op/s\" }\nmax = { p99 = \"1 s\", cpu = \"1 ms\", allocs = 3 }",
    "load = { shape = \"constant\", rate = \"10 op/s\" }\nparams.n = [1, 2, 3]\nscaling = { over = \"n\", max = { rss = 1 } }",
    // what is not there, or not for a workload
    "why = \"no limit\"",
    "max = {}",
    "ready.port = 1\nenv.A = \"b\"\nmax.p99 = \"1 s\"",
    "effort = 3\ntimeout = \"0 s\"\nwhy = \" \"\nmax.p99 = \"1 s\"",
    "effort = \"3 KB\"\ntimeout = \"1e99 h\"\nmax.p99 = \"1 s\"",
    "effort = true\ntimeout = \"soon\"\nmax.p99 = \"1 s\"",
    "effort = \"3\"\nmax.p99 = \"1 s\"",
];

/// Texts under `[budget.a]` with a command.
const COMMAND: &[&str] = &[
    "max = { p99 = \"1 ms\", gzip = \"1 KB\", walls = \"1 s\" }",
    "max = { exit = 300, wall_p50 = \"1 s\" }",
    "max = { exit = \"1 x base\" }",
    "max = { wall_p95 = \"1.1 x base\", startup_mean = [\"1 s\", \"2 x b\"], wall_max = \"1.1 x lock\" }",
    "ready = \"stdout\"\nmax.exit = 0",
    "ready = {}\nmax.exit = 0",
    "ready = { stdout = \"a\", port = 1 }\nmax.exit = 0",
    "ready = { stdot = \"a\" }\nmax.exit = 0",
    "ready = { port = 0 }\nmax.exit = 0",
    "ready = { port = \"80\" }\nmax.exit = 0",
    "ready = { reported = \"two words\" }\nmax.exit = 0",
    "cwd = 3\nstdin = \"\"\nprepare = \"rm -r out\"\ncleanup = []\nmemory = 512\nprocessors = 0\nmax.exit = 0",
    "cache = \"cold\"\nenv = { \"A=B\" = \"c\", D = 1 }\nmax.exit = 0",
    "cache = \"evictd\"\nmax.exit = 0",
    "cache = 1\nenv = 1\nmax.exit = 0",
    "params.n = [1, 2]\nmax.exit = 0",
    // how it is built
    "features = [\"tls\"]\nprofile = \"dist\"\nwasm-opt = [\"-Oz\"]\nbuild_timeout = \"5 min\"\nmax.exit = 0",
    "env.A = \"{bin:a}\"\nfeatures = [\"a,b\"]\nprofile = \"--dist\"\nwasm-opt = [\"-Oz\"]\nmax.exit = 0",
    "env.A = \"{wasm:a}\"\nfeatures = \"tls\"\nprofile = 3\nwasm-opt = \"-Oz\"\nbuild = \"make all\"\nmax.exit = 0",
    "build = []\nwasm_opt = [\"-Oz\"]\nbuild_timeout = \"0 s\"\nmax.exit = 0",
    "params.n = [1, 2, 3]\nenv.N = \"{n}\"\nscaling = { over = \"n\", max = { exit = 1 } }",
];

/// Texts under `[budget.a]` with a Criterion benchmark.
const CRITERION: &[&str] = &[
    "max = { p99 = \"1 ms\", rss = \"1 MB\", meen = \"1 ms\", median = \"1 ms\" }",
    "max = { mean = \"1.05 x all\" }\nbuild = [\"make\"]\n[budget.all]\ncriterion = \"*\"\nmax.mean = \"1 s\"",
];

/// Texts under `[budget.a]` with what Criterion recorded.
const RECORD: &[&str] = &[
    "max = { mean = \"1.05 x base\" }\nmin = { throughput = \"2 x b\" }",
    "params.n = [1, 2, 3]\nscaling = { over = \"n\", max = { mean = 1 } }\neffort = \"1 s\"\nmax.mean = \"1 s\"",
];

/// Whole files.
const FILE: &[&str] = &[
    "",
    "# nothing\n[budget]\n",
    "[settings]\neffort = \"5 s\"\n",
    "budget = 3",
    "settings = 3\n[budget.a]\nworkload = \"a\"\nmax.p99 = \"1 s\"",
    "[settings]\nefort = \"5 s\"\nalpha = 0.9\nwarn_at = 90\ninconclusive = \"fial\"\n",
    "[settings]\nbase = \"200 %\"\nlayouts = 0\n",
    "[settings]\nbase = true\nlayouts = \"many\"\n",
    "[settings]\ninert = [\"docs/**\", \"a[\", \"\"]\n",
    "[settings]\ninert = [\"docs/**\", \"a[\"]\n",
    "[settings]\nalpha = \"much\"\nwarn_at = \"0 %\"\ninconclusive = true\n",
    "[settings]\nunsure = \"blnd\"\n",
    "[settings]\nbase = { limt = \"5 %\", except = [\"a[\", \"**a\"] }\ntotal = 600\n",
    "[settings]\nbase = { limit = \"500 %\", except = \"*::p99\" }\n[budget.a]\nworkload = \"a\"\nbase = \"no\"\n",
    "[settings]\nunsure = \"blind\"\ninconclusive = \"warn\"\n",
    "[budgets.a]\nworkload = \"a\"\n[merge]\nworkload = \"a\"\n[other]\n",
    "budget.a = 3",
    "[[budget.a]]\nworkload = \"a\"",
    "[budget.a]\nmax = { p99 = \"1 ms\" }",
    "[budget.a]\nworklod = \"a\"\nmax = { p99 = 1 }",
    "[budget.a]\nworkload = \"a\"\nartifact = \"a\"",
    "[budget.a]\ncriterion = [\"group\"]\nmax = { mean = \"1 ms\" }",
    "[budget.a]\ncriterion = {}\nmax = { mean = \"1 ms\" }\n[budget.b]\ncriterion = { recrod = \"a\" }\nmax.mean = \"1 s\"",
    "[budget.a]\ncriterio = \"group/bench\"\nmax = { mean = \"1 ms\" }",
    "[budget.a]\nworkload = 3\nmax = { p99 = \"1 ms\" }",
    "[budget.a]\nartifact = \"\"\nmax = { size = \"0 B\" }",
    "[budget.a]\nartifact = []\nmax = { p99 = \"1 ms\", sise = \"1 KB\", what = \"1 KB\" }",
    "[budget.a]\nartifact = [\"a\", 3, \"a\\u0000\"]\nmax = { size = \"1 KB\" }",
    "[budget.a]\nartifact = [\"a\", \"a\"]\nparams.n = 1\ncache = \"warm\"\nmax = { size = \"1 KB\" }",
    "[budget.a]\nartifact = [\"a\", \"{m}\"]\nparams = { n = [1, 2, 3], m = 1 }\nscaling = { over = \"n\", max = { size = 1 } }",
    "[budget.a]\nartifact = true\nmax = { size = \"1 KB\" }",
    "[budget.a]\ncommand = \"peer --listen 0\"\nmax.exit = 0",
    "[budget.a]\ncommand = []\nmax.exit = 0",
    "[budget.a]\ncommand = [\"\", 3]\nmax.exit = 0",
    "[budget.\"\"]\n[budget.\"a::b\"]\n[budget.\":a\"]\n[budget.\"a b\"]\n[budget.-a]\n[budget.base]",
    // text that is not TOML
    "[budget.a]\nworkload = \"a\"\nmax = { p99 = 10 ms }\n",
    "[budget.a]\nworkload = \"a\nmax = { p99 = \"1 ms\" }\n[budget.b]\nworkload = 3\n",
    "[budget.a]\ncommand = [\"a\", \"b\"\nmax = { exit = 0 }\n[budget.b]\nworkload = 3\n",
    "[budget.a]\nwhy = \"\"\"because\nworkload = \"a\"\n",
    "[budget.a]\nwhy = '''because\nworkload = \"a\"\n",
    "[budget.a]\nwhy =\nworkload\n[budget.b]\nworkload = 3\n",
    "[budget.a]\nworkload\n",
    "[budget.ü]\nworkload = \"a\"\n",
    "[budget.a]\nwhy = 1\nwhy = 2\n[budget.b]\nwhy.x = 1\n[budget.a]\n",
    "budget = { a = { why = 1, why = 2 } }\n",
    // places
    "\u{feff}[budget.'ü']\n\tmax = { 'größe' = 1, \t\"日本\" = 2 }\r\n\tworkload = 3\r\n",
];

fn files() -> Vec<String> {
    let under =
        |subject: &'static str| move |text: &&str| format!("[budget.a]\n{subject}\n{text}\n");
    let mut files: Vec<String> = FILE.iter().map(|&text| text.to_owned()).collect();
    files.extend(environments::FILES.iter().map(|&text| text.to_owned()));
    files.extend(WORKLOAD.iter().map(under("workload = \"w\"")));
    files.extend(CRITERION.iter().map(under("criterion = \"group/bench\"")));
    files.extend(RECORD.iter().map(under("criterion = { record = \"group/bench\" }")));
    files.extend(COMMAND.iter().map(under("command = [\"c\"]")));
    let many: Vec<_> = (0..40).map(|n| n.to_string()).collect();
    let list = many.join(", ");
    files.push(format!(
        "[budget.a]\nworkload = \"w\"\nparams = {{ n = [{list}], m = [{list}] }}\nmax.p99 = \"1 s\"\n"
    ));
    // Only the part of a long line around the mistake is shown.
    let many = |from: u32| {
        (from..from + 99).map(|n| format!("of_{n}_kind = 1, ")).collect::<Vec<_>>().concat()
    };
    let (before, after) = (many(0), many(100));
    files.push(format!("[budget.a]\nworkload = \"w\"\nmax = {{ {before}p99 = 1, {after}}}\n"));
    files
}

#[test]
fn every_message_reads_well() {
    let mut shown = String::new();
    for text in files() {
        let error = super::parse(&text).expect_err(&text);
        assert!(error.is_config());
        let _ = writeln!(shown, "{}\n", "-".repeat(80));
        let _ = writeln!(shown, "{error}");
    }
    snapshot("fixtures/cases/config/problems.txt", &shown);
}

#[test]
fn a_file_with_hundreds_of_mistakes_shows_the_first_fifty() {
    let keys: Vec<_> = (0..120).map(|n| format!("x{n} = 1\n")).collect();
    let shown = super::parse(&keys.concat()).unwrap_err().to_string();
    assert_eq!(shown.matches("error: ").count(), 50);
    assert!(shown.ends_with("\n... and 70 more\n\n120 problems; nothing was measured"), "{shown}");
}

/// Each budget has few enough cases, but together they have too many.
#[test]
fn the_cases_of_a_file_are_limited() {
    let mut reading = reading("[budget.a]");
    reading.problems.clear();
    let values = (0..10).map(Param::Int).collect();
    let parameters = [Parameter { name: "n".to_owned(), values, listed: true }];
    let mut room = 15;
    assert_eq!(case::cases(&parameters, &(0..1), &mut room, &mut reading).len(), 10);
    assert!(case::cases(&parameters, &(0..1), &mut room, &mut reading).is_empty());
    let shown = reading.render();
    assert!(shown.starts_with("error: the budgets make more than 100000 cases\n"), "{shown}");
    assert!(shown.ends_with("= help: use several files\n"), "{shown}");
}

/// Every message must be shown by one of the texts above, so that a person has read it.
#[test]
fn every_problem_in_the_source_is_shown() {
    let mut made = BTreeSet::new();
    for text in files() {
        let reading = reading(text.trim_start_matches('\u{feff}'));
        let all = reading.problems.iter().chain(&reading.notes);
        made.extend(all.map(|p| (p.made_at.file(), p.made_at.line())));
    }
    for reading in locks::FILES.iter().map(|text| locks::reading(text)) {
        made.extend(reading.problems.iter().map(|p| (p.made_at.file(), p.made_at.line())));
    }
    let made: BTreeSet<_> =
        made.iter().map(|(file, line)| (file.rsplit(['/', '\\']).next().unwrap(), *line)).collect();
    let mut unseen = Vec::new();
    let mut count = 0;
    for file in std::fs::read_dir(repository("core/src/budget/parse")).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for (i, line) in text.lines().enumerate().filter(|(_, l)| l.contains("Problem::new(")) {
            count += 1;
            if !made.contains(&(name.as_str(), i as u32 + 1)) {
                unseen.push(format!("{name}:{}: {}", i + 1, line.trim()));
            }
        }
    }
    assert!(count > 50, "the search found only {count} problems");
    assert!(unseen.is_empty(), "no text above shows these:\n{}", unseen.join("\n"));
}
