//! The manifest: what all functions of an app say of themselves.

mod record;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use record::{FormerTask, ManifestInput, ManifestRecord};

use crate::{BULK, CONDUCTOR, Json, LifecycleEvent, Limit, Policy, PoolId, Retry, limits, slug};

/// The version of the manifest's stored form.
pub const MANIFEST_VERSION: u32 = 1;

/// The app's dead-letter queue, in the place of a function's name: messages that were received too often, and what timers
/// and schedules sent to a function that is gone. The conductor drains it.
pub const APP_DLQ: &str = "undelivered";

/// The name of a function's own dead-letter queue, which it has where one of its handlers asks for it.
///
/// ```
/// assert_eq!(dacapo_domain::function_dlq("orders"), "orders-dead");
/// ```
#[must_use]
pub fn function_dlq(function: &str) -> String {
    format!("{function}-dead")
}

/// An app's functions, as they describe themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The version of this form: 1.
    pub v: u32,
    /// The time at which it was made for a deploy, in Unix milliseconds; 0 where it was not. A newer one replaces an
    /// older.
    #[serde(default)]
    pub made_ms: i64,
    /// The app's name.
    pub app: String,
    /// One entry a function, sorted by name.
    pub functions: Vec<FunctionEntry>,
}

/// A function, as it describes itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionEntry {
    /// The function's name in AWS names and queues: a task's slug, or the slug of its crate.
    pub name: String,
    /// The crate, which names the binary.
    #[serde(rename = "crate")]
    pub crate_name: String,
    /// The Lambda's memory in MB; 1,769 MB are one vCPU.
    pub memory_mb: u32,
    /// The task, handlers or conductor in it.
    pub holds: Holds,
}

/// The contents of a function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::large_enum_variant, reason = "an app has few functions")]
pub enum Holds {
    /// One task.
    Task(TaskEntry),
    /// Handlers of events, in the order of their definition.
    Events(Vec<Subscription>),
    /// The conductor.
    Conductor,
}

/// A task, as the manifest tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskEntry {
    /// The task's name.
    pub name: String,
    /// The treatment of its runs.
    pub policy: Policy,
    /// Is true where it can't be started by name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    /// The schedules that fire it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<ScheduleEntry>,
}

/// A schedule that a task declares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleEntry {
    /// The name, unique in the app: the task's slug and the schedule's place among the task's schedules.
    pub name: String,
    /// The times of its fires.
    pub schedule: crate::Schedule,
    /// The body that its runs are started with.
    pub body: Json,
}

/// One handler's subscription to an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// The event's name.
    pub event: String,
    /// The handler's name, by which a delivery's record knows it over deploys: the path of its function, and for those
    /// alike (closures in one place) a number in the order of their definition. A handler that gets another name is
    /// another handler.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub handler: String,
    /// Limit of one attempt.
    #[serde(rename = "timeoutMs", with = "crate::ms")]
    pub timeout: Duration,
    /// The retries of a failed delivery.
    pub retry: Retry,
    /// Is true where events that would be dropped go into the function's dead-letter queue too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dead_letter: bool,
}

/// A reason why functions don't make an app.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Two functions, or queues of theirs, would have one name on AWS, or one has a name that the app uses itself.
    #[error("{one} and {other} have one name on AWS, {name:?} (rename one of them)")]
    SameName {
        /// The name.
        name: String,
        /// The first, with its crate.
        one: String,
        /// The second, with its crate.
        other: String,
    },
    /// An event's handlers in one function could take longer than an invocation may.
    #[error(
        "the handlers of event {event:?} in {function} may take {seconds} s in all (allowed: 850 s; shorten their timeouts or split them over two crates)"
    )]
    TooLong {
        /// The event's name.
        event: String,
        /// The function.
        function: String,
        /// The sum of the timeouts, in seconds.
        seconds: u64,
    },
    /// Two tasks of one queue give it different limits.
    #[error("queue {queue:?}: task {one:?} gives it {of_one}, and task {other:?} {of_other} (let both say the same)")]
    Queue {
        /// The queue.
        queue: String,
        /// The first.
        one: String,
        /// Its limits.
        of_one: String,
        /// The second.
        other: String,
        /// Its limits.
        of_other: String,
    },
    /// A declared schedule never fires again.
    #[error("task {task:?}: {why}")]
    NeverFires {
        /// The task.
        task: String,
        /// The schedule, and what is wrong with it.
        why: String,
    },
}

