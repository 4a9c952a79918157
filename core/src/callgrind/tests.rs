//! Tests with dumps as callgrind 3.19 writes them. A dump that is cut short or of another kind is refused.

use super::*;

const DUMP: &str = "# callgrind format
version: 1
creator: callgrind-3.19.0
pid: 7
cmd:  ./work
part: 2

desc: I1 cache: 
desc: Trigger: Client Request

positions: line
events: Ir sysCount sysTime
summary: 171 1 40


ob=(1) /work
fl=(1) ???
fn=(1) work::merge
0 40
cob=(2) /lib/libc.so.6
cfi=(2) ./malloc.c
cfn=(2) malloc
calls=2 0 
0 60 1 40
cfn=(3) work::fold
calls=3 0
+3 21

fn=(3)
0 21

ob=(2)
fl=(2)
fn=(2)
10 30 1 40
cfn=(4) calloc
calls=1 0
* 30

fn=(4)
12 80
jcnd=1/2 +3
totals: 171 1 40
";

#[test]
fn a_dump_is_read() {
    let profile = Profile::parse(DUMP).unwrap();
    assert_eq!(profile.creator, "callgrind-3.19.0");
    assert_eq!((profile.total(), profile.system_calls), (171, Some(1)));
    let named = |name: &str| profile.functions.iter().position(|f| f.name == name).unwrap();
    let merge = &profile.functions[named("work::merge")];
    assert_eq!((merge.cost, merge.object.as_str()), (40, "/work"));
    let malloc = Call { to: named("malloc"), at: 0, count: 2, cost: 60 };
    assert!(merge.calls.contains(&malloc), "{:?}", merge.calls);
    assert_eq!(profile.functions[named("work::fold")].cost, 21);
    // The call of one function of the allocator by another is part of the outer one.
    assert_eq!(profile.inclusive(is_allocator), 60);
    assert_eq!(total(DUMP), Ok(171));
}

#[test]
fn a_damaged_dump_is_refused() {
    let refused = |text: &str, why: &str| {
        let error = Profile::parse(text).unwrap_err();
        assert!(error.contains(why), "{error}");
    };
    let end = DUMP.find("fn=(4)\n12").unwrap();
    refused(&DUMP[..end], "the lines add up to 91, and the total is 171");
    refused(&DUMP.replace("events: Ir", "events: Dr"), "no instructions");
    refused(&DUMP.replace("fn=(3)\n", "fn=(9)\n"), "(9) was not named before");
    refused(&DUMP.replace("calls=2", "calls=two"), "`two` is not a number");
    refused(&DUMP.replace("jcnd=", "jump to "), "of no known kind");
    refused("", "the end is missing");
}

#[test]
fn the_allocator_is_known_by_its_functions() {
    let rust =
        ["__rust_alloc", "__rustc::__rust_dealloc", "__rustc[1f2e3d4c5b6a7988]::__rust_realloc"];
    for name in ["malloc", "free", "_rjem_malloc", "mi_malloc_aligned"].iter().chain(&rust) {
        assert!(is_allocator(name), "{name}");
    }
    let others = ["mallopt", "work::malloc", "mi_version", "work::__rust_alloc"];
    for name in others.iter().chain(&["__rustc::__rust_no_alloc_shim_is_unstable_v2"]) {
        assert!(!is_allocator(name), "{name}");
    }
}

#[test]
fn addresses_are_read_and_a_profile_is_written_as_it_was() {
    let text = "creator: callgrind-3.19.0
positions: instr line
events: Ir
ob=(1) /work
fl=(1) src/a.rs
fn=(1) work::merge'main
0x10 3 40
+4 * 2
cob=(2) /lib/libc.so.6
cfi=(2) ???
cfn=(2) malloc'work::merge
calls=2 0x99 0
0x18 3 60
calls=1 0x99 0
* 3 9

ob=(2)
fl=(2)
fn=(2)
0x90 0 69
totals: 111
";
    // If there are several calls in a row, each names its function.
    let text = text.replace("calls=1 0x99", "cob=(2)\ncfn=(2)\ncalls=1 0x99");
    let profile = Profile::parse(&text).unwrap();
    let [merge, malloc] = &profile.functions[..] else { panic!("{profile:?}") };
    assert_eq!((merge.at.as_slice(), merge.has_lines), (&[(0x10, 40), (0x14, 2)][..], true));
    assert_eq!(merge.calls, [Call { to: 1, at: 0x18, count: 3, cost: 69 }]);
    assert_eq!((malloc.at.as_slice(), malloc.has_lines), (&[(0x90, 69)][..], false));
    assert_eq!(Profile::parse(&profile.to_text()), Ok(profile));
}

/// The number of the rule is part of the name of a counter. If this test has to change, `ALLOCATOR_RULE` has to be raised.
#[test]
fn the_rule_of_the_allocator_is_frozen() {
    let names = [
        "malloc",
        "calloc",
        "realloc",
        "free",
        "cfree",
        "posix_memalign",
        "aligned_alloc",
        "memalign",
        "reallocarray",
        "__rust_alloc",
        "__rustc::__rust_dealloc",
        "__rustc[0123456789abcdef]::__rust_realloc",
        "__rust_alloc_zeroed",
        "_rjem_malloc",
        "_rjem_sdallocx",
        "mi_malloc",
        "mi_malloc_aligned",
        "__rdl_alloc",
        "perf_budget::instrument::heap::count",
        "work::malloc",
        "_int_malloc",
        "mmap",
        "je_malloc",
        "mallocx",
    ];
    let recognized: Vec<bool> = names.iter().map(|name| is_allocator(name)).collect();
    assert_eq!(recognized, [[true; 17].as_slice(), &[false; 7]].concat());
    assert_eq!(ALLOCATOR_RULE, 2);
}
