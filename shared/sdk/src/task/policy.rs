//! The refusals of a task's options, and how they are said.

use std::time::Duration;

use dacapo_domain::{ScheduleEntry, limits, slug};

use super::Task;

const MEMORY_MB: std::ops::RangeInclusive<u32> = 128..=10_240;
const LONGEST: Duration = dacapo_domain::days(3_650);

/// Everything that is wrong, each with what was given and what is allowed.
pub(super) fn problems<I, O, V, N>(task: &Task<I, O, V, N>) -> Vec<String> {
    let policy = &task.policy;
    let mut problems = vec![];
    for (option, limit) in [("timeout", policy.timeout), ("max_timeout", policy.max_timeout)] {
        if limit > limits::MAX_TIMEOUT {
            problems.push(format!(
                "{option} of {limit:?} (allowed: 1 s to 900 s; a task that takes longer returns `Continue(input)` and is called again)"
            ));
        } else if limit < limits::MIN_TIMEOUT {
            problems.push(format!("{option} of {limit:?} (allowed: 1 s to 900 s)"));
        }
    }
    if policy.max_timeout < policy.timeout {
        let (timeout, max) = (policy.timeout, policy.max_timeout);
        problems.push(format!("max_timeout of {max:?} is below the timeout of {timeout:?} (raise it or leave it out)"));
    }
    if policy.max_iterations == Some(0) {
        problems.push("max_iterations of 0 (allowed: 1 and more, or `unlimited_iterations()`)".to_owned());
    }
    let spans = [("max_duration", policy.max_duration), ("ttl", policy.ttl), ("history", Some(policy.history))];
    for (option, span) in spans {
        if let Some(span) = span.filter(|span| *span < limits::MIN_WAIT || *span > LONGEST) {
            problems.push(format!("{option} of {span:?} (allowed: 1 s to 3,650 days)"));
        }
    }
    if let Err(error) = policy.retry.check() {
        problems.push(error.to_string());
    }
    if !MEMORY_MB.contains(&task.memory_mb) {
        problems.push(format!("memory of {} MB (allowed: 128 to 10,240 MB)", task.memory_mb));
    }
    problems.extend(schedules(task).filter_map(Result::err));
    let name = task.reference.name();
    problems.into_iter().map(|problem| format!("task {name:?}: {problem}")).collect()
}

/// The task's schedules as the manifest tells them, or what is wrong with one.
pub(super) fn schedules<I, O, V, N>(task: &Task<I, O, V, N>) -> impl Iterator<Item = Result<ScheduleEntry, String>> {
    task.schedules.iter().zip(1..).map(|((schedule, body), place)| {
        let recurrence = schedule.check().map_err(|error| error.to_string())?;
        if recurrence.aws_expression().is_none() {
            return Err(format!(
                "schedule {place} fires once (allowed: `every` and `cron`; start a single run by a client)"
            ));
        }
        let body = task.reference.input.encode(body);
        let body = body.map_err(|error| format!("the body of schedule {place} can't be serialized: {error}"))?;
        if body.bytes() > limits::MESSAGE_BYTES {
            let (bytes, allowed) = (body.bytes(), limits::MESSAGE_BYTES);
            return Err(format!("the body of schedule {place} has {bytes} bytes (allowed: {allowed})"));
        }
        let name = format!("{}-{place}", slug(task.reference.name()));
        Ok(ScheduleEntry { name, schedule: schedule.clone(), body })
    })
}
