//! The database as a value: opened, shared, asked.

use std::{path::Path, sync::Arc};

use dacapo_core::port::{Clock, PortResult, Ports};
use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::Notify;

use super::{
    group_commit::{Backend, Writer},
    listeners::Listeners,
    open::{Durability, File, open},
    rows::WorkError,
    schema,
};

/// One app's records, queues, timers, executions and schedules. Cheap to clone; the last clone closes it.
///
/// All times come from the clock that it was opened with.
#[derive(Clone)]
pub struct Database {
    backend: Arc<Backend>,
    clock: Arc<dyn Clock>,
    changed: Arc<Notify>,
    pub(super) listeners: Arc<Listeners>,
    file: Option<Arc<File>>,
}

impl Database {
    /// Opens or creates the database in a file, and the directories that lead to it.
    ///
    /// A write that was acknowledged is there after the process was killed, and never half of one.
    ///
    /// # Errors
    /// `Refused` if another engine has the file open, a newer Dacapo wrote it, it is something else's, or it can't be used.
    pub fn open(path: &Path, durability: Durability, clock: Arc<dyn Clock>) -> PortResult<Self> {
        let writer = Writer::start(open(path, durability)?)?;
        let file = File::at(path);
        Ok(Self { file, ..Self::at(Backend::File(writer), clock) })
    }

    /// A database that ends with its last clone. Calls of one thread happen in their order and at once, so that a
    /// test with a virtual clock gives the same result each time.
    ///
    /// # Errors
    /// If there is no memory.
    pub fn memory(clock: Arc<dyn Clock>) -> PortResult<Self> {
        let connection = schema::memory()?;
        Ok(Self::at(Backend::Memory(connection.into()), clock))
    }

    fn at(backend: Backend, clock: Arc<dyn Clock>) -> Self {
        Self { backend: Arc::new(backend), clock, changed: Arc::default(), listeners: Arc::default(), file: None }
    }

    /// The database as all ports.
    #[must_use]
    pub fn ports(&self) -> Ports {
        let this = Arc::new(self.clone());
        Ports { records: this.clone(), outbox: this.clone(), probe: this, clock: self.clock.clone() }
    }

    /// Says whether its file is where it was opened: one that was removed or replaced takes what is written with it.
    ///
    /// # Errors
    /// `Refused` if it isn't.
    pub fn check_file(&self) -> PortResult<()> {
        self.file.as_ref().map_or(Ok(()), |file| file.check())
    }

    /// Waits until something was sent, timed, started or scheduled since the last call: time to ask what is due.
    /// For one waiter; it may be woken for nothing.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Runs work on the connection, in a transaction.
    pub(super) async fn call<R, F>(&self, work: F) -> PortResult<R>
    where
        R: Send + 'static,
        F: FnOnce(&Connection) -> Result<R, WorkError> + Send + 'static,
    {
        self.backend.call(None, work).await
    }

    /// The same for work that may leave something due; it ends [`changed`](Self::changed).
    pub(super) async fn call_and_wake<R, F>(&self, work: F) -> PortResult<R>
    where
        R: Send + 'static,
        F: FnOnce(&Connection) -> Result<R, WorkError> + Send + 'static,
    {
        self.call_and_wake_if(true, work).await
    }

    /// The same for work of which is known before whether it may leave something due.
    pub(super) async fn call_and_wake_if<R, F>(&self, wakes: bool, work: F) -> PortResult<R>
    where
        R: Send + 'static,
        F: FnOnce(&Connection) -> Result<R, WorkError> + Send + 'static,
    {
        self.backend.call(wakes.then_some(&self.changed), work).await
    }
}
