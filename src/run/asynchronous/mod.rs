//! The measuring methods of asynchronous operations, and the tokio runtime that they run on.
//!
//! They are apart because only they need tokio, which is a cargo feature.

mod executor;
mod in_flight;
mod open_loop;
mod timer;

use std::fmt::Display;
use std::time::Instant;

use perf_budget_core::outcome::Cause;
use tokio::runtime::{Builder, Handle, RuntimeFlavor};

pub(super) use self::executor::Executor;
use self::open_loop::{arrive, arrive_concurrently};
use self::timer::until;
use super::drive::{CannotFail, Fallible, Outcome};
use super::drive_async::drive;
use super::measurement::Watcher;
use super::{Failed, Run};
use crate::inject::{self, Injection};
use crate::instrument::laps::Repeat;

impl Run {
    /// Runs asynchronous operations on a runtime of the workload's own, which has several threads and outlives the
    /// measurement. Without this call they run on a runtime with one thread, with all drivers that tokio was built
    /// with.
    ///
    /// ```
    /// # use perf_budget::{Failed, Run};
    /// # async fn request() -> std::io::Result<u32> { Ok(1) }
    /// fn on_two_threads(run: &mut Run) -> Result<(), Failed> {
    ///     let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    ///     run.on(runtime.handle()).try_iter_async(request)
    /// }
    /// ```
    ///
    /// Under a `load` the runtime needs its timers (`enable_time`). A runtime with one thread is refused, because its
    /// tasks do not run through a handle: the measuring method then fails.
    pub fn on(&mut self, runtime: &Handle) -> &mut Self {
        if runtime.runtime_flavor() == RuntimeFlavor::CurrentThread {
            let text = "failed to run on a runtime of one thread: its tasks do not run through a \
                        handle; leave out `on`, which gives one of one thread, or start one of several";
            self.failed(Failed::from(text));
            return self;
        }
        self.executor = Some(Executor::Theirs(runtime.clone()));
        self
    }

    /// Runs a future, unmeasured, on the runtime that asynchronous operations will run on: for example, to start a
    /// server or to connect to it.
    ///
    /// ```
    /// # use perf_budget::{Failed, Run};
    /// # struct Client;
    /// # impl Client {
    /// #     async fn connect(_: &str) -> std::io::Result<Client> { Ok(Client) }
    /// #     async fn get(&self, _: &str) -> std::io::Result<String> { Ok(String::new()) }
    /// # }
    /// fn get(run: &mut Run) -> Result<(), Failed> {
    ///     let client = run.block_on(Client::connect("127.0.0.1:6379"))??;
    ///     run.try_iter_async(async || client.get("key").await)
    /// }
    /// ```
    ///
    /// # Errors
    /// If the runtime cannot be started.
    pub fn block_on<F: Future>(&mut self, future: F) -> Result<F::Output, Failed> {
        let executor = self.executor()?;
        let output = executor.block_on(future);
        self.executor = Some(executor);
        Ok(output)
    }

