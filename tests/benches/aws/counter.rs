//! Calls as a proxy between the app and AWS sees them, counted.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use axum::http::StatusCode;
use dacapo_tests::proxy::{Call, Watch};
use hyper::body::Bytes;
use serde_json::Value;

use super::{
    calls::Calls,
    units::{self, Item},
};

/// The calls since the last look, and what they wrote.
#[derive(Default)]
pub struct Counter(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    calls: Calls,
    /// The items that were written, by their keys: what a write costs depends on what stood there.
    items: HashMap<(String, String), Item>,
}

impl Counter {
    /// The calls since the last time.
    pub fn take(&self) -> Calls {
        std::mem::take(&mut self.seen().calls)
    }

    /// The present weight of a run's record.
    pub fn item_bytes(&self, pk: &str) -> usize {
        self.seen().items.iter().filter(|((of, _), _)| of == pk).map(|(_, item)| units::bytes(item)).sum()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Watch for Counter {
    async fn answered(&self, call: &Call, status: StatusCode, got: &Bytes) {
        self.seen().count(call, status, got);
    }
}

impl Seen {
    fn count(&mut self, call: &Call, status: StatusCode, got: &[u8]) {
        self.calls.add(&call.service, &call.operation);
        let parse = |bytes| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
        let (sent, got) = (parse(&call.sent), parse(got));
        let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let (key, after) = match &*call.operation {
            "PutItem" => (object(&sent["Item"]), object(&sent["Item"])),
            "UpdateItem" => (object(&sent["Key"]), object(&got["Attributes"])),
            _ => return,
        };
        let part = |name: &str| key.get(name).and_then(|key| key["S"].as_str()).unwrap_or_default().to_owned();
        let key = (part("pk"), part("sk"));
        let before = self.items.get(&key).cloned().unwrap_or_default();
        if status.is_success() {
            self.calls.write_units += units::of_write(&before, &after) as f64;
            self.items.insert(key, after);
        } else {
            // A refused condition is paid for what stands there.
            self.calls.write_units += units::of_write(&before, &before) as f64;
        }
    }
}
