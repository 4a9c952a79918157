//! A Windows job: a process and everything that it starts, counted and ended as one; and what it holds and has used.

#![expect(unsafe_code, reason = "system calls that the standard library does not offer")]

use std::io;
use std::mem::size_of;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::process::Child;
use std::ptr::{null, null_mut};
use std::sync::OnceLock;
use std::time::Duration;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, FILETIME, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, TH32CS_SNAPTHREAD, THREADENTRY32, Thread32First, Thread32Next,
};
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOBOBJECT_BASIC_ACCOUNTING_INFORMATION, JOBOBJECT_BASIC_AND_IO_ACCOUNTING_INFORMATION,
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectBasicAccountingInformation,
    JobObjectBasicAndIoAccountingInformation, JobObjectBasicProcessIdList,
    JobObjectExtendedLimitInformation, QueryInformationJobObject, SetInformationJobObject,
    TerminateJobObject,
};
use windows_sys::Win32::System::ProcessStatus::{K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS};
use windows_sys::Win32::System::Threading::{
    CREATE_SUSPENDED, GetCurrentProcess, GetProcessTimes, OpenProcess, OpenThread,
    PROCESS_QUERY_LIMITED_INFORMATION, ResumeThread, THREAD_SUSPEND_RESUME,
};

use super::traffic::Traffic;

/// The creation flag of a process that [`Job::adopt`] takes in: a suspended process does nothing, and so starts no
/// other process outside of the job.
pub(crate) const SUSPENDED: u32 = CREATE_SUSPENDED;

/// A job. Everything in it ends when this value is dropped, or when this process ends for any reason.
#[derive(Debug)]
pub(crate) struct Job(OwnedHandle);

/// What the processes of a job have used, including those that have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Used {
    /// Their user and system time, which Windows counts in ticks.
    pub(crate) cpu: Duration,
    /// The number of these processes.
    pub(crate) processes: usize,
    /// Their page faults of both kinds, which Windows does not tell apart; `None` if it tells none: no process runs without one.
    pub(crate) faults: Option<u64>,
}

/// What living processes hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// The number of these processes.
    pub(crate) processes: usize,
    /// The sum of their working sets, in bytes.
    pub(crate) rss: u64,
    /// The sum of the largest working sets that they ever had, in bytes.
    pub(crate) peak_rss: u64,
}

/// The ids of the processes of a job, in the form of the system's own structure, which has room for one id.
#[repr(C)]
struct Ids {
    assigned: u32,
    listed: u32,
    ids: [usize; 1024],
}

