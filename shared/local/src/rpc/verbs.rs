//! The verbs: for each its path, what is sent and what comes back, said once for client and server.

use std::marker::PhantomData;

use dacapo_core::port::ExecutionStatus;
use dacapo_domain::{Claim, Created, Effect, Header, LogLine, Page, Query, RecordKey, Saved, StoredRecord, Write};

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

pub const CREATE: Verb<(Write, Option<Claim>), Created> = Verb::at("/rpc/records/create");
pub const LOAD: Verb<RecordKey, Option<StoredRecord>> = Verb::at("/rpc/records/load");
pub const SAVE: Verb<(Header, Write), Saved> = Verb::at("/rpc/records/save");
pub const DELETE: Verb<(Header, Vec<Effect>), bool> = Verb::at("/rpc/records/delete");
pub const QUERY: Verb<Query, Page> = Verb::at("/rpc/records/query");
pub const APPEND: Verb<(RecordKey, Vec<LogLine>), ()> = Verb::at("/rpc/records/append");
pub const READ_LOG: Verb<(RecordKey, Option<String>, usize), Vec<LogLine>> = Verb::at("/rpc/records/read-log");

pub const POST: Verb<Effect, ()> = Verb::at("/rpc/outbox/post");

pub const HAS_BACKLOG: Verb<String, bool> = Verb::at("/rpc/probe/has-backlog");
pub const EXECUTION_STATUS: Verb<String, ExecutionStatus> = Verb::at("/rpc/probe/execution-status");
