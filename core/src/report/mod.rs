//! Renderings of outcomes: data first, one small file for each format; and the line of progress on a terminal.
//!
//! A rendering never words a verdict of its own: it shows the sentence that the outcome carries.

pub mod count;
pub mod github;
pub mod line;
mod plain;
pub mod terminal;
pub mod used;
