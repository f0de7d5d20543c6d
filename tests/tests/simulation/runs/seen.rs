//! The doings of the functions, as an outsider would have seen them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use dacapo::{Client, Id, TaskContext};
use dacapo_core::port::Clock;
use dacapo_test_kit::VirtualClock;
use jiff::Timestamp;

/// The doings of the functions.
#[derive(Default)]
pub struct Seen {
    /// Calls of the handler: a run's iteration and attempt, and when.
    pub calls: BTreeMap<(Id, u32, u32), Vec<Timestamp>>,
    /// Attempts that execute.
    pub busy: BTreeMap<Id, u32>,
    /// Times that a run's `on_complete` ran.
    pub completed: BTreeMap<Id, u32>,
    /// Lifecycle events that came to their subscriber.
    pub told: BTreeSet<(Id, String)>,
    /// Events that a handler took without failing, and how often.
    pub handled: BTreeMap<u32, u32>,
    /// The same of the other handler, which never fails.
    pub audited: BTreeMap<u32, u32>,
    /// Events that came to the function that was deployed later.
    pub heard_late: BTreeSet<u32>,
    /// Values that a run's handler got of a step.
    pub marks: BTreeMap<(Id, &'static str), BTreeSet<u64>>,
    /// Runs that were aborted while they executed: in which iteration and attempt.
    pub enough: BTreeMap<Id, (u32, u32)>,
    /// Tokens that handlers gave away.
    pub tokens: Vec<String>,
    /// The breaches so far.
    pub broken: Vec<String>,
    /// Is true where attempts last for minutes, at times beyond their timeout.
    pub lasts_long: bool,
    /// Is true where clocks differ, by which an attempt may be taken for dead.
    pub clocks_differ: bool,
    clock: Option<Arc<VirtualClock>>,
    client: Option<Client>,
}

/// The state that functions and history share.
#[derive(Clone, Default)]
pub struct Witness(Arc<Mutex<Seen>>);

impl Witness {
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap()
    }

    /// Gives it the true time, and a client of those outside.
    pub fn join(&self, clock: Arc<VirtualClock>, client: Client) {
        let mut seen = self.seen();
        (seen.clock, seen.client) = (Some(clock), Some(client));
    }

    pub fn now(&self) -> Timestamp {
        self.seen().clock.as_ref().unwrap().now()
    }

    pub fn client(&self) -> Client {
        self.seen().client.clone().unwrap()
    }

    /// The time that an attempt takes.
    pub fn lasts(&self, roll: u64) -> Duration {
        match self.seen().lasts_long && roll.is_multiple_of(3) {
            true => Duration::from_secs(roll % 400),
            false => Duration::from_millis(roll % 50),
        }
    }

    /// Notes that an attempt begins; it executes until what is given is dropped, as where its process dies.
    pub fn begins(&self, cx: &TaskContext) -> Busy {
        let (now, id) = (self.now(), cx.run_id());
        let mut seen = self.seen();
        let times = seen.calls.entry((id, cx.iteration(), cx.attempt())).or_default();
        times.push(now);
        // Guarantee 2: an attempt is taken once.
        if times.len() > 1 {
            let what = format!("{id} ran iteration {}, attempt {} at {times:?}", cx.iteration(), cx.attempt());
            seen.broken.push(what);
        }
        let busy = seen.busy.entry(id).or_default();
        *busy += 1;
        let overlaps = *busy > 1;
        if overlaps && !seen.clocks_differ {
            let what = format!("{id} executes twice at once in iteration {}, attempt {}", cx.iteration(), cx.attempt());
            seen.broken.push(what);
        }
        Busy(self.clone(), id)
    }
}

/// An attempt that executes.
pub struct Busy(Witness, Id);

impl Drop for Busy {
    fn drop(&mut self) {
        *self.0.seen().busy.get_mut(&self.1).unwrap() -= 1;
    }
}
