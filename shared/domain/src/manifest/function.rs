//! The functions of a manifest: what each holds, and what follows from it for its Lambda and its queues.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{ManifestError, Requirements};
use crate::{BULK, CONDUCTOR, Json, LifecycleEvent, Policy, Retry, limits, slug};

/// The time that one invocation of an event function may take: Lambda's 900 s, less a margin.
const LONGEST_BATCH_S: u64 = 850;

/// The name of a function's own dead-letter queue, which it has where one of its handlers asks for it.
///
/// ```
/// assert_eq!(dacapo_domain::function_dlq("orders"), "orders-dead");
/// ```
#[must_use]
pub fn function_dlq(function: &str) -> String {
    format!("{function}-dead")
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
    /// The needs of the account, beside what Dacapo uses itself.
    #[serde(default, skip_serializing_if = "Requirements::is_empty")]
    pub requires: Requirements,
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
    /// Is false where its handler's type leaves no room for `continue`, so that none of its runs is ever in a wait loop of
    /// its own. One of before this was said may continue.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub may_continue: bool,
    /// The schedules that fire it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<ScheduleEntry>,
}

fn yes() -> bool {
    true
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

impl TaskEntry {
    /// The way to start a task that is private, as an error says it.
    pub const PRIVATE_REMEDY: &str = "start it by its reference, in the app's own code";

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
        Self { name: BULK.to_owned(), policy, private: true, may_continue: true, schedules: vec![] }
    }
}

impl FunctionEntry {
    /// A task's function.
    #[must_use]
    pub fn task(crate_name: &str, memory_mb: u32, task: TaskEntry) -> Self {
        Self::holding(slug(&task.name), crate_name, memory_mb, Holds::Task(task))
    }

    /// A function of event handlers.
    #[must_use]
    pub fn events(crate_name: &str, memory_mb: u32, handlers: Vec<Subscription>) -> Self {
        Self::holding(slug(crate_name), crate_name, memory_mb, Holds::Events(handlers))
    }

    /// The conductor.
    #[must_use]
    pub fn conductor() -> Self {
        Self::holding(CONDUCTOR.to_owned(), CONDUCTOR, 256, Holds::Conductor)
    }

    fn holding(name: String, crate_name: &str, memory_mb: u32, holds: Holds) -> Self {
        let (crate_name, requires) = (crate_name.to_owned(), Requirements::default());
        Self { name, crate_name, memory_mb, requires, holds }
    }

    /// The same, which needs this of the account.
    #[must_use]
    pub fn requiring(self, requires: Requirements) -> Self {
        Self { requires, ..self }
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

    /// Messages that one invocation takes: as many runs as their task says, or as many events as fit into its time.
    #[must_use]
    pub fn batch_size(&self) -> u32 {
        match &self.holds {
            Holds::Events(_) => {
                let seconds = self.longest().map_or(1, |(_, seconds)| seconds.max(1));
                u32::try_from((LONGEST_BATCH_S / seconds).clamp(1, 10)).unwrap_or(1)
            }
            Holds::Task(task) => task.policy.batch,
            Holds::Conductor => 1,
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

    pub(super) fn check_length(&self) -> Result<(), ManifestError> {
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

    pub(super) fn title(&self) -> String {
        match &self.holds {
            Holds::Task(task) => format!("task {:?} (crate {})", task.name, self.crate_name),
            Holds::Events(_) => format!("crate {}", self.crate_name),
            Holds::Conductor => format!("the app's conductor (crate {})", self.crate_name),
        }
    }
}
