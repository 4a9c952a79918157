//! The renderings of outcomes, one small file for each format, and the progress line of a terminal.
//!
//! A rendering does not word a verdict of its own: it shows the sentence that the outcome carries.

pub mod change;
pub mod count;
pub mod github;
pub mod headline;
pub mod line;
pub mod next;
mod plain;
pub mod table;
pub mod terminal;
pub mod used;
