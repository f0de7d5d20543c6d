//! The slots of all processes that may ask for work: each one's end of the Runtime API, one invocation at a time.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::body::Bytes;
use dacapo_core::{
    port::{Clock, PortError, PortErrorKind, PortResult, SystemClock},
    runner::EndedAttempt,
};
use jiff::Timestamp;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};

use super::Payload;

/// The processes that may ask for work, by number.
#[derive(Clone)]
pub struct Slots {
    secret: Arc<str>,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    last: u64,
    slots: HashMap<u64, Arc<Slot>>,
}

/// An invocation on its way to a process.
pub struct PendingInvocation {
    pub request_id: String,
    /// The time at which the process will be stopped: counted from here, so a slow start costs nothing.
    pub deadline: Timestamp,
    pub payload: Payload,
}

/// The end of an invocation, as its process tells it.
#[derive(Debug, PartialEq)]
pub enum Ended {
    /// It answered.
    Answered(Bytes),
    /// It made an attempt, whose end is to be committed.
    Attempt(Box<EndedAttempt>),
    /// It reported an error, as JSON of Lambda's form.
    Failed(Bytes),
}

/// One process's end of the Runtime API.
pub struct Slot {
    function: String,
    sender: mpsc::UnboundedSender<Waiting>,
    waiting: AsyncMutex<mpsc::UnboundedReceiver<Waiting>>,
    running: Mutex<Option<(String, oneshot::Sender<Ended>)>>,
}

struct Waiting {
    request_id: String,
    payload: Payload,
    limit: Duration,
    taken: oneshot::Sender<()>,
    ended: oneshot::Sender<Ended>,
}

/// The news that a caller gets of its invocation.
pub struct Calling {
    /// Comes when the process has fetched it; a process that ends before has not seen it.
    pub taken: oneshot::Receiver<()>,
    /// Comes when the process has answered.
    pub ended: oneshot::Receiver<Ended>,
}

impl Slots {
    /// No processes yet, under a new secret of 128 bits of the operating system's randomness.
    ///
    /// # Errors
    /// If the operating system has none.
    pub fn new() -> PortResult<Self> {
        let mut secret = [0; 16];
        getrandom::fill(&mut secret).map_err(|error| {
            PortError::new(PortErrorKind::Refused, format!("failed to get random bytes of the system: {error}"))
        })?;
        let secret = format!("{:032x}", u128::from_ne_bytes(secret)).into();
        Ok(Self { secret, taken: Arc::default() })
    }

    /// The path of the Runtime API of a function's process.
    pub fn path(&self, function: impl fmt::Display, process: impl fmt::Display) -> String {
        format!("/rt/{}/{function}/{process}", self.secret)
    }

    /// Makes a slot for a process that is about to be started.
    pub fn take(&self, function: &str) -> (u64, Arc<Slot>) {
        let mut taken = self.lock();
        taken.last += 1;
        let number = taken.last;
        let slot = Arc::new(Slot::new(function));
        taken.slots.insert(number, slot.clone());
        (number, slot)
    }

    /// The process has ended.
    pub fn leave(&self, number: u64) {
        self.lock().slots.remove(&number);
    }

    /// The slot of a function's process.
    pub fn find(&self, function: &str, number: u64) -> Option<Arc<Slot>> {
        self.lock().slots.get(&number).filter(|slot| slot.function() == function).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    pub fn new(function: &str) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self { function: function.to_owned(), sender, waiting: AsyncMutex::new(receiver), running: Mutex::default() }
    }

    pub fn function(&self) -> &str {
        &self.function
    }

    /// Hands an invocation to the process, as soon as it asks.
    pub fn call(&self, payload: Payload, limit: Duration) -> Calling {
        let (taken, heard) = oneshot::channel();
        let (ended, answer) = oneshot::channel();
        let waiting = Waiting { request_id: request_id(), payload, limit, taken, ended };
        // The receiver lives as long as the slot.
        let _ = self.sender.send(waiting);
        Calling { taken: heard, ended: answer }
    }

    /// Waits for the next invocation: the process's long poll.
    pub async fn next(&self) -> PendingInvocation {
        loop {
            let next = self.waiting.lock().await.recv().await;
            let Some(Waiting { request_id, payload, limit, taken, ended }) = next else {
                // The sender is this slot's own.
                return std::future::pending().await;
            };
            if taken.send(()).is_err() {
                continue; // The caller has given up.
            }
            *self.running() = Some((request_id.clone(), ended));
            return PendingInvocation { request_id, payload, deadline: SystemClock.now() + limit };
        }
    }

    /// Takes an answer. Says whether it was for the invocation that runs.
    pub fn end(&self, request_id: &str, ended: Ended) -> bool {
        let mut running = self.running();
        match running.take_if(|(id, _)| id == request_id) {
            Some((_, caller)) => {
                // A caller that has given up has counted the invocation as crashed.
                let _ = caller.send(ended);
                true
            }
            None => false,
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<(String, oneshot::Sender<Ended>)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lambda's request ids are UUIDs.
fn request_id() -> String {
    let (high, low) = (SystemClock.random(), SystemClock.random());
    let version = (high & 0xffff_ffff_ffff_0fff) | 0x4000;
    let variant = (low & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        version >> 32,
        (version >> 16) & 0xffff,
        version & 0xffff,
        variant >> 48,
        variant & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(3);

    fn event(text: &'static str) -> Payload {
        Payload::Event(Bytes::from_static(text.as_bytes()))
    }

    #[tokio::test]
    async fn an_invocation_is_fetched_and_answered_once() {
        let slot = Slot::new("greet");
        let calling = slot.call(event("{}"), LIMIT);
        let handed = slot.next().await;
        assert_eq!(handed.payload.event().unwrap(), "{}");
        assert!(calling.taken.await.is_ok());

        assert!(!slot.end("another", Ended::Answered(Bytes::new())), "an id that doesn't run");
        assert!(slot.end(&handed.request_id, Ended::Answered(Bytes::from_static(b"1"))));
        assert!(!slot.end(&handed.request_id, Ended::Answered(Bytes::new())), "answered twice");
        assert_eq!(calling.ended.await, Ok(Ended::Answered(Bytes::from_static(b"1"))));
    }

    #[tokio::test]
    async fn what_was_given_up_is_not_handed_out() {
        let slot = Slot::new("greet");
        drop(slot.call(event("1"), LIMIT));
        let _kept = slot.call(event("2"), LIMIT);
        assert_eq!(slot.next().await.payload.event().unwrap(), "2");
    }

    #[test]
    fn a_request_id_is_a_random_uuid() {
        let id = request_id();
        assert_eq!((id.len(), id.as_bytes()[14]), (36, b'4'), "{id}");
        assert_ne!(id, request_id());
    }
}
