//! The sections of a program or a module.

/// The name and the content of each section.
pub(super) type Sections = Vec<(String, Vec<u8>)>;
