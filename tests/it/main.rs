//! Every integration test, in one binary, so that the library is linked only once.

mod artifact;
mod module_path;
mod picture;
mod public_items;
mod tidy;
