//! The progress of an app with faults: what is due goes on beside what runs, by tokio's paused clock.

use std::{panic::resume_unwind, pin::pin, time::Duration};

use dacapo_core::port::Clock;
use dacapo_domain::until;
use dacapo_local::engine::Turn;
use jiff::Timestamp;
use tokio::{
    task::JoinError,
    time::{Instant, sleep},
};

use crate::app::{AT_ONE_MOMENT, MOMENT, TestApp, done};

impl TestApp {
    /// Lets time pass up to an end, and all happen that is due meanwhile; or until nothing is left to do. Says whether that
    /// came first.
    pub(crate) async fn go_on(&self, end: Timestamp, until_idle: bool) -> bool {
        assert!(is_paused(), "an app with faults needs tokio's clock to be paused (`start_paused = true`)");
        let (mut running, mut pieces) = (self.running.lock().await, (Timestamp::MIN, 0));
        loop {
            let Turn { work, next } = done(self.engine.take(|_| usize::MAX).await);
            let now = self.clock.now();
            pieces = (now, if pieces.0 == now { pieces.1 + work.len() } else { work.len() });
            assert!(pieces.1 <= AT_ONE_MOMENT, "something starts itself again and again at {now}");
            for work in work {
                let engine = self.engine.clone();
                running.spawn(async move { engine.perform(work).await });
            }
            if until_idle && running.is_empty() {
                match self.next_work().await {
                    Some(work) if work <= end => {}
                    work => return work.is_none(),
                }
            }
            if now >= end {
                return false;
            }
            let mut passes = pin!(sleep(until(now, next.unwrap_or(end).min(end)).max(MOMENT)));
            loop {
                tokio::select! {
                    biased;
                    Some(ended) = running.join_next() => {
                        ended.unwrap_or_else(panicked);
                        if running.is_empty() {
                            break;
                        }
                    }
                    () = self.database.changed() => break,
                    () = &mut passes => break,
                }
            }
        }
    }
}

/// Is true where tokio's clock stands still while the machine's goes on.
fn is_paused() -> bool {
    let (since, by_tokio) = (std::time::Instant::now(), Instant::now());
    while since.elapsed() < Duration::from_micros(1) {}
    by_tokio.elapsed().is_zero()
}

fn panicked(error: JoinError) {
    if let Ok(panic) = error.try_into_panic() {
        resume_unwind(panic);
    }
}
