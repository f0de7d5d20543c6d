use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use dacapo_domain::Id;

/// Attempts whose values are kept at once: more than one process has at a time.
const KEPT: usize = 64;

/// What `init` made for the latest attempts: for the hooks of the end, where the attempt turns out to be the last.
pub(crate) struct Kept<V>(Mutex<VecDeque<(Id, Arc<V>)>>);

impl<V> Kept<V> {
    pub const fn new() -> Self {
        Self(Mutex::new(VecDeque::new()))
    }

    pub fn keep(&self, run: Id, value: &Arc<V>) {
        let mut kept = self.lock();
        kept.retain(|(other, _)| *other != run);
        kept.truncate(KEPT - 1);
        kept.push_front((run, Arc::clone(value)));
    }

    pub fn take(&self, run: Id) -> Option<Arc<V>> {
        let mut kept = self.lock();
        let place = kept.iter().position(|(other, _)| *other == run)?;
        kept.remove(place).map(|(_, value)| value)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Id, Arc<V>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
