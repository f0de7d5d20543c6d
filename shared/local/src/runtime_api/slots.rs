//! The slots of all processes that may ask for work.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::Slot;

/// The processes that may ask for work, by number.
#[derive(Clone, Default)]
pub struct Slots(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    last: u64,
    slots: HashMap<u64, Arc<Slot>>,
}

impl Slots {
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
