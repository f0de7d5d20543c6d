use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use dacapo_domain::Id;

/// Attempts whose values are kept at once: more than one process has at a time.
const SIZE: usize = 64;

/// The values that `init` made for the latest attempts: for the hooks of the end, where an attempt turns out to be the
/// last.
pub(crate) struct InitValueCache<V>(Mutex<VecDeque<(Id, Arc<V>)>>);

impl<V> InitValueCache<V> {
    pub const fn new() -> Self {
        Self(Mutex::new(VecDeque::new()))
    }

    pub fn keep(&self, run: Id, value: &Arc<V>) {
        let mut kept = self.lock();
        kept.retain(|(other, _)| *other != run);
        kept.truncate(SIZE - 1);
        kept.push_front((run, Arc::clone(value)));
    }

    pub fn get(&self, run: Id) -> Option<Arc<V>> {
        self.lock().iter().find(|(other, _)| *other == run).map(|(_, value)| Arc::clone(value))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Id, Arc<V>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