/// The manifest is larger than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the manifest has {bytes} bytes (allowed: {allowed}; declare schedules with smaller bodies, or split the app)")]
pub struct ManifestTooLarge {
    bytes: usize,
    allowed: usize,
}

impl Manifest {
    /// Puts the functions of an app together.
    ///
    /// # Errors
    /// If two of them would have one name on AWS, or one has a name that the app uses itself, or one's handlers of an event
    /// could take too long, or two give one queue different limits.
    pub fn new(app: &str, mut functions: Vec<FunctionEntry>) -> Result<Self, ManifestError> {
        functions.sort_by(|a, b| a.name.cmp(&b.name));
        check_names(&functions)?;
        check_queues(&functions)?;
        functions.iter().try_for_each(FunctionEntry::check_length)?;
        tell_subscribed(&mut functions);
        Ok(Self { v: MANIFEST_VERSION, made_ms: 0, app: app.to_owned(), functions })
    }

    /// Checks that the manifest is no larger than it may be, before a deploy changes anything.
    ///
    /// # Errors
    /// Where it is: with both sizes.
    pub fn check_bytes(&self) -> Result<(), ManifestTooLarge> {
        let (bytes, allowed) = (Json::of(self).map_or(0, |text| text.bytes()), limits::MANIFEST_BYTES);
        if bytes <= allowed { Ok(()) } else { Err(ManifestTooLarge { bytes, allowed }) }
    }

    /// Checks that each declared schedule fires after the manifest was made, before a deploy changes anything.
    ///
    /// # Errors
    /// The first that doesn't.
    pub fn check_fires(&self) -> Result<(), ManifestError> {
        let made = Timestamp::from_millisecond(self.made_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        for (_, task) in self.tasks() {
            for declared in &task.schedules {
                declared
                    .schedule
                    .check()
                    .and_then(|recurrence| recurrence.since(made))
                    .map_err(|error| ManifestError::NeverFires { task: task.name.clone(), why: error.to_string() })?;
            }
        }
        Ok(())
    }

    /// The task of this name and its function; of a built-in one the conductor.
    #[must_use]
    pub fn task(&self, name: &str) -> Option<(&FunctionEntry, &TaskEntry)> {
        static BUILT_IN: LazyLock<(FunctionEntry, TaskEntry)> =
            LazyLock::new(|| (FunctionEntry::conductor(), TaskEntry::bulk()));
        if name == BULK {
            return Some((&BUILT_IN.0, &BUILT_IN.1));
        }
        self.tasks().find(|(_, task)| task.name == name)
    }

    /// The limit of a pool. Where no task has it any more, a few at a time go on: they find that out.
    #[must_use]
    pub fn limit(&self, pool: &PoolId) -> Limit {
        let mut sharing =
            self.tasks().map(|(_, task)| task).filter(|task| task.policy.limits.scope(&task.name) == pool.scope);
        let removed = Limit { concurrency: Some(limits::POOL_PAGE), rate: None };
        sharing.next().map_or(removed, |task| task.policy.limits.of_pool(pool))
    }

    /// All tasks and their functions.
    pub fn tasks(&self) -> impl Iterator<Item = (&FunctionEntry, &TaskEntry)> {
        self.functions.iter().filter_map(|function| match &function.holds {
            Holds::Task(task) => Some((function, task)),
            _ => None,
        })
    }

    /// The functions that handle an event.
    pub fn subscribers<'a>(&'a self, event: &'a str) -> impl Iterator<Item = &'a FunctionEntry> {
        self.functions.iter().filter(move |function| function.subscriptions().iter().any(|s| s.event == event))
    }

    /// A function's subscriptions to an event, in the order of their definition.
    #[must_use]
    pub fn subscriptions(&self, function: &str, event: &str) -> Vec<Subscription> {
        let function = self.functions.iter().filter(|entry| entry.name == function);
        function.flat_map(FunctionEntry::subscriptions).filter(|entry| entry.event == event).cloned().collect()
    }

    /// The schedule of this name and the function it fires.
    #[must_use]
    pub fn schedule(&self, name: &str) -> Option<(&FunctionEntry, &TaskEntry, &ScheduleEntry)> {
        self.tasks().find_map(|(function, task)| {
            let schedule = task.schedules.iter().find(|schedule| schedule.name == name)?;
            Some((function, task, schedule))
        })
    }
}

impl TaskEntry {
    /// The built-in task, which no manifest tells of: the conductor runs it, within its own timeout.
    #[must_use]
    pub fn bulk() -> Self {
        let limit = limits::CONDUCTOR_TIMEOUT.saturating_sub(limits::RECORDING * 2);
        let policy = Policy {
            timeout: limit,
            max_timeout: limit,
            max_iterations: None,
            retry: Retry::attempts(20).max(Duration::from_secs(60)),
            ..Policy::default()
        };
        Self { name: BULK.to_owned(), policy, private: true, schedules: vec![] }
    }
}

impl FunctionEntry {
    /// A task's function.
    #[must_use]
    pub fn task(crate_name: &str, memory_mb: u32, task: TaskEntry) -> Self {
        let (name, crate_name) = (slug(&task.name), crate_name.to_owned());
        Self { name, crate_name, memory_mb, holds: Holds::Task(task) }
    }

