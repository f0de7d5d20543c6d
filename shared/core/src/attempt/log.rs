//! The log of an attempt, within what an iteration and a run may keep.

use dacapo_domain::{Json, LogRoom, Logged, RunRecord, cut, limits};
use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::{
    commit::{append, retry_until},
    port::{LogEntry, LogLevel, PortResult, Ports},
};

/// The parts of an entry.
pub(super) struct NewEntry {
    pub level: LogLevel,
    pub message: String,
    pub data: Option<Json>,
    pub error: Option<String>,
}

/// The entries that an attempt has kept, after those before it.
pub(crate) struct Log {
    count: Mutex<Count>,
    /// The number that its entries come after.
    after: u32,
}

#[derive(Clone, Copy)]
struct Count {
    logged: Logged,
    own: u32,
    /// The first of the attempts before this one whose processes died, and left their entries uncounted.
    uncounted_from: Option<u32>,
}

impl NewEntry {
    fn bytes(&self) -> usize {
        self.message.len() + self.data.as_ref().map_or(0, Json::bytes) + self.error.as_ref().map_or(0, String::len)
    }

    /// The entry as it is kept: of one that is too large the texts are cut, and the data is left out unless it fits then.
    /// Each says its full size.
    fn bounded(self) -> Self {
        let most = limits::LOG_ENTRY_BYTES;
        if self.bytes() <= most {
            return self;
        }
        let message = cut(self.message, limits::TEXT_BYTES);
        let error = self.error.map(|error| cut(error, limits::STACK_BYTES));
        let entry = Self { message, error, ..self };
        match &entry.data {
            Some(data) if entry.bytes() > most => {
                let note = format!("left out: {} bytes (an entry keeps {most})", data.bytes());
                Self { data: Json::of(&note).ok(), ..entry }
            }
            _ => entry,
        }
    }
}

/// The numbers that earlier attempts of the same number may have used: of those before the run was resumed, once its attempts
/// were used up, and of those that were made again.
fn before(run: &RunRecord) -> u32 {
    let earlier = run.resumed_count.saturating_add(run.logged.again);
    earlier.saturating_mul((limits::END_HOOKS + 1) * (limits::LOG_ENTRIES + 1))
}

impl Log {
    pub(super) fn of_attempt(run: &RunRecord) -> Self {
        let next = run.logged.attempt.saturating_add(1);
        let has_uncounted = next < run.attempt || (next == run.attempt && run.logged.again > 0);
        let uncounted_from = has_uncounted.then_some(next);
        Self { count: Mutex::new(Count { logged: run.logged, own: 0, uncounted_from }), after: before(run) }
    }

    /// The log after the end of a run, for the hooks of the end.
    pub(crate) fn of_ended(run: &RunRecord) -> Self {
        Self { count: Mutex::new(Count { logged: run.logged, own: 0, uncounted_from: None }), after: before(run) }
    }

    /// The same for the n-th hook: its entries stand behind those of the last attempt and of the hooks before.
    pub(super) fn of_end_hook(self, place: u32) -> Self {
        Self { after: self.after + place * (limits::LOG_ENTRIES + 1), ..self }
    }

    /// The log for the hook after this one.
    pub(super) async fn next(&self) -> Self {
        Self { count: Mutex::new(Count { own: 0, ..*self.count.lock().await }), after: 0 }
    }

    /// The entries so far, where this attempt has kept any.
    pub(super) async fn counted(&self) -> Option<Logged> {
        let count = self.count.lock().await;
        (count.own > 0).then_some(count.logged)
    }

    /// Keeps an entry with the run, cut to what an entry may have. Beyond what an iteration or a run may keep, one last
    /// entry says so.
    ///
    /// # Errors
    /// An error of the store.
    pub(super) async fn keep(
        &self,
        ports: &Ports,
        run: &RunRecord,
        entry: NewEntry,
        until: Timestamp,
    ) -> PortResult<()> {
        let entry = entry.bounded();
        let (own, room) = self.room_for(ports, run, entry.bytes(), until).await?;
        let NewEntry { level, message, data, error } = entry;
        let (iteration, attempt, number, time) = (run.iteration, run.attempt, self.after + own, ports.clock.now());
        let entry = LogEntry { iteration, attempt, number, time, level, message, data, error };
        let entry = match room {
            LogRoom::Free => entry,
            LogRoom::Full(why) => LogEntry { level: LogLevel::Error, message: why, data: None, error: None, ..entry },
            LogRoom::LeftOut => return Ok(()),
        };
        append(ports, &RunRecord::key_of(run.id), &[entry.line()?], until).await
    }

    /// The room for an entry of this size, and its number among those of this attempt.
    async fn room_for(
        &self,
        ports: &Ports,
        run: &RunRecord,
        bytes: usize,
        until: Timestamp,
    ) -> PortResult<(u32, LogRoom)> {
        let mut count = self.count.lock().await;
        if let Some(attempt) = count.uncounted_from {
            let (key, after) = (RunRecord::key_of(run.id), LogEntry::sort_before(run.iteration, attempt));
            let most = limits::LOG_ENTRIES as usize + 1;
            let lines = retry_until(ports, until, || ports.records.read_log(&key, Some(&after), most)).await?;
            let (entries, logged) = (u32::try_from(lines.len()).unwrap_or(u32::MAX), &mut count.logged);
            logged.entries = logged.entries.saturating_add(entries);
            logged.bytes += lines.iter().map(|line| line.document.bytes() as u64).sum::<u64>();
            count.uncounted_from = None;
        }
        let room = count.logged.add(bytes);
        if room != LogRoom::LeftOut {
            count.own += 1;
        }
        Ok((count.own, room))
    }
}
