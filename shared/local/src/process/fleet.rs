//! The processes of all functions together: each costs file handles, of which there are so many.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Program, Stamp, one::Process};
use crate::{
    engine_log::{EngineLog, EngineLogs},
    runtime_api::Slots,
};

/// File handles that a process costs: its output, its connections, and what tells of its end.
const HANDLES_OF_PROCESS: u64 = 6;
/// File handles that no process takes: they are for the database, and for those who call the engine.
const RESERVE: u64 = 32;
/// File handles to ask for, at most: what some systems refuse to go beyond.
const ENOUGH: u64 = 10_240;

/// The processes of all functions: so many at once, of which some are idle.
pub struct Fleet {
    slots: Slots,
    logs: EngineLogs,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Process>>,
    has_said: AtomicBool,
}

impl Fleet {
    /// As many processes as this process's [limit of file handles](handles) allows.
    pub fn new(slots: Slots, logs: EngineLogs) -> Self {
        Self::of(permits(handles()), slots, logs)
    }

    /// So many processes.
    pub fn of(permits: usize, slots: Slots, logs: EngineLogs) -> Self {
        let (permits, idle) = (Arc::new(Semaphore::new(permits)), Mutex::default());
        Self { slots, logs, permits, idle, has_said: AtomicBool::new(false) }
    }

    /// An idle process of a function's program as it is now. Those of a former one end here.
    pub fn idle(&self, program: &Arc<Program>) -> Option<Process> {
        let now = Stamp::of(&program.path);
        let mut idle = self.lock();
        idle.retain_mut(Process::lives);
        let living = idle.len();
        let is_current = |process: &Process| process.program == *program && now.is_none_or(|_| process.stamp == now);
        idle.retain(|process| process.program.function != program.function || is_current(process));
        if idle.len() < living {
            self.log(EngineLog::Changed { function: program.function.clone() });
        }
        let at = idle.iter().rposition(|process| process.program == *program)?;
        Some(idle.remove(at))
    }

    /// Starts a process, in the place of the one that has been idle for longest if there is no other.
    ///
    /// # Errors
    /// The system's, as for a binary that isn't there.
    pub async fn start(&self, program: Arc<Program>) -> io::Result<Process> {
        let permit = self.permit().await.map_err(io::Error::other)?;
        Process::start(program, permit, &self.slots, &self.logs)
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, tokio::sync::AcquireError> {
        if let Ok(permit) = self.permits.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let longest_idle = {
            let mut idle = self.lock();
            (!idle.is_empty()).then(|| idle.remove(0))
        };
        if longest_idle.is_none() && !self.has_said.swap(true, Relaxed) {
            let handles = handles().unwrap_or_default();
            let text = "all processes that the limit of open files allows are busy: others wait for their end";
            self.log(EngineLog::Note(format!("{text} (the limit is {handles}: raise it, as by `ulimit -n {ENOUGH}`)")));
        }
        drop(longest_idle);
        self.permits.clone().acquire_owned().await
    }

    /// Keeps a process for the next invocation, unless its place is wanted.
    pub fn keep(&self, process: Process) {
        if self.permits.available_permits() > 0 {
            self.lock().push(process);
        }
    }

    /// Ends the idle processes of a function.
    pub fn end(&self, function: &str) {
        self.lock().retain(|process| process.program.function != function);
    }

    pub fn log(&self, log: EngineLog) {
        (self.logs)(log);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Process>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The remedy of a process that could not be started.
pub fn remedy(error: &io::Error) -> String {
    match handles() {
        Some(handles) if is_out_of_handles(error) => {
            format!("the limit of open files is {handles}: raise it, as by `ulimit -n {ENOUGH}`")
        }
        _ => "build it with `cargo build`".to_owned(),
    }
}

/// The processes for which so many file handles suffice: one at least.
fn permits(handles: Option<u64>) -> usize {
    let permits = handles.unwrap_or(u64::MAX).saturating_sub(RESERVE) / HANDLES_OF_PROCESS;
    usize::try_from(permits).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS)
}

/// Raises this process's limit of file handles as far as it goes and is of use; gives it. `None` where there is none.
#[cfg(unix)]
fn handles() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(ENOUGH).min(ENOUGH);
    if current.is_some_and(|current| current < wanted) {
        // Where it is refused, what was allowed before still is.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
    getrlimit(Resource::Nofile).current
}

#[cfg(not(unix))]
fn handles() -> Option<u64> {
    None
}

#[cfg(unix)]
fn is_out_of_handles(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    code == Some(rustix::io::Errno::MFILE.raw_os_error()) || code == Some(rustix::io::Errno::NFILE.raw_os_error())
}

#[cfg(not(unix))]
fn is_out_of_handles(_: &io::Error) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_leave_file_handles_to_connections() {
        for (handles, processes) in [(Some(0), 1), (Some(48), 2), (Some(64), 5), (Some(256), 37), (Some(10_240), 1_701)]
        {
            assert_eq!(permits(handles), processes, "{handles:?}");
        }
        assert_eq!(permits(None), Semaphore::MAX_PERMITS);
    }

    #[cfg(unix)]
    #[test]
    fn process_without_a_file_handle_is_told_with_the_limit() {
        let error = io::Error::from_raw_os_error(rustix::io::Errno::MFILE.raw_os_error());
        let handles = handles().unwrap_or_default();
        assert_eq!(remedy(&error), format!("the limit of open files is {handles}: raise it, as by `ulimit -n 10240`"));
        assert_eq!(remedy(&io::Error::from(io::ErrorKind::NotFound)), "build it with `cargo build`");
    }
}