    /// A function of event handlers.
    #[must_use]
    pub fn events(crate_name: &str, memory_mb: u32, handlers: Vec<Subscription>) -> Self {
        let (name, crate_name) = (slug(crate_name), crate_name.to_owned());
        Self { name, crate_name, memory_mb, holds: Holds::Events(handlers) }
    }

    /// The conductor.
    #[must_use]
    pub fn conductor() -> Self {
        let (name, crate_name) = (CONDUCTOR.to_owned(), CONDUCTOR.to_owned());
        Self { name, crate_name, memory_mb: 256, holds: Holds::Conductor }
    }

    /// The handlers of events that it holds.
    #[must_use]
    pub fn subscriptions(&self) -> &[Subscription] {
        match &self.holds {
            Holds::Events(handlers) => handlers,
            _ => &[],
        }
    }

    /// The lifecycle events of its task that a function subscribes to.
    #[must_use]
    pub fn publishes(&self) -> BTreeSet<LifecycleEvent> {
        match &self.holds {
            Holds::Task(task) => task.policy.publishes.clone(),
            _ => BTreeSet::new(),
        }
    }

    /// Messages that one invocation takes: one run, or as many events as fit into its time.
    #[must_use]
    pub fn batch_size(&self) -> u32 {
        match &self.holds {
            Holds::Events(_) => {
                let seconds = self.longest().map_or(1, |(_, seconds)| seconds.max(1));
                u32::try_from((LONGEST_BATCH_S / seconds).clamp(1, 10)).unwrap_or(1)
            }
            _ => 1,
        }
    }

    /// The event whose handlers may take longest, and how many seconds that is.
    fn longest(&self) -> Option<(&str, u64)> {
        let mut seconds: BTreeMap<&str, u64> = BTreeMap::new();
        for handler in self.subscriptions() {
            // `set_timeout` may raise a handler's limit to a minute.
            *seconds.entry(&handler.event).or_default() += limits::MAX_EVENT_TIMEOUT.as_secs();
        }
        seconds.into_iter().max_by_key(|(_, seconds)| *seconds)
    }

    fn check_length(&self) -> Result<(), ManifestError> {
        match self.longest() {
            Some((event, seconds)) if seconds > LONGEST_BATCH_S => {
                let (event, function) = (event.to_owned(), self.title());
                Err(ManifestError::TooLong { event, function, seconds })
            }
            _ => Ok(()),
        }
    }

