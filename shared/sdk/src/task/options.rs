//! The options of a task, and the refusals of what is out of range.

use std::time::Duration;

use dacapo_domain::{Json, Retry, Schedule, ScheduleEntry, check_span, declared, fired_run_bytes, limits};

use super::{Task, shape};

/// The fate of a run whose attempts are used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenExhausted {
    /// It fails.
    Fail,
    /// It is paused: resumed, it goes on with attempt 1.
    Pause,
}

pub use WhenExhausted::Pause;

/// Sizes of a Lambda by name. CPU comes with memory: 1,769 MB are one vCPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// 443 MB, a quarter of a vCPU.
    Micro,
    /// 885 MB, half a vCPU.
    Small1x,
    /// 1,769 MB, one vCPU.
    Small2x,
    /// 2,048 MB.
    Medium1x,
    /// 4,096 MB.
    Medium2x,
    /// 8,192 MB.
    Large1x,
}

/// A Lambda's memory in MB, from a whole number or a [`Machine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory(pub(crate) i64);

/// The memory that a Lambda may have, in MB.
const MEMORY_MB: std::ops::RangeInclusive<i64> = 128..=10_240;

impl Memory {
    /// The memory of a function that doesn't ask for any.
    pub(crate) const DEFAULT: Self = Self(256);

    /// The memory in MB. What no Lambda can have is a problem that was told before.
    pub(crate) fn mb(self) -> u32 {
        u32::try_from(self.0).unwrap_or_default()
    }

    /// The reason why a Lambda can't have so much.
    pub(crate) fn problem(self) -> Option<String> {
        let Self(mb) = self;
        (!MEMORY_MB.contains(&mb)).then(|| format!("memory of {mb} MB (allowed: 128 to 10,240 MB)"))
    }
}

impl From<i32> for Memory {
    fn from(mb: i32) -> Self {
        Self(mb.into())
    }
}

impl From<u32> for Memory {
    fn from(mb: u32) -> Self {
        Self(mb.into())
    }
}

impl From<Machine> for Memory {
    fn from(machine: Machine) -> Self {
        Self(match machine {
            Machine::Micro => 443,
            Machine::Small1x => 885,
            Machine::Small2x => 1_769,
            Machine::Medium1x => 2_048,
            Machine::Medium2x => 4_096,
            Machine::Large1x => 8_192,
        })
    }
}

/// Options. Each has a default, and replaces what was said before; `schedule` adds.
impl<I, O, V, N> Task<I, O, V, N> {
    /// The limit of one attempt: 1 s to 30 min, 30 s by default. What takes longer says `continue`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.policy.timeout = timeout;
        self
    }

    /// The longest that `set_timeout` may raise the timeout to: by default 15 min, or the timeout where that is longer.
    /// The Lambda's own timeout follows from it.
    pub fn max_timeout(mut self, max: Duration) -> Self {
        self.max_timeout = Some(max);
        self
    }

    /// The limit of a run's handler time over all iterations and attempts; waits don't count. It stops a handler in the
    /// middle and refuses a value that comes later: the run fails with `MAX_DURATION`, and is not tried again. None by
    /// default.
    pub fn max_duration(mut self, max: Duration) -> Self {
        self.policy.max_duration = Some(max);
        self
    }

    /// The number of calls of the handler for one run, retries apart, 500 by default. A run that says `continue` once
    /// more fails with `MAX_ITERATIONS`.
    pub fn max_iterations(mut self, max: u32) -> Self {
        self.policy.max_iterations = Some(max);
        self
    }

    /// Lets a run say `continue` as often as it likes.
    pub fn unlimited_iterations(mut self) -> Self {
        self.policy.max_iterations = None;
        self
    }

    /// The retry policy after a failed attempt: by default 3 attempts in all, 1 s and 2 s apart, stretched by a random 1 to
    /// 2. Its age counts from when the iteration was first due.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.policy.retry = retry;
        self
    }

    /// The messages that may share one invocation on AWS, 1 to 10; 1 by default. Their runs have an attempt, a limit and an
    /// outcome each, side by side in one process; see [`guide::load`](crate::guide::load) for what that saves and costs.
    pub fn batch(mut self, messages: u32) -> Self {
        self.policy.batch = messages;
        self
    }

    /// The fate of a run whose attempts are used up: it fails, by default, or is paused until a person has mended the
    /// cause and resumes it. A terminal error fails the run all the same.
    pub fn when_exhausted(mut self, then: WhenExhausted) -> Self {
        self.policy.pauses_when_exhausted = then == WhenExhausted::Pause;
        self
    }

    /// The time that a finished run is kept, 14 days by default.
    pub fn history(mut self, kept: Duration) -> Self {
        self.policy.history = kept;
        self
    }

    /// Lets a run that hasn't started this long after it was due expire. None by default.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.policy.ttl = Some(ttl);
        self
    }

    /// The Lambda's memory: 128 to 10,240 MB, 256 by default, or a [`Machine`].
    pub fn memory(mut self, memory: impl Into<Memory>) -> Self {
        self.memory = memory.into();
        self
    }

    /// Forbids to start the task by name: from the command line, the dashboard, or by direct invocation.
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// Starts a run with this body whenever the schedule fires. A task may have any number.
    ///
    /// The schedule's name says its times, by a hash: a pause stays with them over deploys, whatever becomes of the
    /// schedule's place, body and options.
    pub fn schedule(mut self, schedule: Schedule, body: I) -> Self {
        self.schedules.push((schedule, body));
        self
    }
}

