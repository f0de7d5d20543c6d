//! The engine by the machine's clock: it sleeps until something is due, and never asks in vain.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use dacapo_core::port::PortResult;
use dacapo_domain::{CONDUCTOR, until};
use tokio::{sync::Semaphore, task::JoinSet};

use super::{Engine, take::WAIT_LOOPS};
use crate::sqlite::APP_DLQ;

/// The pause after the database failed.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest sleep: the machine may have been suspended, which no timer notices.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// The invocations that may run at once.
#[derive(Clone, Copy, Debug)]
pub struct Permits {
    /// Of each function.
    pub function: usize,
    /// Of each function, by wait loops.
    pub wait_loops: usize,
}

impl Default for Permits {
    fn default() -> Self {
        Self { function: 64, wait_loops: 64 }
    }
}

/// The event that the loop waits for, apart from changes.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    /// So much time.
    After(Duration),
    /// The end of an invocation.
    Room,
}

/// The loop that drives an engine until it is told to stop.
pub struct EngineLoop {
    engine: Arc<Engine>,
    permits: Permits,
    rooms: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl EngineLoop {
    /// The loop of an engine, with so many permits.
    #[must_use]
    pub fn new(engine: Arc<Engine>, permits: Permits) -> Self {
        Self { engine, permits, rooms: Mutex::default() }
    }

    /// Delivers what is deployed until `stop` comes, then waits up to `grace` for what runs.
    ///
    /// # Errors
    /// If the database can't be used at the start; later failures are said and tried again.
    pub async fn run(self, stop: impl Future<Output = ()>, grace: Duration) -> PortResult<()> {
        self.engine.database.recover().await?;
        let (mut running, mut said) = (JoinSet::new(), None);
        let mut stop = std::pin::pin!(stop);
        'turns: loop {
            let turned = self.turn(&mut running).await;
            let failed = turned.as_ref().err().map(ToString::to_string);
            if let Some(error) = failed.as_ref().filter(|error| said.as_ref() != Some(*error)) {
                self.engine.note(format!("the engine pauses, and tries again each second: {error}"));
            }
            said = failed;
            let next = turned.unwrap_or(Next::After(PAUSE));
            let sleep = match next {
                Next::After(pause) => pause.min(LONGEST_SLEEP),
                Next::Room => LONGEST_SLEEP,
            };
            let mut sleep = std::pin::pin!(tokio::time::sleep(sleep));
            loop {
                tokio::select! {
                    biased;
                    () = &mut stop => break 'turns,
                    () = self.engine.database.changed() => break,
                    Some(_) = running.join_next() => {
                        while running.try_join_next().is_some() {}
                        if next == Next::Room {
                            break;
                        }
                    }
                    () = &mut sleep => break,
                }
            }
        }
        let rest = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, rest).await.is_err() {
            self.engine.note("what still runs is given up: it is delivered again later".to_owned());
        }
        Ok(())
    }

    /// Starts what is due and says what to wait for, apart from changes.
    async fn turn(&self, running: &mut JoinSet<()>) -> PortResult<Next> {
        let due = self.engine.take(|room| self.room(room).available_permits()).await?;
        for work in due.work {
            let permit = self.room(&work.room()).try_acquire_owned().ok();
            let engine = self.engine.clone();
            running.spawn(async move {
                engine.perform(work).await;
                drop(permit);
            });
        }
        let now = self.engine.clock.now();
        Ok(match due.next {
            // What was due and not taken has found no room.
            Some(due) if due <= now => Next::Room,
            Some(due) => Next::After(until(now, due)),
            None => Next::After(LONGEST_SLEEP),
        })
    }

    /// The room of a name; functions come and go.
    fn room(&self, name: &str) -> Arc<Semaphore> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(room) = rooms.get(name) {
            return room.clone();
        }
        let permits = match name {
            CONDUCTOR => 4,
            APP_DLQ => 1,
            name if name.starts_with(WAIT_LOOPS) => self.permits.wait_loops,
            _ => self.permits.function,
        };
        rooms.entry(name.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(permits))).clone()
    }
}
