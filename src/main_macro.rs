//! The macro that writes the `main` of a test target.

/// Writes the `main` of a test target, which runs the tests of this [`Harness`](crate::Harness):
///
/// ```no_run
/// perf_budget::main!(
///     perf_budget::Harness::new().workload("sum", |run| run.iter(|| (0..1000_u64).sum::<u64>()))
/// );
/// ```
///
/// The test target needs `harness = false` in `Cargo.toml`. Without it, cargo runs libtest's own `main`, which knows no
/// budget and would succeed. So the macro also writes a test that only libtest runs: it fails, and says which lines to add.
#[macro_export]
macro_rules! main {
    ($harness:expr $(,)?) => {
        fn main() -> ::std::process::ExitCode {
            let harness: $crate::Harness = $harness;
            harness.main()
        }

        #[test]
        fn the_test_target_has_harness_false() {
            panic!(
                "no budget was judged, since the test target has libtest's own `main`; add these lines to Cargo.toml, \
                 or the last of them to the entry that is there:\n\n[[test]]\nname = \"{}\"\nharness = false\n",
                env!("CARGO_CRATE_NAME")
            );
        }
    };
}
