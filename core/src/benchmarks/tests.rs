//! Tests with lists of scripted programs: which programs are asked, what they answer, and by which names budgets find
//! benchmarks.

use std::cell::RefCell;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::build::{ProgramResult, Step};
use crate::exact::frozen::frozen;

const HELP: &str = "  --sample-size <n>\n  --exact\n  --quick\n";

/// A directory with programs, which is removed when this is dropped.
pub(super) struct Place(PathBuf);

impl Place {
    /// Makes a directory that no other test has, since all of them may run in this process.
    pub(super) fn new(name: &str) -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let (process, nth) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let dir = std::env::temp_dir().join(format!("perf-budget-lists-{name}-{process}-{nth}"));
        fs::create_dir_all(&dir).unwrap();
        Place(dir)
    }

    /// Writes a program. Only one with the mark is one of Criterion.
    pub(super) fn bench(&self, package: &str, target: &str, content: &str) -> Bench {
        let binary = self.0.join(format!("{package}-{target}"));
        fs::write(&binary, content).unwrap();
        let (package, target) = (package.to_owned(), target.to_owned());
        Bench { package, directory: self.0.clone(), target, binary, variables: Changes::new() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) const MARKED: &str = "…CRITERION_HOME…";

/// Lists programs whose benchmarks are these, by the target. Returns the list and how many programs were started.
fn listed(
    built: Vec<Bench>,
    before: Option<&List>,
    names: &dyn Fn(&str) -> &'static str,
) -> (List, usize) {
    let started = RefCell::new(0);
    let ask = |step: &Step| {
        *started.borrow_mut() += 1;
        let target = step.aim.split('`').nth(1).unwrap_or_default().to_owned();
        let has = |argument: &str| step.args.iter().any(|own| own == argument);
        let stdout = if has("--help") {
            HELP
        } else if has("--") {
            ""
        } else {
            names(&target)
        };
        Ok(ProgramResult { stdout: stdout.into(), ..ProgramResult::default() })
    };
    let benches = Benches { built, ..Benches::default() };
    let list = List::of(&benches, "as built".to_owned(), before, &ask);
    let count = *started.borrow();
    (list, count)
}

fn names(list: &List) -> Vec<String> {
    list.entries(Library::Criterion).into_iter().map(|entry| entry.name).collect()
}

#[test]
fn a_program_without_criterion_is_never_started() {
    let place = Place::new("other");
    let built = vec![place.bench("kit", "divan", "DIVAN"), place.bench("kit", "sums", MARKED)];
    // Versions before 0.5 print `bench`, and a benchmark's name may end like the line itself.
    let (list, started) =
        listed(built, None, &|_| "a/b: benchmark\nold: bench\nc: bench: benchmark\n");
    assert_eq!(started, 3);
    assert_eq!(names(&list), ["a/b", "old", "c: bench"]);
    assert_eq!(list.programs[0].content, Content::Other);
    let entry = list.find(Library::Criterion, "old").unwrap();
    assert_eq!(
        (entry.program.target.as_str(), entry.skills),
        ("sums", Abilities { exact: true, quick: true, serves: false })
    );
}

#[test]
fn each_library_has_its_own_mark_and_its_own_names() {
    let place = Place::new("libraries");
    let served = format!("…{SERVES} criterion 1");
    let divan = format!("…{SERVES} divan 1");
    let built = vec![
        place.bench("kit", "divan", &divan),
        place.bench("kit", "served", &served),
        // These marks remain if the whole program was optimised.
        place.bench("kit", "optimised", "…This executable is a Criterion.rs benchmark.\nSee…"),
        place.bench(
            "kit",
            "standard",
            "…The FILTER string is tested against the name of all tests,…",
        ),
        place.bench("kit", "tests", "…RUST_TEST_THREADS"),
        // The text without a library is in every program that reads lists.
        place.bench("kit", "reader", SERVES),
    ];
    let (list, _) = listed(built, None, &|target| match target {
        "divan" => "divan::sum::10: benchmark\n",
        "optimised" => "fast: benchmark\n",
        "standard" => "a::sum: benchmark\nb: test\n",
        "tests" => "b: test\n",
        _ => "sum: benchmark\n",
    });
    let found = |library: Library, name: &str| {
        let entry = list.find(library, name).unwrap();
        (entry.program.target.clone(), entry.skills.serves)
    };
    assert_eq!(found(Library::Criterion, "sum"), ("served".to_owned(), true));
    assert_eq!(found(Library::Criterion, "fast"), ("optimised".to_owned(), false));
    assert_eq!(found(Library::Divan, "divan::sum::10"), ("divan".to_owned(), true));
    assert_eq!(found(Library::Libtest, "a::sum"), ("standard".to_owned(), false));
    let targets = |content: Content| list.targets_of(&content);
    let (other, standard) = (targets(Content::Other), targets(Content::Standard));
    assert_eq!((other, standard), (vec!["reader"], vec!["tests"]));
    assert_eq!(list.entries(Library::Divan).len(), 1);
}

#[test]
fn a_library_without_a_program_says_what_to_do() {
    let (list, _) = listed(Vec::new(), None, &|_| "");
    let why = |library| list.find(library, "x").unwrap_err().text;
    assert!(
        why(Library::Divan).contains("package = \"perf-budget-divan\""),
        "{}",
        why(Library::Divan)
    );
    assert!(why(Library::Libtest).contains("`#[bench]`"), "{}", why(Library::Libtest));
}

#[test]
fn a_program_that_has_not_changed_is_not_asked_again() {
    let place = Place::new("again");
    let built = || vec![place.bench("kit", "sums", MARKED)];
    let first = built();
    let (list, started) = listed(first.clone(), None, &|_| "a: benchmark\n");
    assert!(started == 3 && list.is_current());
    let (again, started) = listed(first, Some(&list), &|_| "b: benchmark\n");
    assert_eq!((started, names(&again)), (0, names(&list)));
    std::thread::sleep(std::time::Duration::from_millis(20));
    let changed = vec![place.bench("kit", "sums", &format!("{MARKED}!"))];
    assert!(!list.is_current());
    let (new, started) = listed(changed, Some(&list), &|_| "b: benchmark\n");
    assert_eq!((started, names(&new)), (3, vec!["b".to_owned()]));
}

#[test]
fn a_name_that_several_programs_have_is_qualified() {
    let place = Place::new("qualified");
    let built = vec![
        place.bench("kit", "sums", MARKED),
        place.bench("kit", "more", MARKED),
        place.bench("lib", "more", MARKED),
    ];
    let (list, _) = listed(built, None, &|target| match target {
        "sums" => "one: benchmark\nsum: benchmark\n",
        _ => "sum: benchmark\n",
    });
    assert_eq!(names(&list), ["one", "sums:sum", "kit:more:sum", "lib:more:sum"]);
    assert_eq!(list.find(Library::Criterion, "sums:sum").unwrap().plain, "sum");
    let why = list.find(Library::Criterion, "sum").unwrap_err().text;
    assert_eq!(
        why,
        "several programs have a benchmark `sum`; name one of them: `sums:sum`, `kit:more:sum`, `lib:more:sum`"
    );
}

/// Criterion lists the whole characters in the first 100 bytes of a name. Each of its groups may have a benchmark of the same
/// name.
#[test]
fn a_benchmark_that_does_not_run_alone_is_refused() {
    let place = Place::new("alike");
    let list = |names: &[&str]| {
        let text: &'static str = (names.join(": benchmark\n") + ": benchmark\n").leak();
        listed(vec![place.bench("kit", "sums", MARKED)], None, &|_| text).0
    };
    let refused = |names: &[&str], name: &str| {
        let why = list(names).find(Library::Criterion, name).err()?;
        assert_eq!(why.cause, Cause::Unsuitable, "{why}");
        Some(why.text)
    };
    let why = refused(&["sum", "fmt", "sum"], "sum").unwrap();
    assert!(why.contains("has 2 benchmarks that are named `sum`"), "{why}");
    assert_eq!(names(&list(&["sum", "fmt", "sum"])), ["sum", "fmt"]);
    assert_eq!(refused(&["sum", "sum #2", "sum...", "summer"], "sum"), None);
    let cut = format!("{}...", "a".repeat(100));
    assert_eq!(refused(&[&cut, "a", &"a".repeat(99)], &cut), None);
    for other in [&cut, &"a".repeat(100), &format!("{cut} #2")] {
        let why = refused(&[&cut, other], &cut).unwrap();
        assert!(why.contains("has 2 benchmarks whose names begin as"), "{other}: {why}");
    }
    // The last character of 100 bytes is not cut in two.
    let (shorter, whole) = (format!("{}...", "a".repeat(98)), format!("{}b", "a".repeat(98)));
    assert!(refused(&[&shorter, &whole], &shorter).is_some());
    assert_eq!(refused(&[&shorter, &whole], &whole), None);
}

#[test]
fn the_message_about_a_missing_benchmark_names_those_that_exist() {
    let place = Place::new("missing");
    let (list, _) =
        listed(vec![place.bench("kit", "sums", MARKED)], None, &|_| "sum/of/10: benchmark\n");
    let why = |list: &List, name: &str| list.find(Library::Criterion, name).unwrap_err().text;
    assert_eq!(
        why(&list, "sum/of/1O"),
        "there is no benchmark `sum/of/1O`; did you mean `sum/of/10`?"
    );
    assert_eq!(why(&list, "x"), "there is no benchmark `x`; there are `sum/of/10`");
    let (list, _) = listed(vec![place.bench("kit", "divan", "")], None, &|_| "");
    assert!(
        why(&list, "x").ends_with(
            "the bench targets `divan` are not Criterion's, or of a version before 0.3.4"
        )
    );
    let (list, _) = listed(Vec::new(), None, &|_| "");
    let none = why(&list, "x");
    assert!(
        none.contains("no package of the workspace has a bench target and depends on Criterion;")
            && none.contains("`divan = \"*\"`")
            && none.contains("`libtest = \"*\"`"),
        "{none}"
    );
    // A usual mistake: without `harness = false` cargo replaces the `main` of `criterion_main!`.
    let mistaken = place.bench("kit", "one", "…RUST_TEST_THREADS");
    let (list, _) = listed(vec![mistaken], None, &|_| "");
    let why = why(&list, "x");
    let want = "is in `one`, with no benchmark; a bench target of Criterion needs `harness = false` below its `name = \"one\"`";
    assert!(why.contains(want), "{why}");
}

#[test]
fn a_program_that_does_not_answer_is_a_fault_that_names_it() {
    let place = Place::new("fault");
    let bench = place.bench("kit", "hangs", MARKED);
    let late = |_: &Step| Err(Unmeasured::new(Cause::TimedOut, "it did not end in time"));
    let benches = Benches { built: vec![bench.clone()], ..Benches::default() };
    let list = List::of(&benches, String::new(), None, &late);
    assert!(list.programs.is_empty());
    assert_eq!(
        list.faults[0].reason().text,
        "failed to list the benchmarks of `hangs`: it did not end in time; its `main` must call `configure_from_args`, as \
         `criterion_main!` does"
    );
    // The wanted benchmark may be among those that are missing.
    let why = list.find(Library::Criterion, "x").unwrap_err();
    assert_eq!(why.cause, Cause::TimedOut);
    assert!(why.text.starts_with("no benchmark `x` was found: failed to list"), "{why}");
    // All reasons are named, and only the benchmarks of these targets may be missing.
    let program = |target: &str| Program {
        package: "kit".to_owned(),
        directory: PathBuf::new(),
        target: target.to_owned(),
        binary: PathBuf::new(),
        written: Written::of(&bench.binary).unwrap(),
        variables: Changes::new(),
        content: Content::Other,
    };
    let gated = Unmeasured::new(Cause::Missing, "`gated` is not built");
    let missing = vec![("kit".to_owned(), "gated".to_owned())];
    let built = vec![bench.clone()];
    let both = Benches { built, faults: vec![gated], missing, ..Benches::default() };
    let list = List::of(&both, String::new(), None, &late);
    let why = list.fault().unwrap();
    assert!(why.text.starts_with("`gated` is not built; failed to list"), "{why}");
    let lacking = ["gated", "hangs", "sums"].map(|target| list.may_lack(&program(target)));
    assert_eq!(lacking, [true, true, false]);
    let unknown = List { missing: Vec::new(), ..list };
    assert!(unknown.may_lack(&program("sums")));
    let panics = |_: &Step| {
        let messages = Some("thread panicked".to_owned());
        Ok(ProgramResult { code: 101, messages, ..ProgramResult::default() })
    };
    let list = List::of(&benches, String::new(), None, &panics);
    assert!(list.faults[0].reason().text.contains("with `--help` it ended with exit code 101"));
    // A program that answers `--help` reads its arguments, so something else is wrong with it.
    let panics_later = |step: &Step| {
        let shows_help = step.args.contains(&"--help".to_owned());
        let stdout = if shows_help { HELP } else { "a: benchmark\n" };
        let code = if shows_help { 0 } else { 101 };
        Ok(ProgramResult { stdout: stdout.into(), code, ..ProgramResult::default() })
    };
    let list = List::of(&benches, String::new(), None, &panics_later);
    assert_eq!(
        list.faults[0].reason().text,
        "failed to list the benchmarks of `hangs`: with `--list` it ended with exit code 101; each of its functions has to run \
         to its end to name its benchmarks; `cargo bench --bench hangs -- --list` shows why"
    );
    // Each library has a remedy of its own.
    for (mark, remedy) in [
        (format!("{SERVES} divan 1"), "must call `divan::main()`"),
        ("RUST_TEST_THREADS".to_owned(), "leave out `harness = false`"),
    ] {
        let bench = place.bench("kit", "other", &mark);
        let benches = Benches { built: vec![bench], ..Benches::default() };
        let fault = List::of(&benches, String::new(), None, &panics).faults.remove(0).reason();
        assert!(fault.text.contains(remedy) && !fault.text.contains("criterion"), "{fault}");
    }
    let ignores = |_: &Step| {
        Ok(ProgramResult { stdout: "running 3 benchmarks".into(), ..ProgramResult::default() })
    };
    let list = List::of(&benches, String::new(), None, &ignores);
    assert!(list.faults[0].reason().text.contains("does not show Criterion's help"));
}

#[test]
fn a_pattern_becomes_a_case_of_each_benchmark() {
    let place = Place::new("pattern");
    let (list, _) = listed(
        vec![place.bench("kit", "sums", MARKED)],
        None,
        &|_| "parse/short: benchmark\nparse/a b: benchmark\nparse/a_b: benchmark\nfmt::one: benchmark\n[x]: benchmark\n",
    );
    let check = |pattern: &str, want: &[&str]| {
        let text = format!("[budget.all]\ncriterion = {pattern:?}\nmax.mean = \"1.05 x base\"\n");
        let mut file = crate::budget::parse(&text, Path::new("budgets.toml")).unwrap();
        let budget = &mut file.budgets[0];
        expand(budget, Some(&list));
        let labels: Vec<&str> = budget.cases.iter().map(|case| case.label.as_str()).collect();
        assert_eq!(labels, want, "{pattern}");
        let named: Vec<_> = budget.cases.iter().filter_map(|case| budget.benchmark(case)).collect();
        let found = named
            .iter()
            .all(|name| budget.pattern().is_none() || list.find(Library::Criterion, name).is_ok());
        assert!(found, "{named:?}");
        expand(budget, None);
        assert_eq!(budget.cases.is_empty(), budget.pattern().is_some());
    };
    // The label is a part of a test's name: it has no space and no `::`, and no other benchmark has it.
    check("*", &["parse/short", "parse/a_b", "parse/a_b~", "fmt.one", "[x]"]);
    check("parse/*", &["parse/short", "parse/a_b", "parse/a_b~"]);
    check("*[x]*", &["[x]"]);
    check("none/*", &[]);
    // Without a star it is the name of one benchmark, which need not be known.
    check("[x]", &[""]);
}

#[test]
fn the_format_of_a_list_stays_the_same() {
    let text = r#"{"version":4,"programs":[{"package":"kit","directory":"/w","target":"sums","binary":"/t/sums-1","written":{"path":"/t/sums-1","bytes":9,"modified":1780000000123456789},"variables":{"MODE":"fast","OUT_DIR":null},"content":{"criterion":{"skills":{"exact":true,"quick":false,"serves":true},"names":["a/b"]}}},{"package":"kit","directory":"/w","target":"o","binary":"/t/o-1","written":{"path":"/t/o-1","bytes":9,"modified":1},"variables":{},"content":"other"}],"faults":[{"cause":"timed-out","text":"late","output":null}],"note":"as built"}"#;
    let list: List = frozen(text);
    assert_eq!(names(&list), ["a/b"]);
    assert_eq!(list.faults[0].reason().cause, Cause::TimedOut);
    let place = Place::new("format");
    let file = place.0.join("lists/one.json");
    list.write(&file).unwrap();
    assert_eq!(List::read(&file), Some(list));
    // A list of the version before has no variables of cargo, so it is made anew.
    for other in ["\"version\":3", "\"version\":5"] {
        fs::write(&file, text.replace("\"version\":4", other)).unwrap();
        assert_eq!(List::read(&file), None);
    }
}
