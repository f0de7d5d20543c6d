//! The processes that a function's process has started: they end with the process, as all of a sandbox ends on Lambda.

/// The variable that is inherited by what a process starts, and whose value no other function's process has.
pub const MARK: &str = "AWS_LAMBDA_RUNTIME_API";

/// A function's process and what it has started.
#[cfg(unix)]
pub struct Offspring {
    /// The process's id, and that of the group that it leads.
    leader: Option<rustix::process::Pid>,
    mark: String,
}

#[cfg(unix)]
impl Offspring {
    /// Those of the process of this id, which leads a group, with the value of its [`MARK`].
    pub fn new(leader: Option<u32>, mark: String) -> Self {
        Self { leader: leader.and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())), mark }
    }

    /// Kills them, the process itself last.
    pub fn end(&self) {
        use rustix::process::{Signal, kill_process_group};

        self.end_those_outside();
        // An empty group is as good.
        let _ = self.leader.map(|leader| kill_process_group(leader, Signal::KILL));
    }

    /// Kills those that have left the group, as by `setsid`: they still have the mark.
    #[cfg(target_os = "linux")]
    fn end_those_outside(&self) {
        use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

        let mark = format!("{MARK}={}", self.mark);
        for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let id = process.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
            // Held from before it is looked at, so that nothing else is killed that has its id by then.
            let Some(handle) = id.filter(|id| Some(*id) != self.leader).map(|id| pidfd_open(id, PidfdFlags::empty()))
            else {
                continue;
            };
            let variables = std::fs::read(process.path().join("environ")).unwrap_or_default();
            if let Ok(handle) = handle
                && variables.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
            {
                let _ = pidfd_send_signal(handle, Signal::KILL);
            }
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn end_those_outside(&self) {}
}

/// Elsewhere the process alone ends.
#[cfg(not(unix))]
pub struct Offspring;

#[cfg(not(unix))]
impl Offspring {
    pub fn new(_: Option<u32>, _: String) -> Self {
        Self
    }

    pub fn end(&self) {}
}
