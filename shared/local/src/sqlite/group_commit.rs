//! Group commit: whatever has been asked for by the time the last commit is done is stored in the next one.
//!
//! One thread owns the connection. It takes a request, runs it and all that wait behind it in one transaction, and
//! answers only after the commit, so the price of a durable write is shared. In memory there is nothing to wait
//! for: the same work runs at once on the caller's thread, in the order of the calls.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread::JoinHandle,
};

use dacapo_core::port::{PortError, PortErrorKind, PortResult};
use futures::channel::oneshot;
use rusqlite::Connection;
use tokio::sync::Notify;

use super::rows::{WorkError, not_stored};

/// Requests in one transaction, at most: enough to share a commit, few enough that the first needn't wait long.
const GROUP: usize = 512;

/// Transactions after which the log is written back into the file as soon as nothing waits: what comes meanwhile waits for
/// little. Where something always waits, the connection's own limit has it written back, and all wait for that.
pub(super) const WRITE_BACK_AFTER: u32 = 100;

/// The place of the connection, and the way there.
pub(super) enum Backend {
    Memory(Mutex<Connection>),
    File(Writer),
}

impl Backend {
    /// Runs work in a transaction and gives its result once that is stored. Who is to be woken then, is woken even
    /// if the caller has gone away.
    pub(super) async fn call<R, F>(&self, wake: Option<&Arc<Notify>>, work: F) -> PortResult<R>
    where
        R: Send + 'static,
        F: FnOnce(&Connection) -> Result<R, WorkError> + Send + 'static,
    {
        match self {
            Self::Memory(connection) => {
                let result = at_once(&connection.lock().unwrap_or_else(PoisonError::into_inner), work);
                if let Some(wake) = wake {
                    wake.notify_one();
                }
                result
            }
            Self::File(writer) => writer.call(wake.cloned(), work).await,
        }
    }
}

fn at_once<R>(connection: &Connection, work: impl FnOnce(&Connection) -> Result<R, WorkError>) -> PortResult<R> {
    let worked = begin(connection).map_err(WorkError::Sql).and_then(|()| work(connection));
    let ended = match worked {
        Err(WorkError::Sql(error)) => Err(error),
        other => commit(connection).map(|()| other),
    };
    match ended {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(WorkError::Port(error))) => Err(error),
        Ok(Err(WorkError::Sql(error))) | Err(error) => {
            roll_back(connection);
            Err(not_stored(connection.path(), &error))
        }
    }
}

/// The thread that owns a file's connection.
pub(super) struct Writer {
    requests: Option<Sender<Box<dyn Request>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> PortResult<Self> {
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("dacapo-sqlite".to_owned())
            .spawn(move || serve(&connection, &receiver))
            .map_err(|error| {
                PortError::new(PortErrorKind::Transient, "failed to start the database's thread").caused_by(error)
            })?;
        Ok(Self { requests: Some(sender), thread: Some(thread) })
    }

    async fn call<R, F>(&self, wake: Option<Arc<Notify>>, work: F) -> PortResult<R>
    where
        R: Send + 'static,
        F: FnOnce(&Connection) -> Result<R, WorkError> + Send + 'static,
    {
        let gone = || PortError::new(PortErrorKind::Unreachable, "the database's thread has ended (start again)");
        let (reply, answer) = oneshot::channel();
        let request = Box::new(Call { work: Some(work), result: None, wake, reply });
        self.requests.as_ref().ok_or_else(gone)?.send(request).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Drop for Writer {
    /// Waits for the thread, so that the file can be opened again once this returns.
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has left its callers an error already.
            let _ = thread.join();
        }
    }
}

fn serve(connection: &Connection, requests: &Receiver<Box<dyn Request>>) {
    let mut logged = 0;
    loop {
        let mut waiting = requests.try_recv().ok();
        if waiting.is_none() {
            if logged >= WRITE_BACK_AFTER {
                write_back(connection);
                logged = 0;
            }
            waiting = requests.recv().ok();
        }
        let Some(first) = waiting else { return };
        logged += 1;
        let mut group = vec![first];
        let mut stored = begin(connection);
        let mut next = 0;
        while stored.is_ok() && next < group.len() {
            stored = group[next].run(connection);
            next += 1;
            if next == group.len() && next < GROUP {
                group.extend(requests.try_recv());
            }
        }
        let stored = stored.and_then(|()| commit(connection));
        if stored.is_err() {
            roll_back(connection);
        }
        for request in group {
            request.answer(stored.as_ref().err().map(|error| not_stored(connection.path(), error)));
        }
    }
}

fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("BEGIN")?.execute([]).map(drop)
}

fn commit(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("COMMIT")?.execute([]).map(drop)
}

/// Writes the log back into the file.
fn write_back(connection: &Connection) {
    // If this fails, the log grows, and the next commit that can't be stored says so.
    let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
}

fn roll_back(connection: &Connection) {
    if !connection.is_autocommit() {
        // If this fails too, the next BEGIN says so.
        let _ = connection.execute_batch("ROLLBACK");
    }
}

/// One caller's work, run with others' in one transaction.
trait Request: Send {
    /// Does the work. An error of `SQLite`'s gives the whole group up.
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()>;
    /// Tells the caller, once it is known whether the group was stored.
    fn answer(self: Box<Self>, error: Option<PortError>);
}

struct Call<R, F> {
    work: Option<F>,
    result: Option<PortResult<R>>,
    wake: Option<Arc<Notify>>,
    reply: oneshot::Sender<PortResult<R>>,
}

impl<R, F> Request for Call<R, F>
where
    R: Send,
    F: FnOnce(&Connection) -> Result<R, WorkError> + Send,
{
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let Some(work) = self.work.take() else { return Ok(()) };
        match work(connection) {
            Ok(result) => self.result = Some(Ok(result)),
            Err(WorkError::Port(error)) => self.result = Some(Err(error)),
            Err(WorkError::Sql(error)) => return Err(error),
        }
        Ok(())
    }

    fn answer(self: Box<Self>, error: Option<PortError>) {
        let result = match (error, self.result) {
            (None, Some(result)) => result,
            (Some(error), _) => Err(error),
            (None, None) => Err(PortError::new(PortErrorKind::Transient, "the request was not run")),
        };
        if let Some(wake) = self.wake {
            wake.notify_one();
        }
        // A caller that has gone away needs no answer.
        let _ = self.reply.send(result);
    }
}
