//! A small search engine, in which each feature of the package makes one function worse.

pub mod count;
pub mod index;
pub mod parts;
pub mod score;
pub mod show;
pub mod tasks;
pub mod text;
pub mod threads;
