//! A delivery: one event at one function. It has a record only once it has failed, or is due beyond the
//! queue's longest delay; a success at the first try writes nothing.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{EventMessage, Failure, Id, Json, Moment, Retry, RetryWish, Subscription, Version, limits};

/// The record of a delivery, its body apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// The event's id.
    pub event: Id,
    /// The event's name.
    pub name: String,
    /// The function it is for; the conductor's, where the event itself is held back until it is due.
    pub function: String,
    /// Names the last write.
    pub version: Version,
    /// Where it stands.
    pub state: DeliveryState,
    /// When the event was published.
    pub published_at: Timestamp,
    /// When its first delivery was due: its age counts from here.
    pub first_due_at: Timestamp,
    /// When the next attempt is due.
    pub due_at: Timestamp,
    /// The next attempt, from 1.
    pub attempt: u32,
    /// Hops of the chain that leads here.
    #[serde(default)]
    pub hops: u32,
    /// Why the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// When the conductor should look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch_at: Option<Timestamp>,
    /// Looks in a row that found the queue busy.
    #[serde(default)]
    pub looks: u32,
    /// When the record may be deleted, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<i64>,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// An attempt is due, or will be.
    Retrying,
    /// An attempt succeeded.
    Delivered,
    /// Given up: too old, or too many attempts.
    Dropped,
}

/// What the failing handlers of one event in one function ask for, put together: the soonest next try, the largest
/// number and age, the dead-letter queue if one of them wants it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventPolicy {
    retries: Vec<Retry>,
    dead_letter: bool,
}

impl EventPolicy {
    /// Puts subscriptions together.
    #[must_use]
    pub fn together<'a>(subscriptions: impl IntoIterator<Item = &'a Subscription>) -> Self {
        let mut policy = Self::default();
        for subscription in subscriptions {
            policy.retries.push(subscription.retry);
            policy.dead_letter |= subscription.dead_letter;
        }
        policy
    }

    fn delay(&self, attempt: u32, roll: f64) -> Option<Duration> {
        self.retries.iter().map(|retry| retry.delay(attempt, roll)).min()
    }

    fn max_attempts(&self) -> u32 {
        self.retries.iter().map(Retry::max_attempts).max().unwrap_or(0)
    }

    /// A policy that names no age ends too: an event is not tried for ever.
    fn max_age(&self) -> Duration {
        self.retries.iter().map(|retry| retry.max_age().unwrap_or(limits::EVENT_AGE)).max().unwrap_or_default()
    }
}

/// What is to be done once the record is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryEffect {
    /// Send its message to its function's queue, with this delay.
    Send(Duration),
    /// Let a one-time schedule send it.
    Schedule(Timestamp),
    /// Put the event into the function's dead-letter queue.
    DeadLetter,
}

/// What the conductor has found out about an overdue delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryFacts {
    /// The function's queue has a backlog.
    Backlog,
    /// It has none.
    NoBacklog,
    /// No function of this name is subscribed any more.
    Unsubscribed,
}

impl DeliveryEffect {
    fn carry(due_at: Timestamp, now: Timestamp) -> Self {
        let delay = crate::until(now, due_at);
        if delay <= limits::MAX_QUEUE_DELAY { Self::Send(delay) } else { Self::Schedule(due_at) }
    }
}

impl Delivery {
    /// Names the delivery in the store.
    #[must_use]
    pub fn key(&self) -> String {
        key(self.event, &self.function)
    }

    /// The record of an event that is held back, or of one whose attempt is about to fail.
    #[must_use]
    pub fn new(event: &EventMessage, moment: &Moment) -> Self {
        Self {
            event: event.id,
            name: event.name.clone(),
            function: event.function.clone(),
            version: moment.version(),
            state: DeliveryState::Retrying,
            published_at: event.published_at,
            first_due_at: event.due_at,
            due_at: event.due_at,
            attempt: event.attempt,
            hops: event.hops,
            error: None,
            watch_at: Some(event.due_at.max(moment.now) + limits::QUEUE_GRACE),
            looks: 0,
            ttl: None,
        }
    }

    /// The event as its function gets it.
    #[must_use]
    pub fn message(&self, body: Json) -> EventMessage {
        EventMessage {
            id: self.event,
            name: self.name.clone(),
            function: self.function.clone(),
            body,
            published_at: self.published_at,
            due_at: self.first_due_at,
            hops: self.hops,
            attempt: self.attempt,
        }
    }

