//! A run's own stored data, as its attempt reads and updates them.

use std::collections::BTreeMap;

use dacapo_domain::{Input, Json, Payloads, RunRecord, RunView, Update, limits, merge_patch, slot};

use super::{TaskAttempt, data::StoredData};
use crate::{
    Error, ErrorKind,
    commit::{Stored, load, retry_until},
};

impl TaskAttempt {
    /// The run's record with its payloads, as it is stored now.
    ///
    /// # Errors
    /// `NotFound` where it is gone; else what the store says.
    pub async fn stored(&self) -> Result<RunView, Error> {
        let Stored { record, payloads } = self.load().await?;
        Ok(RunView::new(&record, payloads, self.app().ports().clock.now()))
    }

    /// The run's input, output or metadata, by its slot: what it was started with counts as its first input.
    ///
    /// # Errors
    /// The store's own words.
    pub async fn data(&self, slot: &'static str) -> Result<Option<Json>, Error> {
        let mut data = self.data.lock().await;
        Ok(self.slots(&mut data).await?.get(slot).cloned())
    }

    /// Replaces the run's tags, and merges patches into its input, output or metadata, by slot: all of it, or nothing.
    ///
    /// # Errors
    /// `Usage` for a patch that is no object, one of an input that is none, or a value that comes out too large;
    /// `Refused` where the attempt's lease is lost, or the run has ended; else what the store says.
    pub async fn update(&self, tags: Option<Vec<String>>, patches: &[(&'static str, Json)]) -> Result<(), Error> {
        let mut data = self.data.lock().await;
        let mut next = self.slots(&mut data).await?.clone();
        let mut payloads = Payloads::none();
        for (slot, patch) in patches {
            let merged = merge(slot, next.get(slot), patch)?;
            next.insert(slot, merged.clone());
            payloads = payloads.with(slot, merged);
        }
        // Read again where it fails: it may have been stored all the same.
        data.slots = None;
        self.change(&Input::Updated(self.token, Update { tags, payloads })).await?;
        data.slots = Some(next);
        Ok(())
    }

    async fn slots<'a>(&self, data: &'a mut StoredData) -> Result<&'a BTreeMap<&'static str, Json>, Error> {
        let slots = match data.slots.take() {
            Some(slots) => slots,
            None => StoredData::of(&self.load().await?.payloads).slots.unwrap_or_default(),
        };
        Ok(data.slots.insert(slots))
    }

    async fn load(&self) -> Result<Stored<RunRecord>, Error> {
        let (key, ports) = (RunRecord::key_of(self.run().id), self.app().ports());
        let stored = retry_until(ports, self.write_until(), || load::<RunRecord>(ports, &key)).await?;
        stored.ok_or_else(|| Error::new(ErrorKind::NotFound, "read the run: its record is gone"))
    }
}

fn merge(slot: &str, before: Option<&Json>, patch: &Json) -> Result<Json, Error> {
    let refused = |why: &dyn std::fmt::Display| Error::usage(format_args!("update the {slot} of the run: {why}"));
    if slot == slot::INPUT && before.is_some_and(|input| !input.text().starts_with('{')) {
        return Err(refused(&"it is no JSON object, so nothing can be merged into it (continue with another input)"));
    }
    let merged = merge_patch(before.unwrap_or(&Json::default()), patch).map_err(|error| refused(&error))?;
    merged.check().map_err(|error| refused(&error))?;
    let (bytes, allowed) = (merged.bytes(), limits::MESSAGE_BYTES);
    if bytes > allowed {
        return Err(refused(&format_args!("it would have {bytes} bytes (allowed: {allowed})")));
    }
    Ok(merged)
}
