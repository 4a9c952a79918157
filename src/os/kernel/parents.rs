//! What prctl(2) settles between a process and its parents: with whom it ends, and whose orphans it adopts.

use std::io;

use super::done;

/// Asks the kernel to kill this process when the thread that started it ends.
pub(crate) fn die_with_parent() -> io::Result<()> {
    let signal = libc::SIGKILL as libc::c_ulong;
    // SAFETY: this option only takes a number.
    done(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal) }).map(drop)
}

/// Makes this process the parent of the orphans among its descendants.
pub(crate) fn adopt_orphans() -> io::Result<()> {
    let yes: libc::c_ulong = 1;
    // SAFETY: this option only takes a number.
    done(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, yes) }).map(drop)
}

/// Whether [`adopt_orphans`] is possible here. It asks without changing anything.
pub(crate) fn can_adopt_orphans() -> bool {
    let mut adopts: libc::c_int = 0;
    // SAFETY: this option fills the number to which the pointer leads.
    done(unsafe { libc::prctl(libc::PR_GET_CHILD_SUBREAPER, &raw mut adopts) }).is_ok()
}