/// Everything that is wrong, each with what was given and what is allowed.
pub(super) fn problems<I, O, V, N>(task: &Task<I, O, V, N>) -> Vec<String> {
    let policy = &task.policy;
    let (mut problems, longest) = (vec![], limits::MAX_TIMEOUT.as_secs());
    let limits = [("timeout", Some(policy.timeout)), ("max_timeout", task.max_timeout)];
    for (option, limit) in limits.into_iter().filter_map(|(option, limit)| Some((option, limit?))) {
        if limit > limits::MAX_TIMEOUT {
            problems.push(format!(
                "{option} of {limit:?} (allowed: 1 s to {longest} s; a task that takes longer returns `Continue(input)` and is called again)"
            ));
        } else if limit < limits::MIN_TIMEOUT {
            problems.push(format!("{option} of {limit:?} (allowed: 1 s to {longest} s)"));
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
        problems.extend(span.and_then(|span| check_span(option, span).err()).map(|error| error.to_string()));
    }
    if !(1..=limits::INVOCATION_MESSAGES).contains(&policy.batch) {
        let (given, most) = (policy.batch, limits::INVOCATION_MESSAGES);
        problems.push(format!("batch of {given} (allowed: 1 to {most} messages in one invocation)"));
    }
    if let Err(error) = policy.retry.check() {
        problems.push(error.to_string());
    }
    problems.extend(task.memory.problem());
    problems.extend(task.requires.problems());
    problems.extend(shape::problems(task));
    problems.extend(checked_schedules(task).filter_map(Result::err));
    problems.extend(too_large_schedules(task));
    let name = task.reference.name();
    problems.into_iter().map(|problem| format!("task {name:?}: {problem}")).collect()
}

/// The task's schedules as the manifest tells them.
pub(super) fn schedules<I, O, V, N>(task: &Task<I, O, V, N>) -> Vec<ScheduleEntry> {
    declared(task.reference.name(), checked_schedules(task).filter_map(Result::ok).collect())
}

/// Each schedule and the body of its runs, or what is wrong with them.
fn checked_schedules<I, O, V, N>(task: &Task<I, O, V, N>) -> impl Iterator<Item = Result<(Schedule, Json), String>> {
    task.schedules.iter().zip(1..).map(|((schedule, body), place)| {
        let recurrence = schedule.check().map_err(|error| error.to_string())?;
        if recurrence.aws_expression().is_none() {
            return Err(format!(
                "schedule {place} fires once (allowed: `every` and `cron`; start a single run by a client)"
            ));
        }
        let body = task.reference.input.encode(body);
        let body = body.map_err(|error| format!("the body of schedule {place} can't be serialized: {error}"))?;
        body.check().map_err(|error| format!("the body of schedule {place} can't be used: {error}"))?;
        Ok((schedule.clone(), body))
    })
}

/// The schedules whose runs would be refused.
fn too_large_schedules<I, O, V, N>(task: &Task<I, O, V, N>) -> impl Iterator<Item = String> {
    let (name, allowed) = (task.reference.name(), limits::MESSAGE_BYTES);
    let sizes = schedules(task).into_iter().map(|entry| (fired_run_bytes(&entry.name, name, &entry.body), entry));
    sizes.filter(move |(bytes, _)| *bytes > allowed).map(move |(bytes, ScheduleEntry { schedule, .. })| {
        format!("the runs of schedule `{schedule}` have {bytes} bytes, metadata included (allowed: {allowed}; keep what is large in S3)")
    })
}