    /// What brings the delivery to its function when it is due.
    #[must_use]
    pub fn carry(&self, now: Timestamp) -> DeliveryEffect {
        DeliveryEffect::carry(self.due_at, now)
    }

    /// An attempt failed: the next one is due by the policy, or the delivery is dropped. One that has ended stays.
    #[must_use]
    pub fn failed(
        &self,
        failure: Failure,
        wish: RetryWish,
        policy: &EventPolicy,
        moment: &Moment,
    ) -> (Self, Vec<DeliveryEffect>) {
        if self.state != DeliveryState::Retrying {
            return (self.clone(), vec![]); // It has ended; only `redriven` begins it anew.
        }
        let mut next = self.clone();
        next.version = moment.version();
        next.error = Some(failure);
        next.looks = 0;
        let now = moment.now;
        let due_at = match wish {
            RetryWish::Never => None,
            RetryWish::ByPolicy => policy.delay(self.attempt, moment.roll()).map(|delay| now + delay),
            RetryWish::At(at) => Some(at.max(now)),
        };
        let due_at = due_at
            .filter(|_| self.attempt < policy.max_attempts())
            .filter(|due_at| crate::until(self.first_due_at, *due_at) <= policy.max_age());
        let Some(due_at) = due_at else {
            next.state = DeliveryState::Dropped;
            next.watch_at = None;
            next.ttl = Some((now + limits::HISTORY).as_second() + 1);
            return (next, if policy.dead_letter { vec![DeliveryEffect::DeadLetter] } else { vec![] });
        };
        next.attempt += 1;
        next.due_at = due_at;
        let watch_at = due_at + limits::QUEUE_GRACE;
        next.watch_at = Some(self.watch_at.map_or(watch_at, |watched| watched.min(watch_at)));
        let effects = vec![next.carry(now)];
        (next, effects)
    }

    /// An attempt succeeded: the record stays for its history, so that the same event published again is dropped.
    #[must_use]
    pub fn delivered(&self, moment: &Moment) -> Self {
        if self.state != DeliveryState::Retrying {
            return self.clone();
        }
        let mut next = self.clone();
        next.version = moment.version();
        next.state = DeliveryState::Delivered;
        next.error = None;
        next.watch_at = None;
        next.ttl = Some((moment.now + limits::HISTORY).as_second() + 1);
        next
    }

    /// Somebody sends it again from the record, with its attempts at 0.
    #[must_use]
    pub fn redriven(&self, moment: &Moment) -> (Self, Vec<DeliveryEffect>) {
        let mut next = self.clone();
        next.version = moment.version();
        next.state = DeliveryState::Retrying;
        next.attempt = 1;
        next.first_due_at = moment.now;
        next.due_at = moment.now;
        next.ttl = None;
        next.looks = 0;
        next.watch_at = Some(moment.now + limits::QUEUE_GRACE);
        (next, vec![DeliveryEffect::Send(Duration::ZERO)])
    }

    /// The conductor looks at it: sent again where nothing waits in the queue, else later.
    #[must_use]
    pub fn looked(&self, facts: DeliveryFacts, moment: &Moment) -> (Self, Vec<DeliveryEffect>) {
        if self.state != DeliveryState::Retrying {
            return (self.clone(), vec![]); // It has ended; only `redriven` begins it anew.
        }
        let now = moment.now;
        let mut next = self.clone();
        next.version = moment.version();
        if facts == DeliveryFacts::Unsubscribed {
            let cause = format!("{} has no handler of {:?} any more", self.function, self.name);
            next.state = DeliveryState::Dropped;
            next.error = Some(Failure::new(crate::code::ERROR, cause));
            next.watch_at = None;
            next.ttl = Some((now + limits::HISTORY).as_second() + 1);
            return (next, vec![]);
        }
        let pause = (limits::QUEUE_GRACE * 2_u32.saturating_pow(self.looks)).min(limits::MAX_LOOK_DELAY);
        next.looks = self.looks.saturating_add(1);
        next.watch_at = Some((self.due_at + limits::QUEUE_GRACE).max(now + pause));
        let tell = facts == DeliveryFacts::NoBacklog && self.due_at <= now;
        (next, if tell { vec![DeliveryEffect::Send(Duration::ZERO)] } else { vec![] })
    }

    /// Whether the record has expired although the store may not have deleted it yet.
    #[must_use]
    pub fn is_gone(&self, now: Timestamp) -> bool {
        self.ttl.is_some_and(|ttl| ttl <= now.as_second())
    }
}

/// Names the delivery of an event at a function.
#[must_use]
pub fn key(event: Id, function: &str) -> String {
    format!("{event}/{function}")
}
