//! The measuring methods, of which a workload calls one.

use std::fmt::Display;

use super::drive::{ByReference, ByValue, CannotFail, Fallible};
use super::{Failed, Run};
use crate::instrument::laps::Repeat;

impl Run {
    /// Measures an operation. What it returns is dropped outside of the measured part.
    ///
    /// ```
    /// # use perf_budget::{Failed, Run};
    /// use std::hint::black_box;
    ///
    /// fn longest_word(run: &mut Run) -> Result<(), Failed> {
    ///     let text = std::fs::read_to_string("tests/data/novel.txt")?;
    ///     run.iter(|| black_box(&text).split_whitespace().map(str::len).max())
    /// }
    /// ```
    ///
    /// Put an argument that the compiler could know into [`std::hint::black_box`]. What the operation returns is put
    /// into one already.
    ///
    /// # Errors
    /// If the operation returns a `Result`, a future or a closure, which would hide whether it did its work; if the
    /// workload has called a measuring method before; and if this system cannot measure what the budget limits.
    #[expect(clippy::iter_not_returning_iterator, reason = "the word benchmarks use for it")]
    pub fn iter<O>(&mut self, mut op: impl FnMut() -> O) -> Result<(), Failed> {
        self.plain("iter", || (), ByValue(|()| op()))
    }

    /// Measures an operation that uses up its input. `setup` makes a new input for each call, outside of the measured
    /// part.
    ///
    /// ```
    /// # use perf_budget::{Failed, Run};
    /// fn merge(run: &mut Run) -> Result<(), Failed> {
    ///     let (ours, theirs) = (vec![1, 3, 5], vec![2, 4, 6]);
    ///     run.iter_with(
    ///         || (ours.clone(), theirs.clone()),
    ///         |(mut ours, theirs)| {
    ///             ours.extend(theirs); // dropping `theirs` is part of the operation
    ///             ours.sort_unstable();
    ///             ours
    ///         },
    ///     )
    /// }
    /// ```
    ///
    /// Short operations are measured in batches, so that several inputs, and then their outputs, are alive at the
    /// same time. The memory of an input counts towards `heap`, `peak_heap`, `rss` and `peak_rss` as long as it is
    /// alive, but making it is not an allocation of the operation.
    ///
    /// # Errors
    /// The errors are those of [`iter`](Run::iter).
    pub fn iter_with<I, O>(
        &mut self,
        setup: impl FnMut() -> I,
        op: impl FnMut(I) -> O,
    ) -> Result<(), Failed> {
        self.plain("iter_with", setup, ByValue(op))
    }

    /// Measures an operation on an input that it changes in place. `setup` makes a new input for each call. The input
    /// is made and dropped outside of the measured part.
    ///
    /// ```
    /// # use perf_budget::{Failed, Run};
    /// use std::collections::BTreeMap;
    ///
    /// fn insert(run: &mut Run) -> Result<(), Failed> {
    ///     let map: BTreeMap<u32, u32> = (0..10_000).map(|n| (2 * n, n)).collect();
    ///     run.iter_with_ref(|| map.clone(), |map| map.insert(777, 0)) // dropping the map is not timed
    /// }
    /// ```
    ///
    /// The input is alive when memory is read: it is part of `heap`, `peak_heap`, `rss` and `peak_rss`, as well as
    /// the output. If the input should not count, let the operation use it up, by [`iter_with`](Run::iter_with).
    ///
    /// # Errors
    /// The errors are those of [`iter`](Run::iter).
    pub fn iter_with_ref<I, O>(
        &mut self,
        setup: impl FnMut() -> I,
        op: impl FnMut(&mut I) -> O,
    ) -> Result<(), Failed> {
        self.plain("iter_with_ref", setup, ByReference(op))
    }

    /// Measures an operation that may fail.
    ///
    /// ```
    /// # use perf_budget::{Failed, Run};
    /// use std::net::TcpStream;
    ///
    /// fn connect(run: &mut Run) -> Result<(), Failed> {
    ///     run.try_iter(|| TcpStream::connect("127.0.0.1:6379"))
    /// }
    /// ```
    ///
    /// If the budget limits `error_rate`, failed operations are counted. Their latencies are left out. The time that
    /// they took counts towards `throughput` and `mean`, but the operations themselves do not.
    ///
    /// # Errors
    /// If an operation fails and the budget does not limit `error_rate`: the first failure then ends the measurement.
    /// Otherwise as [`iter`](Run::iter).
    pub fn try_iter<T, E: Display>(
        &mut self,
        mut op: impl FnMut() -> Result<T, E>,
    ) -> Result<(), Failed> {
        let op = ByValue(|()| op());
        self.measure::<Fallible, _, _>("try_iter", Repeat::Looped, || (), op)
    }