/// Puts this process into a job, once, so that the processes that it starts end with it, from their first moment on. Between its
/// making and [`Job::adopt`] a process is in no other job, and this process may be killed then.
///
/// If the system refuses, such a process is left, suspended, if this process is killed just then; nothing else differs. Windows has
/// jobs within jobs since version 8, so that the job in which this process may be does not stand in the way.
pub(crate) fn end_children_with_this_process() {
    static OWN: OnceLock<Option<Job>> = OnceLock::new();
    OWN.get_or_init(|| {
        let job = Job::new().ok()?;
        // SAFETY: the handle of the job is open, and that of this process needs no closing.
        done(unsafe { AssignProcessToJobObject(job.raw(), GetCurrentProcess()) }).ok()?;
        Some(job)
    });
}

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
        Ok(self.counts()?.ActiveProcesses as usize)
    }

    /// Returns what the processes in the job have used so far.
    pub(crate) fn used(&self) -> io::Result<Used> {
        let counts = self.counts()?;
        let ticks = counts.TotalUserTime.saturating_add(counts.TotalKernelTime);
        Ok(Used {
            cpu: duration(u64::try_from(ticks).unwrap_or(0)),
            processes: counts.TotalProcesses as usize,
            faults: Some(u64::from(counts.TotalPageFaultCount)).filter(|&faults| faults > 0),
        })
    }

    /// Returns the bytes that the processes in the job have read and written so far, including those that have ended. Files,
    /// pipes, sockets and devices all count.
    pub(crate) fn traffic(&self) -> io::Result<Traffic> {
        let mut counts = JOBOBJECT_BASIC_AND_IO_ACCOUNTING_INFORMATION::default();
        // SAFETY: the class is that of the value.
        unsafe { self.query(JobObjectBasicAndIoAccountingInformation, &mut counts) }?;
        Ok(Traffic {
            read: counts.IoInfo.ReadTransferCount,
            written: counts.IoInfo.WriteTransferCount,
        })
    }

    /// Returns what the living processes hold. A process that ends in the meantime holds nothing.
    ///
    /// # Errors
    /// If the system does not report what one of them holds.
    pub(crate) fn held(&self) -> io::Result<Held> {
        let mut list = Ids { assigned: 0, listed: 0, ids: [0; 1024] };
        // SAFETY: the list begins as the class says, and has room for more ids.
        unsafe { self.query(JobObjectBasicProcessIdList, &mut list) }?;
        let mut held = Held::default();
        for id in &list.ids[..(list.listed as usize).min(list.ids.len())] {
            // SAFETY: the call only takes numbers.
            let opened = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, *id as u32) };
            let process = match owned(opened) {
                Err(error) if error.raw_os_error() == Some(ERROR_INVALID_PARAMETER as i32) => {
                    continue;
                }
                opened => opened?,
            };
            let memory = memory(process.as_raw_handle())?;
            held.processes += 1;
            held.rss += memory.WorkingSetSize as u64;
            held.peak_rss += memory.PeakWorkingSetSize as u64;
        }
        Ok(held)
    }

    fn counts(&self) -> io::Result<JOBOBJECT_BASIC_ACCOUNTING_INFORMATION> {
        let mut counts = JOBOBJECT_BASIC_ACCOUNTING_INFORMATION::default();
        // SAFETY: the class is that of the value.
        unsafe { self.query(JobObjectBasicAccountingInformation, &mut counts) }?;
        Ok(counts)
    }

    /// Fills `answer` with what the system says of the job.
    ///
    /// # Safety
    /// `class` has to be that of the type of `answer`, and every pattern of bits has to be a value of that type.
    unsafe fn query<T>(&self, class: i32, answer: &mut T) -> io::Result<()> {
        let size = size_of::<T>() as u32;
        // SAFETY: the pointer is to a live, writable value of the class and size that are given; the last one may be null.
        done(unsafe {
            let answer = (&raw mut *answer).cast();
            QueryInformationJobObject(self.raw(), class, answer, size, null_mut())
        })
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

/// Returns the largest working set that the process ever had, in bytes, also once it has ended.
pub(crate) fn peak_rss(child: &Child) -> io::Result<u64> {
    Ok(memory(child.as_raw_handle())?.PeakWorkingSetSize as u64)
}

/// Returns the user and system time of the process, which Windows counts in ticks.
pub(crate) fn processor_time(child: &Child) -> io::Result<Duration> {
    let [mut created, mut ended, mut kernel, mut user] = [FILETIME::default(); 4];
    // SAFETY: the handle is open as long as its owner lives, and each pointer is to a live, writable value.
    done(unsafe {
        let process = child.as_raw_handle();
        GetProcessTimes(process, &raw mut created, &raw mut ended, &raw mut kernel, &raw mut user)
    })?;
    let ticks =
        |time: FILETIME| u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime);
    Ok(duration(ticks(kernel).saturating_add(ticks(user))))
}

/// Converts a number of units of 100 ns, in which Windows counts time.
fn duration(units: u64) -> Duration {
    Duration::from_nanos(units.saturating_mul(100))
}

fn memory(process: HANDLE) -> io::Result<PROCESS_MEMORY_COUNTERS> {
    let size = size_of::<PROCESS_MEMORY_COUNTERS>() as u32;
    let mut memory = PROCESS_MEMORY_COUNTERS { cb: size, ..PROCESS_MEMORY_COUNTERS::default() };
    // SAFETY: the handle is open, and the pointer is to a live, writable value of the size that is given.
    done(unsafe { K32GetProcessMemoryInfo(process, &raw mut memory, size) })?;
    Ok(memory)
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
