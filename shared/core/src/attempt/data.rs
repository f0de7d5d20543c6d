//! A run's own stored data, as far as its attempt knows them.

use std::collections::BTreeMap;

use dacapo_domain::{Json, Payload, Payloads, slot};

/// A run's input, output and metadata, as this attempt knows them. No other writes them while it holds the lease.
pub(super) struct StoredData {
    /// By slot; `None` where they are to be read.
    pub slots: Option<BTreeMap<&'static str, Json>>,
}

impl StoredData {
    /// Those among the payloads that came with the run, unless one of them is stored apart. The body counts as its first
    /// input.
    pub fn of(payloads: &Payloads) -> Self {
        let mut slots = BTreeMap::new();
        for slot in [slot::BODY, slot::INPUT, slot::OUTPUT, slot::METADATA] {
            let of = if slot == slot::BODY { slot::INPUT } else { slot };
            match payloads.get(slot) {
                Payload::Here(value) => drop(slots.insert(of, value.clone())),
                Payload::Apart => return Self { slots: None },
                Payload::Absent => {}
            }
        }
        Self { slots: Some(slots) }
    }
}
