//! The account of a history: what each process did, when, and what went wrong there.

use std::{
    fmt::{self, Display, Formatter},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use dacapo_core::port::{Clock, PortResult};

/// An account of what an app's processes do, with the breaches of the rules that its ports alone can see.
///
/// Its lines are written only where it is [kept](Self::kept), since they cost time; breaches and faults are always
/// counted.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    is_kept: bool,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    lines: Vec<String>,
    breaches: Vec<String>,
    faults: u32,
    calls: u32,
    processes: u32,
    late: u32,
}

impl Trace {
    /// An account whose lines are kept.
    #[must_use]
    pub fn kept() -> Self {
        Self { is_kept: true, ..Self::default() }
    }

    /// Adds a line.
    pub fn note(&self, line: impl FnOnce() -> String) {
        if self.is_kept {
            self.inner().lines.push(line());
        }
    }

    /// Adds a breach of a rule.
    pub(crate) fn breach(&self, what: String) {
        self.note(|| format!("BREACH {what}"));
        self.inner().breaches.push(what);
    }

    /// The lines so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.inner().lines.clone()
    }

    /// The breaches so far.
    #[must_use]
    pub fn breaches(&self) -> Vec<String> {
        self.inner().breaches.clone()
    }

    /// The number of faults so far: the number of the last one.
    #[must_use]
    pub fn faults(&self) -> u32 {
        self.inner().faults
    }

    /// The number of calls of ports so far.
    #[must_use]
    pub fn calls(&self) -> u32 {
        self.inner().calls
    }

    pub(crate) fn next_fault(&self) -> u32 {
        let mut inner = self.inner();
        inner.faults += 1;
        inner.faults
    }

    /// The number of the next message that is later than its queue holds.
    pub(crate) fn next_late(&self) -> u32 {
        let mut inner = self.inner();
        inner.late += 1;
        inner.late
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One process in an account.
#[derive(Clone)]
pub struct Process {
    trace: Trace,
    number: u32,
    clock: Arc<dyn Clock>,
}

impl Process {
    /// The next process, by the app's clock.
    pub fn next(trace: Trace, clock: Arc<dyn Clock>) -> Self {
        let mut inner = trace.inner();
        inner.processes += 1;
        let number = inner.processes;
        drop(inner);
        Self { trace, number, clock }
    }

    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Adds a line of this process.
    pub fn note(&self, line: impl FnOnce() -> String) {
        self.trace.note(|| format!("{} process {}: {}", Time(&*self.clock), self.number, line()));
    }

    /// Adds a fault, and gives its number.
    pub fn fault(&self, what: &str) -> u32 {
        let number = self.trace.next_fault();
        self.note(|| format!("  fault {number}: {what}"));
        number
    }

    /// Makes a call of a port, which is one line with its reply.
    pub async fn call<T>(
        &self,
        what: impl FnOnce() -> String,
        call: impl Future<Output = PortResult<T>>,
        said: impl FnOnce(&T) -> String,
    ) -> PortResult<T> {
        self.trace.inner().calls += 1;
        if !self.trace.is_kept {
            return call.await;
        }
        let what = what();
        let reply = call.await;
        let reply_text = match &reply {
            Ok(reply) => said(reply),
            Err(error) => format!("failed: {error}"),
        };
        self.note(|| format!("  {what}: {reply_text}"));
        reply
    }
}

/// The time of day, with the day before it where it is not the first.
struct Time<'a>(&'a dyn Clock);

impl Display for Time<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.now().strftime("%d. %H:%M:%S%.3f"))
    }
}

/// The end of an id or a longer text, which is enough to tell it from others in one account.
#[must_use]
pub fn short(text: &str) -> &str {
    let from = text.char_indices().rev().nth(7).map_or(0, |(at, _)| at);
    &text[from..]
}
