//! A run as people and programs are told of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Phase, RunRecord, Signal, State};
use crate::{Child, Id, Json, LifecycleEvent, Payloads, PoolId, Trigger, slot};

/// A run's record with its payloads: times as RFC 3339 `Z`, values as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "each field says itself; the guide's chapter on states has a table of them")]
pub struct RunView {
    pub id: Id,
    pub name: String,
    pub state: State,
    pub trigger: Trigger,
    pub parent_id: Option<Id>,
    pub tags: Vec<String>,
    pub attempt: u32,
    pub iteration: u32,
    pub created_at: Timestamp,
    pub scheduled_at: Option<Timestamp>,
    pub due_at: Timestamp,
    pub submitted_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    pub failed_at: Option<Timestamp>,
    pub aborted_at: Option<Timestamp>,
    pub expired_at: Option<Timestamp>,
    pub paused_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<WaitsFor>,
    pub progress_message: Option<String>,
    /// The fraction as it was told, from 0 to 1: [`percent`](Self::percent) is for people.
    pub progress_percent: Option<f64>,
    pub message: Option<String>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub error_stack: Option<String>,
    pub body: Option<Json>,
    pub input: Option<Json>,
    pub result: Option<Json>,
    pub result_left_out: Option<String>,
    /// The payloads that a lifecycle event had no room for, and their sizes; none where the record is whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payloads_left_out: Option<String>,
    pub output: Option<Json>,
    pub metadata: Option<Json>,
    /// The time from which the record may be deleted, in Unix seconds; none while the run is unfinished.
    pub expires_at_s: Option<i64>,
}

/// The thing that a waiting run waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WaitsFor {
    /// A time.
    Time(Timestamp),
    /// A token of its own.
    Token {
        /// The name.
        name: String,
        /// The time that ends the wait without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// A place in a queue.
    Place {
        /// The queue, as `queue.{name}`, or `task.{name}` of a task that names none.
        scope: String,
        /// The key that limits it, where it waits for a place of that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// The end of all of its children.
    Children {
        /// Their number, where it was read: a list may be without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<usize>,
        /// The number of those that have ended, where it was read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ended: Option<usize>,
    },
}

impl WaitsFor {
    fn of(run: &RunRecord, payloads: &Payloads) -> Option<Self> {
        match &run.phase {
            Phase::Waiting => Some(Self::Time(run.due_at)),
            Phase::Awaiting { signal: Signal::Token { name }, until } => {
                Some(Self::Token { name: name.clone(), until: *until })
            }
            Phase::Awaiting { signal: Signal::Children { .. }, .. } => {
                Some(Self::Children { count: Child::count(payloads), ended: None })
            }
            Phase::Parked { pool: PoolId { scope, key }, .. } => {
                Some(Self::Place { scope: scope.clone(), key: key.clone() })
            }
            Phase::Queued | Phase::Running { .. } | Phase::Ended(_) => None,
        }
    }
}

impl RunView {
    /// The time at which a waiting run's next iteration comes by itself, where one does.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        match &self.waits_for {
            Some(WaitsFor::Time(at)) => Some(*at),
            Some(WaitsFor::Token { until, .. }) => *until,
            Some(WaitsFor::Children { .. } | WaitsFor::Place { .. }) | None => None,
        }
    }

    /// The time of its end, where it has ended.
    #[must_use]
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.completed_at.or(self.failed_at).or(self.aborted_at).or(self.expired_at)
    }

    /// The progress in whole percent, 0 to 100.
    #[must_use]
    pub fn percent(&self) -> Option<u8> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` keeps within 0 to 255")]
        self.progress_percent.map(|fraction| ((fraction * 100.0).round() as u8).min(100))
    }

    /// The time of a moment of the run's life, where it has come; else that of its creation.
    #[must_use]
    pub fn moment_of(&self, event: LifecycleEvent) -> Timestamp {
        let at = match event {
            LifecycleEvent::Started | LifecycleEvent::Progress => self.started_at,
            LifecycleEvent::Completed => self.completed_at,
            LifecycleEvent::Failed => self.failed_at,
            LifecycleEvent::Aborted => self.aborted_at,
            LifecycleEvent::Expired => self.expired_at,
        };
        at.unwrap_or(self.created_at)
    }

    /// Leaves out the largest of its payloads, and says so; is false where none is left.
    pub fn leave_out_largest(&mut self) -> bool {
        let payloads = [
            ("body", &mut self.body),
            ("input", &mut self.input),
            ("result", &mut self.result),
            ("output", &mut self.output),
            ("metadata", &mut self.metadata),
        ];
        let sized = payloads.into_iter().filter_map(|(name, payload)| Some((payload.as_ref()?.bytes(), name, payload)));
        let Some((bytes, name, payload)) = sized.max_by_key(|(bytes, ..)| *bytes) else { return false };
        *payload = None;
        let also = self.payloads_left_out.take().map_or_else(String::new, |former| format!("{former}, "));
        self.payloads_left_out = Some(format!("{also}{name} of {bytes} bytes"));
        true
    }

    /// The view of a run and its payloads. `now` decides whether a run that is due has become `submitted`.
    #[must_use]
    pub fn new(run: &RunRecord, mut payloads: Payloads, now: Timestamp) -> Self {
        let state = run.state_at(now);
        let end = if let Phase::Ended(end) = &run.phase { Some(end) } else { None };
        let ended = |wanted| end.filter(|_| state == wanted).map(|end| end.at);
        Self {
            id: run.id,
            name: run.name.clone(),
            state,
            trigger: run.trigger,
            parent_id: run.parent_id,
            tags: run.tags.clone(),
            attempt: run.attempt,
            iteration: run.iteration,
            created_at: run.created_at,
            scheduled_at: run.scheduled_at,
            due_at: run.due_at,
            submitted_at: run.submitted_at(now),
            started_at: run.started_at,
            completed_at: ended(State::Completed),
            failed_at: ended(State::Failed),
            aborted_at: ended(State::Aborted),
            expired_at: ended(State::Expired),
            paused_at: run.paused.map(|pause| pause.since),
            waits_for: WaitsFor::of(run, &payloads),
            progress_message: run.progress.as_ref().map(|progress| progress.message.clone()),
            progress_percent: run.progress.as_ref().map(|progress| progress.fraction),
            message: end.and_then(|end| end.message.clone()),
            error_code: run.error.as_ref().map(|error| error.code.clone()),
            error_message: run.error.as_ref().map(|error| error.message.clone()),
            error_stack: run.error.as_ref().and_then(|error| error.stack.clone()),
            body: payloads.take(slot::BODY),
            input: payloads.take(slot::INPUT),
            result: payloads.take(slot::RESULT),
            result_left_out: end.and_then(|end| end.result_left_out.clone()),
            payloads_left_out: None,
            output: payloads.take(slot::OUTPUT),
            metadata: payloads.take(slot::METADATA),
            expires_at_s: run.expires_at_s,
        }
    }
}
