//! The ports of a running engine, over HTTP on this machine: one POST of JSON a verb.

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "engine")]
mod server;

use std::marker::PhantomData;

use dacapo_core::port::{ExecutionStatus, Until};
use dacapo_domain::{
    Claim, Created, Effect, Header, LogLine, OwnedQuery, Page, Query, RecordKey, Saved, StoredRecord, Write,
};
use jiff::Timestamp;

#[cfg(feature = "engine")]
pub(crate) use server::router;

/// A request here, behind a process's own address, is never answered: its connection lasts as long as the engine.
pub(crate) const LIVENESS_PATH: &str = "/liveness";

const CREATE: Verb<(Write, Option<Claim>), Created> = Verb::at("/rpc/records/create");
const LOAD: Verb<RecordKey, Option<StoredRecord>> = Verb::at("/rpc/records/load");
const LOAD_UNTIL: Verb<(RecordKey, Until), Option<StoredRecord>> = Verb::at("/rpc/records/load-until");
const PEEK: Verb<Vec<RecordKey>, Vec<StoredRecord>> = Verb::at("/rpc/records/peek");
const GATHER: Verb<(RecordKey, String, Vec<String>), Option<StoredRecord>> = Verb::at("/rpc/records/gather");
const SAVE: Verb<(Header, Write), Saved> = Verb::at("/rpc/records/save");
const DELETE: Verb<(Header, Vec<Effect>), bool> = Verb::at("/rpc/records/delete");
const POSTPONE: Verb<(RecordKey, Timestamp, Timestamp), bool> = Verb::at("/rpc/records/postpone");
const QUERY: Verb<Query, Page> = Verb::at("/rpc/records/query");
const OWNED: Verb<OwnedQuery, Vec<StoredRecord>> = Verb::at("/rpc/records/owned");
const APPEND: Verb<(RecordKey, Vec<LogLine>), ()> = Verb::at("/rpc/records/append");
const READ_LOG: Verb<(RecordKey, Option<String>, usize), Vec<LogLine>> = Verb::at("/rpc/records/read-log");
const READ_LOG_BACK: Verb<(RecordKey, Option<String>, usize), Vec<LogLine>> = Verb::at("/rpc/records/read-log-back");

const POST: Verb<Effect, ()> = Verb::at("/rpc/outbox/post");

const HAS_BACKLOG: Verb<String, bool> = Verb::at("/rpc/probe/has-backlog");
const EXECUTION_STATUS: Verb<String, ExecutionStatus> = Verb::at("/rpc/probe/execution-status");

/// A verb: its path, with the types of what is sent and of what comes back, said once for client and server.
struct Verb<Sent, Back> {
    path: &'static str,
    types: PhantomData<fn(Sent) -> Back>,
}

impl<Sent, Back> Verb<Sent, Back> {
    const fn at(path: &'static str) -> Self {
        Self { path, types: PhantomData }
    }
}

#[cfg(all(test, feature = "client", feature = "engine"))]
mod tests;
