//! A Windows job: a process and everything that it starts, counted and ended as one.

#![expect(unsafe_code, reason = "system calls that the standard library does not offer")]

use std::io;
use std::mem::size_of;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::process::Child;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, TH32CS_SNAPTHREAD, THREADENTRY32, Thread32First, Thread32Next,
};
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOBOBJECT_BASIC_ACCOUNTING_INFORMATION, JOBOBJECT_EXTENDED_LIMIT_INFORMATION,
    JobObjectBasicAccountingInformation, JobObjectExtendedLimitInformation,
    QueryInformationJobObject, SetInformationJobObject, TerminateJobObject,
};
use windows_sys::Win32::System::Threading::{
    CREATE_SUSPENDED, OpenThread, ResumeThread, THREAD_SUSPEND_RESUME,
};

/// The creation flag of a process that [`Job::adopt`] takes in: a suspended process does nothing, and so starts no
/// other process outside of the job.
pub(crate) const SUSPENDED: u32 = CREATE_SUSPENDED;

/// A job. Everything in it ends when this value is dropped, or when this process ends for any reason.
#[derive(Debug)]
pub(crate) struct Job(OwnedHandle);

impl Job {
    /// Creates an empty job.
    pub(crate) fn new() -> io::Result<Job> {
        // SAFETY: both pointers may be null.
        let job = Job(owned(unsafe { CreateJobObjectW(null(), null()) })?);
        let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        let size = size_of::<JOBOBJECT_EXTENDED_LIMIT_INFORMATION>() as u32;
        // SAFETY: the pointer is to a live value of the class and size that are given.
        done(unsafe {
            let limits = (&raw const limits).cast();
            SetInformationJobObject(job.raw(), JobObjectExtendedLimitInformation, limits, size)
        })?;
        Ok(job)
    }

    /// Puts a process that was created suspended into the job, and lets it run.
    pub(crate) fn adopt(&self, child: &Child) -> io::Result<()> {
        // SAFETY: both handles are open as long as their owners live.
        done(unsafe { AssignProcessToJobObject(self.raw(), child.as_raw_handle()) })?;
        resume(child.id())
    }

    /// Returns how many processes in the job have not ended.
    pub(crate) fn living(&self) -> io::Result<usize> {
        let mut counts = JOBOBJECT_BASIC_ACCOUNTING_INFORMATION::default();
        let size = size_of::<JOBOBJECT_BASIC_ACCOUNTING_INFORMATION>() as u32;
        // SAFETY: the pointer is to a live, writable value of the class and size that are given; the last one may be
        // null.
        done(unsafe {
            let (job, counts) = (self.raw(), (&raw mut counts).cast());
            let class = JobObjectBasicAccountingInformation;
            QueryInformationJobObject(job, class, counts, size, null_mut())
        })?;
        Ok(counts.ActiveProcesses as usize)
    }

    /// Ends everything in the job. The processes may take a moment to go.
    pub(crate) fn end(&self) -> io::Result<()> {
        // SAFETY: the handle is open as long as this value lives.
        done(unsafe { TerminateJobObject(self.raw(), 1) })
    }

    fn raw(&self) -> HANDLE {
        self.0.as_raw_handle()
    }
}

/// Lets a process run that was created suspended: resumes its only thread.
fn resume(process: u32) -> io::Result<()> {
    // SAFETY: the call only takes numbers.
    let all = owned(unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0) })?;
    let size = size_of::<THREADENTRY32>() as u32;
    let mut entry = THREADENTRY32 { dwSize: size, ..THREADENTRY32::default() };
    // SAFETY: the snapshot is open, and the entry is live, writable and of the size that it gives.
    let mut found = unsafe { Thread32First(all.as_raw_handle(), &raw mut entry) };
    while found != 0 {
        if entry.th32OwnerProcessID == process {
            // SAFETY: the call only takes numbers.
            let opened = unsafe { OpenThread(THREAD_SUSPEND_RESUME, 0, entry.th32ThreadID) };
            let thread = owned(opened)?;
            // SAFETY: the handle is open.
            if unsafe { ResumeThread(thread.as_raw_handle()) } == u32::MAX {
                return Err(io::Error::last_os_error());
            }
            return Ok(());
        }
        // SAFETY: as for the first.
        found = unsafe { Thread32Next(all.as_raw_handle(), &raw mut entry) };
    }
    Err(io::Error::other("its first thread was not found"))
}

/// Takes ownership of the handle that a call returned, if it returned one.
fn owned(handle: HANDLE) -> io::Result<OwnedHandle> {
    if handle.is_null() || handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle was just opened by this process, and nobody else has it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

fn done(returned: i32) -> io::Result<()> {
    if returned == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
