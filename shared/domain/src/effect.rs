//! Effects: the things that leave a process once a decision is stored.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Json, Message, Schedule, WaitLoopCall, limits};

/// The beginnings of the names of timers, each before a hyphen: of which kind of record the timer is.
pub const TIMERS: [&str; 4] = ["delivery", "event", "pool", "run"];

/// A thing that leaves a process once a decision is stored. Each may happen twice, and bears it; one that fails is left
/// to the conductor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Effect {
    /// Sends a message to a function's queue.
    Send {
        /// The function.
        to: String,
        /// The [`Message`] as JSON.
        message: Json,
        /// The time for which the queue delays it: whole seconds up to 15 minutes, rounded up.
        #[serde(rename = "delayMs", with = "crate::ms")]
        delay: Duration,
    },
    /// Lets a one-time schedule send a message at a time. The same name again replaces the former.
    SendAt {
        /// The schedule's name.
        timer: String,
        /// The function.
        to: String,
        /// The [`Message`] as JSON; ids only, since Scheduler rewrites what looks like its placeholders.
        message: Json,
        /// The time.
        at: Timestamp,
    },
    /// Deletes that schedule. One that isn't there is no error.
    CancelTimer {
        /// The schedule's name.
        timer: String,
    },
    /// Starts the execution of a wait loop, which makes its first call then. One that exists already is no error.
    StartWaitLoop {
        /// The execution's name.
        execution: String,
        /// The call that it makes.
        call: WaitLoopCall,
        /// The time of the first call: whole seconds, rounded up; in the past where it is due.
        until: Timestamp,
    },
    /// Stops an execution. One that has ended, or never was, is no error.
    StopWaitLoop {
        /// The execution's name.
        execution: String,
        /// The cause, for people.
        cause: String,
    },
    /// Keeps a text where people look for it: in the function's own dead-letter queue where it has one, else in the
    /// app's.
    DeadLetter {
        /// The function.
        function: String,
        /// The text.
        text: String,
    },
    /// Creates or replaces the recurring schedule that sends [`Message::Fire`] to a function's queue.
    PutSchedule {
        /// The schedule's name.
        name: String,
        /// The function.
        function: String,
        /// The times of its fires.
        schedule: Schedule,
    },
    /// Deletes it. One that isn't there is no error.
    DeleteSchedule {
        /// The schedule's name.
        name: String,
    },
}

impl Effect {
    /// Sends a message at once.
    #[must_use]
    pub fn send(to: &str, message: &Message) -> Self {
        Self::Send { to: to.to_owned(), message: message.to_json(), delay: Duration::ZERO }
    }

    /// Brings a message to its function at a time: by the queue's delay up to 15 minutes ahead, beyond by a one-time
    /// schedule, whose message carries ids only.
    #[must_use]
    pub fn deliver_at(
        due_at: Timestamp,
        now: Timestamp,
        to: &str,
        timer: impl FnOnce() -> String,
        message: impl FnOnce(bool) -> Message,
    ) -> Self {
        let delay = crate::until(now, due_at);
        if delay <= limits::MAX_QUEUE_DELAY {
            Self::Send { to: to.to_owned(), message: message(true).to_json(), delay }
        } else {
            Self::SendAt { timer: timer(), to: to.to_owned(), message: message(false).to_json(), at: due_at }
        }
    }
}

/// For logs: without what is sent.
impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send { to, .. } => write!(f, "a message to {to}"),
            Self::SendAt { timer, to, at, .. } => write!(f, "one-time schedule {timer} of a message to {to} at {at}"),
            Self::CancelTimer { timer } => write!(f, "the end of one-time schedule {timer}"),
            Self::StartWaitLoop { execution, .. } => write!(f, "the start of execution {execution}"),
            Self::StopWaitLoop { execution, .. } => write!(f, "the stop of execution {execution}"),
            Self::DeadLetter { function, .. } => write!(f, "a dead letter of {function}"),
            Self::PutSchedule { name, .. } => write!(f, "schedule {name}"),
            Self::DeleteSchedule { name } => write!(f, "the end of schedule {name}"),
        }
    }
}
