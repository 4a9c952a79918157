//! The series that a search goes through: commits, or the changed packages of a lock file, one after the other.

use crate::base::TemporaryWorkTree;
use crate::failure::Failure;

/// A series in which something became red: the first entry is next to what is good, the last is bad.
pub(super) trait Series {
    /// Returns the number of entries.
    fn len(&self) -> usize;

    /// Returns a name for an entry that no other has, and that can be a file's.
    fn name(&self, at: usize) -> String;

    /// Returns how an entry is shown to people.
    fn display_entry(&self, at: usize) -> String;

    /// Returns what an entry is, in a word.
    fn entry_kind(&self) -> &'static str;

    /// Returns the commit of an entry, where nothing but its files makes it what it is.
    fn commit(&self, at: usize) -> Option<&str>;

    /// Returns how the good side is shown to people, where that is no commit.
    fn good(&self) -> Option<&str> {
        None
    }

    /// Makes sure, before the first comparison, that the good side is what it is called.
    fn verify_good(&self, _: &TemporaryWorkTree) -> Result<(), Failure> {
        Ok(())
    }

    /// Makes the work tree that of an entry. The inner error says why that is impossible, for this entry alone.
    fn switch(&self, beside: &TemporaryWorkTree, at: usize) -> Result<Result<(), String>, Failure>;
}
