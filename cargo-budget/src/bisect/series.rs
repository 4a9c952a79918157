//! The series that a search goes through: commits, the changed packages of a lock file, or toolchains, one after the other.

use crate::base::TemporaryWorkTree;
use crate::failure::Failure;

/// A series in which a limit became red. The good side comes right before the first entry, and the last entry is bad.
pub(super) trait Series {
    /// Returns the number of entries.
    fn len(&self) -> usize;

    /// Returns a name for an entry that no other entry has, and that can be the name of a file.
    fn name(&self, at: usize) -> String;

    /// Returns how an entry is shown to people.
    fn display_entry(&self, at: usize) -> String;

    /// Returns the word for one entry.
    fn entry_kind(&self) -> &'static str;

    /// Returns the commit of an entry; `None` if the entry has more than the files of a commit.
    fn commit(&self, at: usize) -> Option<&str>;

    /// Returns how the good side is shown to people; `None` if it is a commit.
    fn good(&self) -> Option<&str> {
        None
    }

    /// Checks the good side before the first comparison, such as that its compiler is the one that was named.
    fn verify_good(&self, _: &TemporaryWorkTree) -> Result<(), Failure> {
        Ok(())
    }

    /// Switches the work tree to an entry. The inner error says why that is impossible for this entry alone.
    fn switch(&self, beside: &TemporaryWorkTree, at: usize) -> Result<Result<(), String>, Failure>;
}
