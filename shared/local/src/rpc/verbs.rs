//! The verbs: for each its path, what is sent and what comes back, said once for client and server.

use std::marker::PhantomData;

use dacapo::port::{ListFilter, LogEntry, ScheduleItem, Watched};
use dacapo_domain::{Delivery, Id, Json, LoopCall, Manifest, Message, Run, Schedule};
use jiff::Timestamp;

use super::wire::{WireEnvelope, WirePage, WirePayloads, WireSaved, WireSavedDelivery, WireStored, WireStoredDelivery};

/// A verb: its path, with the types of what is sent and of what comes back.
pub struct Verb<Sent, Back> {
    pub path: &'static str,
    types: PhantomData<fn(Sent) -> Back>,
}

impl<Sent, Back> Verb<Sent, Back> {
    const fn at(path: &'static str) -> Self {
        Self { path, types: PhantomData }
    }
}

pub const CREATE: Verb<(Run, Json, Option<Timestamp>), Option<Run>> = Verb::at("/rpc/store/create");
pub const LOAD: Verb<Id, Option<WireStored>> = Verb::at("/rpc/store/load");
pub const SAVE: Verb<(Run, Run, WirePayloads), WireSaved> = Verb::at("/rpc/store/save");
pub const LIST: Verb<ListFilter, WirePage> = Verb::at("/rpc/store/list");
pub const OVERDUE: Verb<(Timestamp, usize), Vec<Watched>> = Verb::at("/rpc/store/overdue");
pub const LOG: Verb<(Id, Vec<LogEntry>), ()> = Verb::at("/rpc/store/log");
pub const LOGS: Verb<(Id, Option<String>, usize), Vec<LogEntry>> = Verb::at("/rpc/store/logs");
pub const CREATE_DELIVERY: Verb<(Delivery, Json), WireSavedDelivery> = Verb::at("/rpc/store/create-delivery");
pub const LOAD_DELIVERY: Verb<String, Option<WireStoredDelivery>> = Verb::at("/rpc/store/load-delivery");
pub const SAVE_DELIVERY: Verb<(Delivery, Delivery), WireSavedDelivery> = Verb::at("/rpc/store/save-delivery");
pub const SCHEDULE: Verb<String, Option<ScheduleItem>> = Verb::at("/rpc/store/schedule");
pub const SAVE_SCHEDULE: Verb<(Option<ScheduleItem>, ScheduleItem), bool> = Verb::at("/rpc/store/save-schedule");
pub const DELETE_SCHEDULE: Verb<String, ()> = Verb::at("/rpc/store/delete-schedule");
pub const SCHEDULES: Verb<(), Vec<ScheduleItem>> = Verb::at("/rpc/store/schedules");
pub const MANIFEST: Verb<(), Option<Manifest>> = Verb::at("/rpc/store/manifest");
pub const PUT_MANIFEST: Verb<Manifest, ()> = Verb::at("/rpc/store/put-manifest");

pub const SEND: Verb<(String, WireEnvelope), ()> = Verb::at("/rpc/queues/send");
pub const HAS_BACKLOG: Verb<String, bool> = Verb::at("/rpc/queues/has-backlog");
pub const DEAD_LETTER: Verb<(String, String), ()> = Verb::at("/rpc/queues/dead-letter");

pub const START_LOOP: Verb<(String, String, LoopCall, Timestamp), ()> = Verb::at("/rpc/loops/start");
pub const STOP_LOOP: Verb<(String, String), ()> = Verb::at("/rpc/loops/stop");
pub const LOOP_IS_RUNNING: Verb<String, bool> = Verb::at("/rpc/loops/is-running");

pub const PUT_SCHEDULE: Verb<(String, String, Schedule), ()> = Verb::at("/rpc/schedules/put");
pub const REMOVE_SCHEDULE: Verb<String, ()> = Verb::at("/rpc/schedules/delete");

pub const PUT_TIMER: Verb<(String, Timestamp, String, Message), ()> = Verb::at("/rpc/timers/put");
pub const DELETE_TIMER: Verb<String, ()> = Verb::at("/rpc/timers/delete");
