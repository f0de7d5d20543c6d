//! Watching a run: as it stands, then each time it has changed. Where the store hears of writes, a question is answered by
//! the next one; else questions are asked again, with growing pauses.

use std::time::Duration;

use dacapo_domain::{Id, RunView, State, Version, WaitsFor, until};
use tokio::time::{Instant, sleep_until, timeout};

use super::Client;
use crate::Error;

/// The time from one question to the next, at first and at most: it grows while nothing changes.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// The changes of a run: see [`Client::watch`].
pub struct RunWatch {
    client: Client,
    id: Id,
    last: Option<(RunView, Version)>,
    /// The time of the next question, and the pause after it.
    next: Instant,
    pause: Duration,
}

impl Client {
    /// The changes of a run, one after another. The embedded engine tells of each; on AWS each question is a read of the
    /// table, the more seldom the longer nothing changes, up to one in two seconds. What lies between two answers isn't seen.
    ///
    /// # Example: its progress until its end
    ///
    /// ```
    /// use dacapo::{Client, Error, Id};
    ///
    /// async fn follow(client: &Client, id: Id) -> Result<(), Error> {
    ///     let mut watch = client.watch(id);
    ///     loop {
    ///         let run = watch.next().await?;
    ///         println!("{} {}", run.state, run.progress_message.unwrap_or_default());
    ///         if run.state.is_final() {
    ///             return Ok(());
    ///         }
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn watch(&self, id: Id) -> RunWatch {
        RunWatch { client: self.clone(), id, last: None, next: Instant::now(), pause: PAUSE.0 }
    }
}

impl RunWatch {
    /// The run as it stands, at first at once, then as soon as it is another than the last that was given; one that has
    /// ended is given again and again.
    ///
    /// # Errors
    /// `NotFound` if there is no such run; an error of the store, after which it can be asked again.
    pub async fn next(&mut self) -> Result<RunView, Error> {
        loop {
            sleep_until(self.next).await;
            let asked = Instant::now();
            (self.next, self.pause) = (asked + self.pause, (self.pause * 3 / 2).min(PAUSE.1));
            let (run, version) = self.ask().await?;
            let has_changed = self.last.as_ref().is_none_or(|(last, _)| *last != run);
            self.last = Some((run.clone(), version));
            if run.state.is_final() || has_changed {
                (self.next, self.pause) = (asked + PAUSE.0, PAUSE.0);
                return Ok(run);
            }
        }
    }

    /// The run after the write that was seen last, as far as its store waits for one. What is due becomes so without one.
    async fn ask(&self) -> Result<(RunView, Version), Error> {
        let Some((last, seen)) = &self.last else { return self.client.after(self.id, None).await };
        // How many of its children have ended stands beside the run, and one that has ended is written no more.
        let is_told = !last.state.is_final() && !matches!(last.waits_for, Some(WaitsFor::Children { .. }));
        let seen = Some(*seen).filter(|_| is_told);
        let asked = self.client.after(self.id, seen);
        if last.state != State::Scheduled {
            return asked.await;
        }
        match timeout(until(self.client.ports().clock.now(), last.due_at), asked).await {
            Ok(run) => run,
            Err(_) => self.client.after(self.id, None).await,
        }
    }
}
