//! A word on a terminal that a command waits for its answer, once that takes longer than a second.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indicatif::ProgressBar;

/// The time for which nothing need be said.
pub const UNNOTICED: Duration = Duration::from_secs(1);

static WAITING: Mutex<Waiting> = Mutex::new(Waiting::Unnoticed);

enum Waiting {
    Unnoticed,
    Shown(ProgressBar),
    Over,
}

/// Shows that the command waits, unless it has said something already.
pub fn show() {
    let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
    if matches!(*waiting, Waiting::Unnoticed) {
        let spinner = ProgressBar::new_spinner().with_message("waiting for an answer");
        spinner.enable_steady_tick(Duration::from_millis(120));
        *waiting = Waiting::Shown(spinner);
    }
}

/// Clears it: the command has something to say.
pub fn is_over() {
    let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Waiting::Shown(spinner) = std::mem::replace(&mut *waiting, Waiting::Over) {
        spinner.finish_and_clear();
    }
}
