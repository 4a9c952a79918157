//! What a local-first application is made of, each in two ways, so that one can be held against the other:
//! how memory is laid out, and how it starts.

pub mod memory;
pub mod startup;
