//! Who sits where: the processes that may ask for work.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::Seat;

/// The processes that may ask for work, by number.
#[derive(Clone, Default)]
pub struct Seats(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    last: u64,
    seats: HashMap<u64, Arc<Seat>>,
}

impl Seats {
    /// Makes a seat for a process that is about to be started.
    pub fn take(&self, function: &str) -> (u64, Arc<Seat>) {
        let mut taken = self.lock();
        taken.last += 1;
        let number = taken.last;
        let seat = Arc::new(Seat::new(function));
        taken.seats.insert(number, seat.clone());
        (number, seat)
    }

    /// The process has ended.
    pub fn leave(&self, number: u64) {
        self.lock().seats.remove(&number);
    }

    /// The seat of a function's process.
    pub fn find(&self, function: &str, number: u64) -> Option<Arc<Seat>> {
        self.lock().seats.get(&number).filter(|seat| seat.function() == function).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