    /// Measures an operation that may fail and uses up its input, which is made again for each call:
    /// [`iter_with`](Run::iter_with) and [`try_iter`](Run::try_iter) in one.
    ///
    /// ```
    /// # use perf_budget::{Failed, Run};
    /// fn decode(run: &mut Run) -> Result<(), Failed> {
    ///     let bytes = std::fs::read("tests/data/novel.txt")?;
    ///     run.try_iter_with(|| bytes.clone(), String::from_utf8)
    /// }
    /// ```
    ///
    /// # Errors
    /// The errors are those of [`try_iter`](Run::try_iter).
    pub fn try_iter_with<I, T, E: Display>(
        &mut self,
        setup: impl FnMut() -> I,
        op: impl FnMut(I) -> Result<T, E>,
    ) -> Result<(), Failed> {
        self.measure::<Fallible, _, _>("try_iter_with", Repeat::Looped, setup, ByValue(op))
    }

    /// Measures an operation that may fail on an input that it changes in place:
    /// [`iter_with_ref`](Run::iter_with_ref) and [`try_iter`](Run::try_iter) in one.
    ///
    /// ```
    /// # use perf_budget::{Failed, Run};
    /// use std::io::Read;
    ///
    /// fn read(run: &mut Run) -> Result<(), Failed> {
    ///     run.bytes(4096).try_iter_with_ref(
    ///         || std::fs::File::open("tests/data/novel.txt").expect("the file is there"),
    ///         |file| file.read_exact(&mut [0; 4096]), // closing the file is not timed
    ///     )
    /// }
    /// ```
    ///
    /// # Errors
    /// The errors are those of [`try_iter`](Run::try_iter).
    pub fn try_iter_with_ref<I, T, E: Display>(
        &mut self,
        setup: impl FnMut() -> I,
        op: impl FnMut(&mut I) -> Result<T, E>,
    ) -> Result<(), Failed> {
        self.measure::<Fallible, _, _>("try_iter_with_ref", Repeat::Looped, setup, ByReference(op))
    }

    /// Builds a value once, and keeps it while memory is read: an index, a cache, a model.
    ///
    /// ```
    /// # use perf_budget::{Failed, Run};
    /// use std::collections::HashMap;
    ///
    /// fn index(run: &mut Run) -> Result<(), Failed> {
    ///     let n: u32 = run.param("n")?;
    ///     run.hold(|| (0..n).map(|id| (id, id.to_string())).collect::<HashMap<_, _>>())
    /// }
    /// ```
    ///
    /// | metric | of a value that is held |
    /// |---|---|
    /// | `heap`, `rss` | what it holds once it is built |
    /// | `peak_heap`, `peak_rss`, `allocs`, `alloc_bytes` | what building it needed |
    /// | `leaked` | what is left after it was dropped |
    /// | `p50`, `mean` and the other latencies | how long building it took; each process gives one sample |
    ///
    /// # Errors
    /// The errors are those of [`iter`](Run::iter); it also fails if the budget has a `load`.
    pub fn hold<T>(&mut self, build: impl FnOnce() -> T) -> Result<(), Failed> {
        self.refuse_unread::<T>("hold")?;
        self.build::<CannotFail, _, _>("hold", build)
    }

    /// Builds a value, which may fail, and keeps it as [`hold`](Run::hold) does.
    ///
    /// ```
    /// # use perf_budget::{Failed, Run};
    /// fn dictionary(run: &mut Run) -> Result<(), Failed> {
    ///     let read = || std::fs::read_to_string("tests/data/novel.txt");
    ///     run.try_hold(|| read().map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()))
    /// }
    /// ```
    ///
    /// # Errors
    /// If the value cannot be built. The other errors are those of [`hold`](Run::hold).
    pub fn try_hold<T, E: Display>(
        &mut self,
        build: impl FnOnce() -> Result<T, E>,
    ) -> Result<(), Failed> {
        self.build::<Fallible, _, _>("try_hold", build)
    }
}
