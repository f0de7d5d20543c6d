//! A run as people and programs read it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Run, State, Trigger};
use crate::{Id, Json};

/// A run's record with its payloads: times as RFC 3339 `Z`, values as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "each field says itself, and `guide::states` of `dacapo` defines them")]
pub struct RunRecord {
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
    pub progress_message: Option<String>,
    pub progress_percent: Option<f64>,
    pub message: Option<String>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub error_stack: Option<String>,
    pub body: Option<Json>,
    pub input: Option<Json>,
    pub output: Option<Json>,
    pub result: Option<Json>,
    pub result_left_out: Option<String>,
    /// When the record may be deleted, in Unix seconds; none while the run is unfinished.
    pub ttl: Option<i64>,
}

impl RunRecord {
    /// The record of a run and its payloads. `now` decides whether a run that is due has become `submitted`.
    #[must_use]
    pub fn new(run: &Run, body: Option<Json>, input: Option<Json>, result: Option<Json>, now: Timestamp) -> Self {
        let state = run.state_at(now);
        let ended = |wanted| run.ended_at.filter(|_| run.state == wanted);
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
            progress_message: run.progress.as_ref().map(|progress| progress.message.clone()),
            progress_percent: run.progress.as_ref().map(|progress| progress.fraction * 100.0),
            message: run.message.clone(),
            error_code: run.error.as_ref().map(|error| error.code.clone()),
            error_message: run.error.as_ref().map(|error| error.message.clone()),
            error_stack: run.error.as_ref().and_then(|error| error.stack.clone()),
            body,
            input,
            output: None,
            result,
            result_left_out: run.result_left_out.clone(),
            ttl: run.ttl,
        }
    }
}
