//! Renderings of outcomes: data first, one small file for each format.
//!
//! A rendering never words a verdict of its own: it shows the sentence that the outcome carries.

pub mod count;
pub mod github;
mod plain;
pub mod terminal;
pub mod used;
