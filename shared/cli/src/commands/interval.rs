//! The time between the questions of a command that goes on.

use std::time::Duration;

/// The time from one question to the next of a command that goes on: it grows while nothing changes.
pub struct Interval(Duration);

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);

impl Default for Interval {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Interval {
    /// Waits, after a question whose answer was another than the last one or was not.
    pub async fn after(&mut self, has_changed: bool) {
        self.0 = if has_changed { FIRST } else { (self.0 * 3 / 2).min(LONGEST) };
        tokio::time::sleep(self.0).await;
    }
}
