//! The fuel of a hand-written module, whose instructions can be counted.

#[cfg(not(feature = "wasm"))]
use libtest_mimic::Trial;

#[cfg(feature = "wasm")]
pub(crate) use engine::{rows, subjects};

/// Without the engine no fuel can be counted, and the message says so.
#[cfg(not(feature = "wasm"))]
pub(crate) fn rows() -> Vec<Trial> {
    vec![crate::row("fuel::needs_its_feature", || {
        let why = crate::process_run("empty", &["fuel"]).unwrap_err();
        assert_eq!(why.cause, perf_budget_core::outcome::Cause::Unsupported);
        assert!(why.text.contains("turn on the cargo feature `wasm`"), "{}", why.text);
    })]
}

#[cfg(not(feature = "wasm"))]
pub(crate) fn subjects() -> Vec<(&'static str, crate::subjects::Plain)> {
    Vec::new()
}

#[cfg(feature = "wasm")]
mod engine {
    use libtest_mimic::Trial;
    use perf_budget::wasm::{Instance, Module, Value};
    use perf_budget::{Failed, Run};
    use perf_budget_core::outcome::Cause;

    use crate::subjects::Plain;
    use crate::{process_run, process_run_within, row, value};

    /// ```wat
    /// (module
    ///   (memory (export "memory") 1)
    ///   (func (export "run") (param i32) (result i32)
    ///     loop  local.get 0  i32.const 1  i32.sub  local.tee 0  br_if 0  end
    ///     local.get 0)
    ///   (func (export "forever") loop  br 0  end))
    /// ```
    const COUNTDOWN: &[u8] = b"\0asm\x01\0\0\0\
        \x01\x09\x02\x60\x01\x7f\x01\x7f\x60\0\0\
        \x03\x03\x02\0\x01\
        \x05\x03\x01\0\x01\
        \x07\x1a\x03\x03run\0\0\x07forever\0\x01\x06memory\x02\0\
        \x0a\x1a\x02\x10\0\x03\x40\x20\0\x41\x01\x6b\x22\0\x0d\0\x0b\x20\0\x0b\
        \x07\0\x03\x40\x0c\0\x0b\x0b";

    /// Returns the fuel of this many laps. Each lap costs one, and has five instructions that cost one each; entering the
    /// function costs one, as does the instruction after the loop.
    fn fuel_of(laps: f64) -> f64 {
        6.0 * laps + 2.0
    }

    fn instantiated() -> Result<(Module, Instance), Failed> {
        let module = Module::compile(COUNTDOWN)?;
        let instance = module.instantiate()?;
        Ok((module, instance))
    }

    pub(crate) fn subjects() -> Vec<(&'static str, Plain)> {
        fn laps(run: &Run) -> Result<[Value; 1], Failed> {
            Ok([Value::I32(run.param("size")?)])
        }
        vec![
            ("counts down", |run| {
                let (laps, (_, mut instance)) = (laps(run)?, instantiated()?);
                run.try_iter(|| instance.call("run", &laps))
            }),
            ("counts down fresh", |run| {
                let (laps, (module, _)) = (laps(run)?, instantiated()?);
                run.try_hold(|| module.instantiate()?.call("run", &laps))
            }),
            ("counts down twice, set up", |run| {
                let (laps, (_, mut instance)) = (laps(run)?, instantiated()?);
                run.try_iter_with(
                    || {
                        let mut other = instantiated().expect("it was made before").1;
                        other.call("run", &laps).map(|_| other)
                    },
                    |other| other?.call("run", &laps).and_then(|_| instance.call("run", &laps)),
                )
            }),
            ("counts down further", |run| {
                let (_, mut instance) = instantiated()?;
                let mut laps = 0;
                run.try_iter(|| {
                    laps += 1;
                    instance.call("run", &[Value::I32(laps)])
                })
            }),
            ("loads a module", |run| run.try_iter(|| Module::compile(COUNTDOWN)?.instantiate())),
            ("never returns", |run| {
                let (_, mut instance) = instantiated()?;
                run.try_iter(|| instance.call("forever", &[]))
            }),
            ("calls what is not there", |run| {
                let (_, mut instance) = instantiated()?;
                run.try_iter(|| instance.call("walk", &[]))
            }),
        ]
    }

    pub(crate) fn rows() -> Vec<Trial> {
        vec![
            counts("counts down", fuel_of(1000.0)),
            counts("counts down fresh", fuel_of(1000.0)),
            counts("counts down twice, set up", 2.0 * fuel_of(1000.0)),
            // The first lap is not among the ten that count, which are 2 to 11.
            counts("counts down further", fuel_of(6.5)),
            counts("loads a module", 0.0),
            refused("empty", Cause::MeasuredNothing, "called no module"),
            refused(
                "calls what is not there",
                Cause::WorkloadFailed,
                "it exports `forever`, `run`",
            ),
            row("fuel::a_call_without_end", || {
                let second = std::time::Duration::from_secs(1);
                let why = process_run_within("never returns", &["fuel"], second).unwrap_err();
                assert_eq!(why.cause, Cause::TimedOut, "{}", why.text);
            }),
            row("fuel::time_beside_it", || {
                let process = process_run("loads a module", &["p50"]).unwrap();
                assert!(process.operations.iter().all(|&seconds| seconds > 0.0), "{process:?}");
            }),
        ]
    }

    fn counts(workload: &'static str, expected: f64) -> Trial {
        row(&format!("fuel::{}", workload.replace([' ', ','], "_")), move || {
            let process = process_run(workload, &["fuel"]).unwrap();
            assert_eq!(value(&process, "fuel"), expected, "{:?}", process.notes);
        })
    }

    fn refused(workload: &'static str, cause: Cause, words: &'static str) -> Trial {
        row(&format!("fuel::{}", workload.replace(' ', "_")), move || {
            let why = process_run(workload, &["fuel"]).unwrap_err();
            assert_eq!(why.cause, cause, "{}", why.text);
            assert!(why.text.contains(words), "{}", why.text);
        })
    }
}
