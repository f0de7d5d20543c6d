//! A kind of record that nothing knows but this test.

use dacapo_core::port::{Clock, Ports, SystemClock};
use dacapo_domain::{
    Decision, DecisionContext, Effect, Header, Index, IndexEntry, Json, Machine, RecordKey, Version, Write,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A sheep of a flock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sheep {
    pub name: String,
    pub version: Version,
    pub shorn: u32,
    pub reconcile_at: Option<Timestamp>,
    pub expires_at_s: Option<i64>,
}

/// The things that happen to a sheep.
pub enum SheepInput {
    /// The wool is taken, and the shepherd is told.
    Shorn,
    /// It is gone in an hour.
    Sold,
    /// It is gone at once.
    Eaten,
}

impl Sheep {
    pub fn new(name: &str) -> Self {
        let reconcile_at = Some("2100-01-01T00:00:00Z".parse().unwrap());
        Self { name: name.to_owned(), version: Version(1), shorn: 0, reconcile_at, expires_at_s: None }
    }

    pub fn key(&self) -> RecordKey {
        RecordKey::new(Self::KIND, &*self.name)
    }

    /// The same by another write.
    pub fn at(self, version: u64) -> Self {
        Self { version: Version(version), ..self }
    }

    /// The write that stores it, without effects.
    pub fn write(&self) -> Write {
        Decision::store(self.clone(), vec![]).write().unwrap()
    }

    /// The same with wool, which is a payload.
    pub fn write_with(&self, wool: &Json) -> Write {
        Decision::store(self.clone(), vec![]).with("wool", wool.clone()).write().unwrap()
    }

    /// Stores it.
    pub async fn store(self, ports: &Ports) -> Self {
        ports.records.create(&self.write(), None).await.unwrap();
        self
    }
}

impl Machine for Sheep {
    const KIND: &'static str = "sheep";
    type Input = SheepInput;
    type Policy<'a> = ();

    fn header(&self) -> Header {
        let (reconcile_at, expires_at_s) = (self.reconcile_at, self.expires_at_s);
        Header { key: self.key(), version: self.version, reconcile_at, expires_at_s }
    }

    fn index(&self) -> Vec<IndexEntry> {
        vec![IndexEntry { index: Index::List, partition: "flock".to_owned(), sort: self.name.clone() }]
    }

    fn decide(&self, input: &SheepInput, (): (), cx: &DecisionContext) -> Decision<Self> {
        match input {
            SheepInput::Shorn => {
                let next = Self { version: cx.version(), shorn: self.shorn + 1, ..self.clone() };
                let told = effect(&format!("{} is shorn", self.name));
                Decision::store(next, vec![told]).with("wool", Json::of(&"grey").unwrap())
            }
            SheepInput::Sold => {
                let expires_at_s = Some(cx.now.as_second() + 3_600);
                Decision::store(
                    Self { version: cx.version(), reconcile_at: None, expires_at_s, ..self.clone() },
                    vec![],
                )
            }
            SheepInput::Eaten => Decision::delete(self, vec![effect("dinner")]),
        }
    }
}

/// A message to the shepherd.
pub fn effect(text: &str) -> Effect {
    Effect::Send { to: "shepherd".to_owned(), message: Json::of(&text).unwrap(), delay: std::time::Duration::ZERO }
}

/// Wool of so many bytes as JSON.
pub fn wool(bytes: usize) -> Json {
    Json::of(&"w".repeat(bytes - 2)).unwrap()
}

/// A minute from now, which is time enough for every try.
pub fn soon() -> Timestamp {
    SystemClock.now() + std::time::Duration::from_secs(60)
}
