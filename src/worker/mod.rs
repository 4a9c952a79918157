//! A worker as the harness sees it: a fresh process of a test binary, its request and its reply.

mod build;
pub(crate) mod counting;
pub mod pair;
pub mod process;
pub(crate) mod wire;

#[cfg(target_os = "linux")]
pub(crate) use self::counting::own_variables;
