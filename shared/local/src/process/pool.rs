//! The processes of one function: another is started when all are busy, up to a bound.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Semaphore, time::Instant};

use super::{
    Fleet, Program,
    fleet::remedy,
    one::{Process, ProcessEnded},
};
use crate::{
    InvocationFailed,
    engine_log::EngineLog,
    runtime_api::{Ended, Payload},
};

/// The time for which a binary may be missing, as while it is built.
const BUILT_WITHIN: Duration = Duration::from_secs(60);
const TRY_EVERY: Duration = Duration::from_millis(100);
/// The longest pause between two starts of a function whose processes crash.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The processes of one function.
pub struct Pool {
    function: String,
    program: Mutex<Arc<Program>>,
    permits: Semaphore,
    fleet: Arc<Fleet>,
    trouble: Mutex<Trouble>,
}

/// Crashes in a row.
#[derive(Default)]
struct Trouble {
    crashes: u32,
    not_before: Option<Instant>,
}

impl Pool {
    /// A pool of at most so many processes.
    pub fn new(program: Program, permits: usize, fleet: Arc<Fleet>) -> Self {
        let (function, program) = (program.function.clone(), Mutex::new(Arc::new(program)));
        Self { function, program, permits: Semaphore::new(permits), fleet, trouble: Mutex::default() }
    }

    /// Lets the next processes be of this program: the former ones end with what they do.
    pub fn replace(&self, program: Program) {
        *self.program.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(program);
    }

    fn program(&self) -> Arc<Program> {
        self.program.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Invokes the function: in an idle process, or in a new one, or in the next that becomes idle.
    pub async fn invoke(&self, payload: Payload) -> Result<Ended, InvocationFailed> {
        let _permit = self.permits.acquire().await.map_err(|_| InvocationFailed::new("the engine stops"))?;
        loop {
            let mut process = match self.fleet.idle(&self.program()) {
                Some(process) => process,
                None => self.start().await?,
            };
            match process.invoke(payload.clone()).await {
                Ok(ended) => {
                    *self.trouble() = Trouble::default();
                    self.fleet.keep(process);
                    return match ended {
                        Ended::Failed(error) => Err(InvocationFailed::new(String::from_utf8_lossy(&error))),
                        ended => Ok(ended),
                    };
                }
                Err(ProcessEnded::Unseen) => {}
                Err(ProcessEnded::Crashed { how }) => return Err(self.crashed(how)),
            }
        }
    }

    /// Ends the idle processes and starts no more; those that are busy end with their callers.
    pub fn stop(&self) {
        self.permits.close();
        self.fleet.end(&self.function);
    }

    async fn start(&self) -> Result<Process, InvocationFailed> {
        let not_before = self.trouble().not_before;
        if let Some(not_before) = not_before {
            tokio::time::sleep_until(not_before).await;
        }
        let patience = Instant::now() + BUILT_WITHIN;
        loop {
            // While it is built, the binary is missing, or still open for writing.
            match self.fleet.start(self.program()).await {
                Ok(process) => return Ok(process),
                Err(error) if is_being_built(&error) && Instant::now() < patience => {
                    tokio::time::sleep(TRY_EVERY).await;
                }
                Err(error) => {
                    let (program, remedy) = (self.program(), remedy(&error));
                    let path = program.path.display();
                    return Err(self.crashed(format!("can't start {path}: {error} ({remedy})")));
                }
            }
        }
    }

    fn crashed(&self, how: String) -> InvocationFailed {
        let mut trouble = self.trouble();
        trouble.crashes += 1;
        // The first crash costs no pause, the next ones 1, 2, 4 … seconds.
        let pause = Duration::from_secs(2_u64.saturating_pow(trouble.crashes) / 4).min(LONGEST_PAUSE);
        trouble.not_before = Some(Instant::now() + pause);
        drop(trouble);
        let failed = InvocationFailed::new(&how);
        self.fleet.log(EngineLog::Crashed { function: self.function.clone(), how });
        failed
    }

    fn trouble(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_being_built(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::ExecutableFileBusy)
}
