//! One process of a function.

use std::{process::ExitStatus, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader},
    process::Child,
    sync::OwnedSemaphorePermit,
    task::JoinHandle,
    time::Instant,
};

use super::{Program, Stamp};
use crate::{
    engine_log::{EngineLog, EngineLogs},
    offspring::Offspring,
    runtime_api::{Ended, Payload, Slot, Slots},
};

/// The time from a process's start until it asks for work, at most.
const STARTS_WITHIN: Duration = Duration::from_secs(30);
/// The time after its end for which a process's error output may still be on its way.
const OUTPUT_WITHIN: Duration = Duration::from_millis(200);
/// Bytes of a line of its output, at most.
const LONGEST_LINE_BYTES: u64 = 64 * 1024;

/// A process that takes one invocation at a time. Dropped, it is killed.
pub struct Process {
    pub program: Arc<Program>,
    child: Child,
    slot: Arc<Slot>,
    slots: Slots,
    number: u64,
    offspring: Offspring,
    pub stamp: Option<Stamp>,
    /// Is true once it has taken an invocation.
    pub proven: bool,
    errors: Option<JoinHandle<()>>,
    _permit: OwnedSemaphorePermit,
}

/// The end of a process in the middle of an invocation.
#[derive(Debug)]
pub enum ProcessEnded {
    /// The process had ended before it saw the invocation: another one may take it.
    Unseen,
    /// The process died of it, or took too long.
    Crashed { how: String },
}

impl Process {
    pub fn start(
        program: Arc<Program>,
        permit: OwnedSemaphorePermit,
        slots: &Slots,
        logs: &EngineLogs,
    ) -> std::io::Result<Self> {
        let stamp = Stamp::of(&program.path);
        let (number, slot) = slots.take(&program.function);
        let mut child = program.command(number, slots).spawn().inspect_err(|_| slots.leave(number))?;
        let function = program.function.clone();
        logs(EngineLog::Started { function: function.clone(), pid: child.id() });
        if let Some(output) = child.stdout.take() {
            follow(output, function.clone(), logs.clone());
        }
        let errors = child.stderr.take().map(|output| follow(output, function.clone(), logs.clone()));
        let offspring = Offspring::new(child.id(), program.runtime_api(number, slots));
        Ok(Self {
            program,
            child,
            slot,
            slots: slots.clone(),
            number,
            offspring,
            stamp,
            proven: false,
            errors,
            _permit: permit,
        })
    }

    /// Says whether it still runs.
    pub fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Invokes it. After an error it is of no more use.
    pub async fn invoke(&mut self, payload: Payload) -> Result<Ended, ProcessEnded> {
        let limit = self.program.limit;
        let mut calling = self.slot.call(payload, limit);
        let started = Instant::now();
        tokio::select! {
            biased;
            taken = &mut calling.taken => if taken.is_err() {
                return Err(ProcessEnded::Unseen);
            },
            status = self.child.wait() => return Err(self.unseen(status).await),
            () = tokio::time::sleep_until(started + STARTS_WITHIN) => {
                let how = format!("did not ask for work within {} s of its start", STARTS_WITHIN.as_secs());
                return Err(self.stopped(how).await);
            }
        }
        self.proven = true;
        tokio::select! {
            biased;
            ended = &mut calling.ended => match ended {
                Ok(ended) => Ok(ended),
                Err(_) => Err(self.stopped("asked for work before it had answered".to_owned()).await),
            },
            status = self.child.wait() => Err(self.crashed(told(status)).await),
            () = tokio::time::sleep(limit) => {
                let how = format!("timed out after {} s", limit.as_secs_f64());
                Err(self.stopped(how).await)
            }
        }
    }

    async fn unseen(&mut self, status: std::io::Result<ExitStatus>) -> ProcessEnded {
        // One that has worked before may leave once it has answered; one that never has can't start.
        if self.proven {
            return ProcessEnded::Unseen;
        }
        let how = format!("can't start: {} before it asked for work (mend what it says, and build it)", told(status));
        self.crashed(how).await
    }

    async fn stopped(&mut self, how: String) -> ProcessEnded {
        self.offspring.end();
        // It may have ended by itself in this moment.
        let _ = self.child.kill().await;
        self.crashed(how).await
    }

    /// Gives the process's own last words time to come before what is said of it.
    async fn crashed(&mut self, how: String) -> ProcessEnded {
        if let Some(errors) = self.errors.take() {
            let _ = tokio::time::timeout(OUTPUT_WITHIN, errors).await;
        }
        ProcessEnded::Crashed { how }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.offspring.end();
        self.slots.leave(self.number);
    }
}

fn told(status: std::io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => format!("ended with {status}"),
        Err(error) => format!("can't be waited for: {error}"),
    }
}

/// Tells of each line until the output ends.
fn follow(output: impl AsyncRead + Send + Unpin + 'static, function: String, logs: EngineLogs) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut output = BufReader::new(output);
        let mut bytes = vec![];
        // A function may write anything: what is no UTF-8 is shown as far as it is.
        // A line without an end is told in parts.
        while let Ok(1..) = (&mut output).take(LONGEST_LINE_BYTES).read_until(b'\n', &mut bytes).await {
            let line = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
            logs(EngineLog::Line { function: function.clone(), line });
            bytes.clear();
        }
    })
}
