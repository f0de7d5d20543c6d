//! Functions that are binaries: each invocation goes to a process through the Runtime API.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use async_trait::async_trait;
use axum::body::Bytes;
use dacapo_domain::{FunctionEntry, Json};

use super::{Crash, Invoke};
use crate::{
    process::Pool,
    runtime_api::{SqsRecord, batch_event, failed_items},
    sqlite::Received,
};

/// Functions in processes of their own, by their names in the manifest.
pub struct Programs(HashMap<String, Arc<Pool>>);

impl Programs {
    pub fn new(pools: HashMap<String, Arc<Pool>>) -> Self {
        Self(pools)
    }

    /// Ends their processes.
    pub fn stop(&self) {
        self.0.values().for_each(|pool| pool.stop());
    }

    async fn invoke(&self, function: &FunctionEntry, payload: Bytes) -> Result<Bytes, Crash> {
        let pool = self.0.get(&function.name);
        let pool = pool.ok_or_else(|| Crash::new(format!("no function is named {}", function.name)))?;
        pool.invoke(payload).await
    }
}

#[async_trait]
impl Invoke for Programs {
    async fn deliver(&self, function: &FunctionEntry, batch: &[Received]) -> Result<Vec<bool>, Crash> {
        let records: Vec<SqsRecord<'_>> = batch.iter().map(record).collect();
        let ids: Vec<String> = records.iter().map(|record| record.message_id.clone()).collect();
        let event = batch_event(&function.name, &records).map_err(|error| Crash::new(error.to_string()))?;
        let answer = self.invoke(function, event.into()).await?;
        let failed = failed_items(&answer, &ids.iter().cloned().collect::<BTreeSet<_>>());
        Ok(ids.iter().map(|id| !failed.contains(id)).collect())
    }

    async fn call(&self, function: &FunctionEntry, payload: Json) -> Result<Json, Crash> {
        let answer = self.invoke(function, payload.text().to_owned().into()).await?;
        let text =
            String::from_utf8(answer.into()).map_err(|error| Crash::new(format!("the answer is no text: {error}")))?;
        Json::from_text(text).map_err(|error| Crash::new(format!("the answer is no JSON: {error}")))
    }
}

fn record(message: &Received) -> SqsRecord<'_> {
    let receipt_handle = message.receipt.to_string();
    SqsRecord { message_id: receipt_handle.clone(), receipt_handle, body: &message.text, receives: message.receives }
}