    /// The time that a received message is hidden in the function's queue.
    #[must_use]
    pub fn visibility(&self) -> Duration {
        match self.holds {
            Holds::Task(_) => limits::TASK_VISIBILITY,
            Holds::Events(_) => limits::EVENT_VISIBILITY,
            Holds::Conductor => limits::CONDUCTOR_VISIBILITY,
        }
    }

    /// The timeout of its Lambda, in whole seconds: beyond a task's own, since a handler that runs to its limit is
    /// stopped and its failure recorded before Lambda ends the process.
    #[must_use]
    pub fn lambda_timeout(&self) -> Duration {
        let timeout = match &self.holds {
            Holds::Task(task) => task.policy.max_timeout.max(task.policy.timeout).saturating_add(limits::RECORDING),
            Holds::Events(_) => limits::EVENTS_TIMEOUT,
            Holds::Conductor => limits::CONDUCTOR_TIMEOUT,
        };
        let whole = timeout.as_secs() + u64::from(timeout.subsec_nanos() > 0);
        Duration::from_secs(whole).min(limits::MAX_TIMEOUT)
    }

    /// The function's own dead-letter queue, where one of its handlers asks for it.
    #[must_use]
    pub fn dlq(&self) -> Option<String> {
        self.subscriptions().iter().any(|handler| handler.dead_letter).then(|| function_dlq(&self.name))
    }

    fn title(&self) -> String {
        match &self.holds {
            Holds::Task(task) => format!("task {:?} (crate {})", task.name, self.crate_name),
            Holds::Events(_) => format!("crate {}", self.crate_name),
            Holds::Conductor => format!("the app's conductor (crate {})", self.crate_name),
        }
    }
}

/// Tells each task which of its lifecycle events a function subscribes to.
fn tell_subscribed(functions: &mut [FunctionEntry]) {
    let subscriptions = functions.iter().flat_map(FunctionEntry::subscriptions);
    let events: BTreeSet<String> = subscriptions.map(|subscription| subscription.event.clone()).collect();
    for function in functions {
        if let Holds::Task(task) = &mut function.holds {
            let subscribed = |event: &LifecycleEvent| events.contains(&event.of_task(&task.name));
            task.policy.publishes = LifecycleEvent::ALL.into_iter().filter(subscribed).collect();
        }
    }
}

/// Refuses tasks of one queue that give it different limits.
fn check_queues(functions: &[FunctionEntry]) -> Result<(), ManifestError> {
    let mut queues: BTreeMap<&str, &TaskEntry> = BTreeMap::new();
    for function in functions {
        let Holds::Task(task) = &function.holds else { continue };
        let Some(queue) = &task.policy.limits.queue else { continue };
        let first = queues.entry(queue).or_insert(task);
        if first.policy.limits != task.policy.limits {
            let (queue, one, other) = (queue.clone(), first.name.clone(), task.name.clone());
            let (of_one, of_other) = (first.policy.limits.to_string(), task.policy.limits.to_string());
            return Err(ManifestError::Queue { queue, one, of_one, other, of_other });
        }
    }
    Ok(())
}

/// Refuses functions of which two, or two of whose queues, would have one name, or one that the app uses itself.
fn check_names(functions: &[FunctionEntry]) -> Result<(), ManifestError> {
    let mut taken = BTreeMap::from([(APP_DLQ.to_owned(), "the app's own dead-letter queue".to_owned())]);
    if !functions.iter().any(|function| function.holds == Holds::Conductor) {
        taken.insert(CONDUCTOR.to_owned(), "the app's own conductor".to_owned());
    }
    for function in functions {
        let dlq = function.dlq().map(|dlq| (dlq, format!("the dead-letter queue of {}", function.title())));
        for (name, title) in [(function.name.clone(), function.title())].into_iter().chain(dlq) {
            if let Some(other) = taken.insert(name.clone(), title.clone()) {
                return Err(ManifestError::SameName { name, one: other, other: title });
            }
        }
    }
    Ok(())
}

/// The time that one invocation of an event function may take: Lambda's 900 s, less a margin.
const LONGEST_BATCH_S: u64 = 850;
