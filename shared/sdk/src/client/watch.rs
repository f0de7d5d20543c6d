//! Watching a run: as it stands, then each time it has changed.

use std::time::Duration;

use dacapo_domain::{Id, RunView};
use tokio::time::{Instant, sleep_until};

use super::Client;
use crate::Error;

/// The time from one question to the next, at first and at most: it grows while nothing changes.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// The changes of a run: see [`Client::watch`].
pub struct RunWatch {
    client: Client,
    id: Id,
    last: Option<RunView>,
    /// The time of the next question, and the pause after it.
    next: Instant,
    pause: Duration,
}

impl Client {
    /// The changes of a run, one after another. Each question is a read of the store, the more seldom the longer nothing
    /// changes; what lies between two of them isn't seen.
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
            let run = self.client.state(self.id).await?;
            if run.state.is_final() || self.last.as_ref() != Some(&run) {
                (self.next, self.pause) = (asked + PAUSE.0, PAUSE.0);
                self.last = Some(run.clone());
                return Ok(run);
            }
        }
    }
}
