//! Bodies, inputs and results: in their record while it stays small, else items of their own.

use dacapo::port::{PortError, PortErrorKind, PortResult, Stored};
use dacapo_domain::{Id, Json, Version};

use super::{
    DynamoStore, Item,
    item::{self, RUN, is_gone, key, read_json, read_run, run_pk, text, text_of},
};
use crate::error::What;

/// A record is written again and again, and each write is paid by the KB.
const RECORD_BYTES: usize = 1_024;

/// That a record has items beside it, which end with it.
pub(super) const APART: &str = "apart";

/// A kind of payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payload {
    /// What a run was started with, or an event's.
    Body,
    /// The input of an iteration.
    Input,
    /// A run's result.
    Result,
}

impl Payload {
    const ALL: [Self; 3] = [Self::Body, Self::Input, Self::Result];

    /// The attribute that holds it.
    pub(super) const fn inside(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Input => "input",
            Self::Result => "result",
        }
    }

    /// The attribute that names the item which holds it.
    pub(super) const fn beside(self) -> &'static str {
        match self {
            Self::Body => "bodyAt",
            Self::Input => "inputAt",
            Self::Result => "resultAt",
        }
    }

    /// Whether the record stays small with it inside.
    pub(super) fn fits(self, record: &Item, json: &Json) -> bool {
        item::bytes(record) + self.inside().len() + json.bytes() <= RECORD_BYTES
    }
}

impl DynamoStore {
    /// Stores a payload beside its record, before the record: a crash in between leaves an item that nobody asks for.
    /// Its name is this write's own, so that a write that loses changes nothing. Gives the name.
    pub(super) async fn put_beside(&self, pk: &str, kind: Payload, json: &Json, write: Version) -> PortResult<String> {
        let sk = format!("{}/{:016x}", kind.inside(), write.0);
        let mut item = key(pk, &*sk);
        item.insert("json".to_owned(), text(json.text()));
        let put = self.client.put_item().table_name(self.table()).set_item(Some(item));
        put.send().await.map_err(|error| self.failed(What::of("store a payload of", pk), error))?;
        Ok(sk)
    }

    /// Deletes a payload whose record was not written, if it can be.
    pub(super) async fn drop_beside(&self, pk: &str, sk: &str) {
        let delete = self.client.delete_item().table_name(self.table()).set_key(Some(key(pk, sk)));
        if let Err(error) = delete.send().await {
            let error = self.failed(What::of("delete a payload of", pk), error);
            tracing::debug!(%error, "an item that nobody asks for stays");
        }
    }

    /// Reads a payload beside its record.
    pub(super) async fn read_beside(&self, pk: &str, sk: &str) -> PortResult<Json> {
        let json = self.get(pk, sk).await?.and_then(|mut item| item.remove("json"));
        let json = json.ok_or_else(|| {
            PortError::new(PortErrorKind::Refused, format!("failed to read {sk:?} of {pk:?}: it is gone"))
        })?;
        read_json(json)
    }

    /// The run with all its payloads.
    pub(super) async fn load_run(&self, id: Id) -> PortResult<Option<Stored>> {
        let pk = run_pk(id);
        let Some(item) = self.get(&pk, RUN).await? else { return Ok(None) };
        let beside: Vec<(Payload, String)> = Payload::ALL
            .into_iter()
            .filter_map(|kind| Some((kind, text_of(&item, kind.beside())?.to_owned())))
            .collect();
        let mut stored = read_run(item)?;
        for (kind, sk) in beside {
            let json = Some(self.read_beside(&pk, &sk).await?);
            match kind {
                Payload::Body => stored.body = json,
                Payload::Input => stored.input = json,
                Payload::Result => stored.result = json,
            }
        }
        Ok(Some(stored))
    }

    /// An item, strongly consistent, unless it has expired.
    pub(super) async fn get(&self, pk: &str, sk: &str) -> PortResult<Option<Item>> {
        let get = self.client.get_item().table_name(self.table()).set_key(Some(key(pk, sk))).consistent_read(true);
        let reply = get.send().await.map_err(|error| self.failed(What::of("read", pk), error))?;
        Ok(reply.item.filter(|item| !is_gone(item, self.now_s())))
    }
}