    fn executor(&mut self) -> Result<Executor, Failed> {
        if let Some(executor) = self.executor.take() {
            return Ok(executor);
        }
        match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => Ok(Executor::Own(runtime)),
            Err(error) => {
                let text = format!("failed to start an asynchronous runtime: {error}");
                Err(self.failed(Failed::new(Cause::Harness, text)))
            }
        }
    }

    /// Measures an asynchronous operation, one call after the other, on a tokio runtime: the one given to
    /// [`on`](Run::on), or one with a single thread.
    ///
    /// ```
    /// # use perf_budget::{Failed, Run};
    /// # async fn render(_: &str) -> String { String::new() }
    /// fn page(run: &mut Run) -> Result<(), Failed> {
    ///     run.iter_async(async || render("index").await)
    /// }
    /// ```
    ///
    /// # Errors
    /// The errors are those of [`iter`](Run::iter); it also fails if the runtime cannot be started.
    pub fn iter_async<O>(&mut self, mut op: impl AsyncFnMut() -> O) -> Result<(), Failed> {
        self.plain_async("iter_async", async || (), async |()| op().await)
    }

    /// Measures an asynchronous operation that uses up its input, which is made again, unmeasured, for each call: the
    /// asynchronous form of [`iter_with`](Run::iter_with).
    ///
    /// ```
    /// # use perf_budget::{Failed, Run};
    /// # async fn fill(pages: &mut Vec<u8>) { pages.push(1) }
    /// # async fn flush(_: Vec<u8>) {}
    /// fn flush_pages(run: &mut Run) -> Result<(), Failed> {
    ///     let setup = async || {
    ///         let mut pages = Vec::new();
    ///         fill(&mut pages).await;
    ///         pages
    ///     };
    ///     run.iter_async_with(setup, async |pages| flush(pages).await)
    /// }
    /// ```
    ///
    /// # Errors
    /// The errors are those of [`iter_async`](Run::iter_async).
    pub fn iter_async_with<I, O>(
        &mut self,
        setup: impl AsyncFnMut() -> I,
        op: impl AsyncFnMut(I) -> O,
    ) -> Result<(), Failed> {
        self.plain_async("iter_async_with", setup, op)
    }

    /// Measures an asynchronous operation that may fail, as [`try_iter`](Run::try_iter) does.
    ///
    /// ```
    /// # use perf_budget::{Failed, Run};
    /// # async fn request(_: &str) -> std::io::Result<u16> { Ok(200) }
    /// fn health(run: &mut Run) -> Result<(), Failed> {
    ///     run.try_iter_async(async || request("/health").await)
    /// }
    /// ```
    ///
    /// # Errors
    /// The errors are those of [`try_iter`](Run::try_iter); it also fails if the runtime cannot be started.
    pub fn try_iter_async<T, E: Display>(
        &mut self,
        mut op: impl AsyncFnMut() -> Result<T, E>,
    ) -> Result<(), Failed> {
        self.measure_async::<Fallible, _, _>("try_iter_async", async || (), async |()| op().await)
    }

    /// Measures an asynchronous operation that may fail and uses up its input, which is made again for each call.
    ///
    /// ```
    /// # use perf_budget::{Failed, Run};
    /// # async fn send(_: Vec<u8>) -> std::io::Result<()> { Ok(()) }
    /// fn upload(run: &mut Run) -> Result<(), Failed> {
    ///     run.bytes(4096).try_iter_async_with(async || vec![0_u8; 4096], async |body| send(body).await)
    /// }
    /// ```
    ///
    /// # Errors
    /// The errors are those of [`try_iter_async`](Run::try_iter_async).
    pub fn try_iter_async_with<I, T, E: Display>(
        &mut self,
        setup: impl AsyncFnMut() -> I,
        op: impl AsyncFnMut(I) -> Result<T, E>,
    ) -> Result<(), Failed> {
        self.measure_async::<Fallible, _, _>("try_iter_async_with", setup, op)
    }

    /// Measures an asynchronous operation of which several may be in flight, on one task. If the budget has a `load`,
    /// at most its `concurrency` are in flight, and each is started when it is due. Without a `load` it does the same
    /// as [`iter_async`](Run::iter_async).
    ///
    /// ```
    /// # use perf_budget::{Failed, Run};
    /// # async fn search(_: &str) -> usize { 3 }
    /// fn searches(run: &mut Run) -> Result<(), Failed> {
    ///     // load = { shape = "poisson", rate = "200 op/s", concurrency = 16 }
    ///     run.iter_concurrent(async || search("rust").await)
    /// }
    /// ```
    ///
    /// # Errors
    /// The errors are those of [`iter_async`](Run::iter_async).
    pub fn iter_concurrent<O>(&mut self, op: impl AsyncFn() -> O) -> Result<(), Failed> {
        self.refuse_unread::<O>("iter_concurrent")?;
        self.measure_concurrent::<CannotFail, _>("iter_concurrent", op)
    }

    /// Measures an asynchronous operation that may fail and of which several may be in flight:
    /// [`iter_concurrent`](Run::iter_concurrent) and [`try_iter`](Run::try_iter) in one.
    ///
    /// ```
    /// # use perf_budget::{Failed, Run};
    /// # async fn request(_: &str) -> std::io::Result<u16> { Ok(200) }
    /// fn requests(run: &mut Run) -> Result<(), Failed> {
    ///     run.try_iter_concurrent(async || request("/search?q=rust").await) // max = { error_rate = "1 %" }
    /// }
    /// ```
    ///
    /// # Errors
    /// The errors are those of [`try_iter_async`](Run::try_iter_async).
    pub fn try_iter_concurrent<T, E: Display>(
        &mut self,
        op: impl AsyncFn() -> Result<T, E>,
    ) -> Result<(), Failed> {
        self.measure_concurrent::<Fallible, _>("try_iter_concurrent", op)
    }

    fn plain_async<I, O>(
        &mut self,
        method: &'static str,
        setup: impl AsyncFnMut() -> I,
        op: impl AsyncFnMut(I) -> O,
    ) -> Result<(), Failed> {
        self.refuse_unread::<O>(method)?;
        self.measure_async::<CannotFail, _, _>(method, setup, op)
    }

    fn measure_async<K: Outcome<O>, I, O>(
        &mut self,
        method: &'static str,
        setup: impl AsyncFnMut() -> I,
        mut op: impl AsyncFnMut(I) -> O,
    ) -> Result<(), Failed> {
        let executor = self.executor()?;
        let (mut watcher, mut failures) = self.begin(method, Repeat::Looped)?;
        match &mut watcher {
            Watcher::Time(time) => {
                executor.block_on(drive::<K, _, _, _>(&mut **time, &mut failures, setup, op));
            }
            Watcher::Other(instrument) => {
                executor.block_on(drive::<K, _, _, _>(&mut **instrument, &mut failures, setup, op));
            }
            Watcher::Arrivals(arrivals) => {
                let injection = self.request.injection;
                let op = async |input| slowed(injection, op(input)).await;
                executor.block_on(arrive::<K, _, _>(arrivals, &mut failures, setup, op));
            }
        }
        self.executor = Some(executor);
        self.end(method, watcher, &failures)
    }

    fn measure_concurrent<K: Outcome<O>, O>(
        &mut self,
        method: &'static str,
        op: impl AsyncFn() -> O,
    ) -> Result<(), Failed> {
        if self.request.load.as_ref().is_none_or(|load| load.concurrency == 1) {
            return self.measure_async::<K, _, _>(method, async || (), async |()| op().await);
        }
        let executor = self.executor()?;
        let (mut watcher, mut failures) = self.begin(method, Repeat::Looped)?;
        if let Watcher::Arrivals(arrivals) = &mut watcher {
            let injection = self.request.injection;
            let op = async || slowed(injection, op()).await;
            executor.block_on(arrive_concurrently::<K, _>(arrivals, &mut failures, op));
        }
        self.executor = Some(executor);
        self.end(method, watcher, &failures)
    }
}

/// Runs an asynchronous operation, and then waits for as long as is injected.
async fn slowed<O>(injection: Option<Injection>, op: impl Future<Output = O>) -> O {
    let began = Instant::now();
    let output = op.await;
    if let Some(end) = inject::may_end_at(injection, began) {
        until(end).await;
    }
    output
}
