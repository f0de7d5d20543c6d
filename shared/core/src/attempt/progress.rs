//! The progress of a run, stored at most once a second.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use dacapo_domain::{Input, Progress};
use tokio::time::{Instant, sleep};

use super::{
    TaskAttempt,
    task::{Pending, lock},
};
use crate::{Error, port::LogLevel};

impl TaskAttempt {
    /// Says how far the run is. Calls within a second of the last are merged; the last of them is stored a second after
    /// that one. A fraction that is not within 0 to 1 counts as the nearest that is, and as 0 where it is no number; the
    /// run's log says so once.
    ///
    /// # Errors
    /// `Refused` where the attempt's lease is lost, or the run has ended; else what the store says.
    pub async fn progress(self: &Arc<Self>, message: String, fraction: f64) -> Result<(), Error> {
        let progress = Progress { message, fraction: self.clamped(fraction).await };
        {
            let mut pending = lock(&self.pending);
            let wait = pending.wait();
            if !wait.is_zero() {
                if pending.progress.replace(progress).is_none() {
                    tokio::spawn(Arc::clone(self).store_pending(wait));
                }
                return Ok(());
            }
            *pending = Pending { progress: None, stored_at: Some(Instant::now()) };
        }
        self.publish_progress(&progress, self.payloads_told().await).await;
        self.change(&Input::Progressed(self.token, progress)).await
    }

    /// Stores what was merged, unless the attempt has ended meanwhile and taken it along.
    async fn store_pending(self: Arc<Self>, wait: Duration) {
        sleep(wait).await;
        let payloads = self.payloads_told().await;
        let run = self.record().await;
        let Some(progress) = lock(&self.pending).progress.take() else { return };
        lock(&self.pending).stored_at = Some(Instant::now());
        // One try: the outcome must not wait for it, and takes along what could not be stored.
        self.publish_progress(&progress, payloads).await;
        let now = self.app().ports().clock.now();
        if let Err(error) = self.write(run, &Input::Progressed(self.token, progress.clone()), now).await {
            tracing::warn!(run = %self.run().id, %error, "progress could not be stored yet");
            lock(&self.pending).progress.get_or_insert(progress);
        }
    }

    async fn clamped(&self, fraction: f64) -> f64 {
        if (0.0..=1.0).contains(&fraction) {
            return fraction;
        }
        let clamped = if fraction.is_nan() { 0.0 } else { fraction.clamp(0.0, 1.0) };
        if !self.has_clamped.swap(true, Ordering::Relaxed) {
            let message =
                format!("a progress of {fraction:?} counts as {clamped} (allowed: 0 to 1, where 1 is all of it)");
            if let Err(error) = self.log(LogLevel::Error, message, None, None).await {
                tracing::warn!(run = %self.run().id, %error, "a progress out of range could not be logged");
            }
        }
        clamped
    }
}
