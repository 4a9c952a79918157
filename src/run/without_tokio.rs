//! The stand-ins for the asynchronous methods if the cargo feature `tokio` is off. The compiler then tells the caller
//! of such a method which feature to turn on, and not that there is no such method.
//!
//! They are apart because nothing here can be called: each method asks for a trait that nothing implements.

use std::fmt::Display;

use super::{Failed, Run};

/// An asynchronous operation or runtime, which needs the feature.
#[diagnostic::on_unimplemented(
    message = "asynchronous workloads need the cargo feature `tokio` of perf-budget",
    label = "needs the feature `tokio`",
    note = "in Cargo.toml: perf-budget = {{ …, features = [\"tokio\"] }}"
)]
pub trait Asynchronous {
    fn never(self) -> !;
}

#[doc(hidden)]
impl Run {
    pub fn on(&mut self, runtime: impl Asynchronous) -> &mut Self {
        runtime.never()
    }

    pub fn block_on<F: Future + Asynchronous>(&mut self, future: F) -> Result<F::Output, Failed> {
        future.never()
    }

    pub fn iter_async<O>(
        &mut self,
        op: impl AsyncFnMut() -> O + Asynchronous,
    ) -> Result<(), Failed> {
        op.never()
    }

    pub fn iter_async_with<I, O>(
        &mut self,
        _setup: impl AsyncFnMut() -> I,
        op: impl AsyncFnMut(I) -> O + Asynchronous,
    ) -> Result<(), Failed> {
        op.never()
    }

    pub fn try_iter_async<T, E: Display>(
        &mut self,
        op: impl AsyncFnMut() -> Result<T, E> + Asynchronous,
    ) -> Result<(), Failed> {
        op.never()
    }

    pub fn try_iter_async_with<I, T, E: Display>(
        &mut self,
        _setup: impl AsyncFnMut() -> I,
        op: impl AsyncFnMut(I) -> Result<T, E> + Asynchronous,
    ) -> Result<(), Failed> {
        op.never()
    }

    pub fn iter_concurrent<O>(
        &mut self,
        op: impl AsyncFn() -> O + Asynchronous,
    ) -> Result<(), Failed> {
        op.never()
    }

    pub fn try_iter_concurrent<T, E: Display>(
        &mut self,
        op: impl AsyncFn() -> Result<T, E> + Asynchronous,
    ) -> Result<(), Failed> {
        op.never()
    }
}
