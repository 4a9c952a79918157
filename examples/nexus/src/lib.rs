//! A search over embeddings, as small as it can be and do what seed document 004 claims of one: vectors quantised to
//! one bit a dimension, replies that are read without being decoded, and four routes to an answer.

pub mod allocation;
pub mod embedding;
pub mod reply;
pub mod route;
pub mod runtime;
pub mod search;
pub mod server;
pub mod simd;
