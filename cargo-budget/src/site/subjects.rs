//! The first lines of commit messages, from the clone.

use std::collections::HashMap;
use std::path::Path;

use super::names::is_hash;
use crate::git::output_of;

/// The number of commits that git is asked for at once, since a command line is bounded.
const AT_ONCE: usize = 200;

/// Returns the first line of the message of each commit that the clone in this directory has.
pub(super) fn read<'h>(
    directory: Option<&Path>,
    commits: impl Iterator<Item = &'h str>,
) -> HashMap<String, String> {
    let commits: Vec<&str> = commits.filter(|commit| is_hash(commit)).collect();
    let mut subjects = HashMap::new();
    let Some(directory) = directory else { return subjects };
    for part in commits.chunks(AT_ONCE) {
        let options = ["log", "--no-walk=unsorted", "--ignore-missing", "--format=%H %s"];
        let arguments: Vec<&str> = options.into_iter().chain(part.iter().copied()).collect();
        let printed = output_of(directory, &arguments).unwrap_or_default();
        let lines = printed.lines().filter_map(|line| line.split_once(' '));
        subjects.extend(lines.map(|(hash, subject)| (hash.to_owned(), subject.to_owned())));
    }
    subjects
}
