//! Checks of what a start is given.

use std::time::Duration;

use dacapo_domain::{Json, check_span, limits};

use super::Client;
use crate::{Error, ErrorKind};

pub(super) fn unserializable(what: &str, error: &serde_json::Error) -> Error {
    Error::new(ErrorKind::Usage, format!("serialize {what} as JSON: {error}"))
}

/// Bodies are read by others: handlers, the command line, AWS's own tools.
pub(super) fn check_body(what: &str, body: &Json) -> Result<(), Error> {
    body.check().map_err(|error| Error::usage(format_args!("use {what}: {error}")))
}

/// Checks the length of an idempotency key, or of an event's id.
pub(super) fn check_chars(what: &str, text: Option<&str>) -> Result<(), Error> {
    let (chars, allowed) = (text.map_or(1, |text| text.chars().count()), limits::KEY_CHARS);
    if (1..=allowed).contains(&chars) {
        return Ok(());
    }
    Err(Error::usage(format_args!("use {what} of {chars} characters (allowed: 1 to {allowed})")))
}

/// Checks a head start, which means nothing to a task without a line.
pub(super) async fn check_priority(client: &Client, task: &str, priority: Duration) -> Result<u32, Error> {
    if priority.is_zero() {
        return Ok(0);
    }
    let seconds = u32::try_from(priority.as_secs()).ok().filter(|_| priority.subsec_nanos() == 0);
    let Some(seconds) = seconds.filter(|seconds| *seconds <= limits::MAX_PRIORITY_S) else {
        let text =
            format!("give a run a priority of {priority:?} (allowed: whole seconds up to {})", limits::MAX_PRIORITY_S);
        return Err(Error::usage(text));
    };
    let policy = client.app.task(task).await?.map(|task| task.policy);
    match policy {
        Some(policy) if policy.limits.is_none() => {
            let text =
                format!("give a run of task {task:?} a priority: the task has no `concurrency` and no rate limit");
            Err(Error::usage(text))
        }
        _ => Ok(seconds),
    }
}

pub(super) fn check_spans(key_for: Duration, ttl: Option<Duration>) -> Result<(), Error> {
    let spans = check_span("key_for", key_for).and_then(|()| ttl.map_or(Ok(()), |ttl| check_span("ttl", ttl)));
    spans.map_err(|error| Error::usage(format!("start a run with a {error}")))
}

pub(crate) fn check_tags(tags: &[String]) -> Result<(), Error> {
    if tags.len() > limits::TAGS {
        let text = format!("give a run {} tags (allowed: up to {})", tags.len(), limits::TAGS);
        return Err(Error::new(ErrorKind::Usage, text));
    }
    for tag in tags {
        let chars = tag.chars().count();
        if !(1..=limits::TAG_CHARS).contains(&chars) {
            let text = format!("use tag {tag:?} of {chars} characters (allowed: 1 to {})", limits::TAG_CHARS);
            return Err(Error::new(ErrorKind::Usage, text));
        }
    }
    Ok(())
}
