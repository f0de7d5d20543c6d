//! Reading a run: its record, its log, its steps.

use dacapo_core::{
    commit::{Stored, ended_children, load, load_until, read_record},
    port::{LogEntry, Until},
};
use dacapo_domain::{Id, Machine, OwnedQuery, RunRecord, RunView, StepRecord, StepView, Usage, Version, WaitsFor};

use super::Client;
use crate::{Error, ErrorKind};

/// Lines of one read of a log.
const LOG_PAGE: usize = 500;
/// Steps of one read: each may come with its value.
const STEPS_PAGE: usize = 100;

impl Client {
    /// A run as it stands. Of one that waits for its children it is read, too, how many have ended.
    ///
    /// # Errors
    /// `NotFound` if there is no such run, or the history has let it go.
    pub async fn state(&self, id: Id) -> Result<RunView, Error> {
        self.whole_view(self.stored(id).await?).await
    }

    /// A run as it is, or, where its store waits for that, as it is after the write that was seen; and its last write.
    pub(super) async fn after(&self, id: Id, seen: Option<Version>) -> Result<(RunView, Version), Error> {
        let stored = match seen {
            None => self.stored(id).await?,
            Some(seen) => self.stored_until(id, Until::WrittenAfter(seen)).await?,
        };
        let version = stored.record.version;
        Ok((self.whole_view(stored).await?, version))
    }

    async fn whole_view(&self, stored: Stored<RunRecord>) -> Result<RunView, Error> {
        let run = stored.record.clone();
        let mut view = self.view(stored);
        if let Some(WaitsFor::Children { count: Some(count), ended }) = &mut view.waits_for {
            *ended = Some(ended_children(self.ports(), &run, *count).await?);
        }
        Ok(view)
    }

    /// The use that a run has made so far of what AWS bills, estimated from its record, also where it ran on the embedded
    /// engine. [`Usage::LEFT_OUT`] says what it is without.
    ///
    /// # Errors
    /// `NotFound` if there is no such run.
    ///
    /// # Example: its price at list prices
    ///
    /// ```
    /// use dacapo::{Client, Error, Id};
    ///
    /// async fn dollars(client: &Client, id: Id) -> Result<f64, Error> {
    ///     Ok(client.usage(id).await?.price_of_a_million() / 1e6)
    /// }
    /// ```
    pub async fn usage(&self, id: Id) -> Result<Usage, Error> {
        let Stored { record, payloads } = self.stored(id).await?;
        let manifest = self.app.manifest().await?;
        let memory_mb = manifest.task(&record.name).map(|(function, _)| function.memory_mb);
        Ok(Usage::of_run(&record, &payloads, memory_mb))
    }

    /// A run's log entries, in the order they were made.
    ///
    /// # Errors
    /// `NotFound` if there is no such run.
    pub async fn logs(&self, id: Id) -> Result<Vec<LogEntry>, Error> {
        self.logs_after(id, None).await
    }

    /// The log entries after the one of this place, in the order they were made; all of them where no place is given.
    ///
    /// # Errors
    /// `NotFound` if there is no such run.
    pub async fn logs_after(&self, id: Id, after: Option<&str>) -> Result<Vec<LogEntry>, Error> {
        self.stored(id).await?;
        let key = RunRecord::key_of(id);
        let mut entries: Vec<LogEntry> = vec![];
        loop {
            let after = entries.last().map(LogEntry::sort).or_else(|| after.map(ToOwned::to_owned));
            let page = self.ports().records.read_log(&key, after.as_deref(), LOG_PAGE).await?;
            let is_last = page.len() < LOG_PAGE;
            for line in &page {
                entries.push(LogEntry::of(line)?);
            }
            if is_last {
                return Ok(entries);
            }
        }
    }

    /// The log entries before the one of this place, at most so many, in the order they were made; the last ones where no
    /// place is given.
    ///
    /// # Errors
    /// `NotFound` if there is no such run.
    pub async fn logs_before(&self, id: Id, before: Option<&str>, limit: usize) -> Result<Vec<LogEntry>, Error> {
        self.stored(id).await?;
        let mut lines = self.ports().records.read_log_back(&RunRecord::key_of(id), before, limit).await?;
        lines.reverse();
        Ok(lines.iter().map(LogEntry::of).collect::<Result<_, _>>()?)
    }

    /// A run's steps, by the times at which they were done; those of one instant by name.
    ///
    /// # Errors
    /// `NotFound` if there is no such run.
    pub async fn steps(&self, id: Id) -> Result<Vec<StepView>, Error> {
        let run = self.stored(id).await?.record;
        let (owner, kind) = (RunRecord::key_of(id), StepRecord::KIND.to_owned());
        let mut query = OwnedQuery { owner, kind, after: None, limit: STEPS_PAGE };
        let mut steps = vec![];
        if !run.steps.may_exist() && run.lease().is_none() {
            return Ok(steps);
        }
        loop {
            let page = self.ports().records.owned(&query).await?;
            query.after = page.last().filter(|_| page.len() == STEPS_PAGE).map(|last| last.header.key.id.clone());
            for stored in page {
                steps.push(StepView::from(read_record::<StepRecord>(stored)?.record));
            }
            if query.after.is_none() {
                steps.sort_by_key(|step| step.at);
                return Ok(steps);
            }
        }
    }

    pub(super) async fn stored(&self, id: Id) -> Result<Stored<RunRecord>, Error> {
        load(self.ports(), &RunRecord::key_of(id)).await?.ok_or_else(|| unknown_run(id))
    }

    /// A run once it has ended, as far as its store waits for that.
    pub(super) async fn ended(&self, id: Id) -> Result<RunView, Error> {
        Ok(self.view(self.stored_until(id, Until::Ended).await?))
    }

    async fn stored_until(&self, id: Id, until: Until) -> Result<Stored<RunRecord>, Error> {
        load_until(self.ports(), &RunRecord::key_of(id), until).await?.ok_or_else(|| unknown_run(id))
    }

    pub(super) fn view(&self, stored: Stored<RunRecord>) -> RunView {
        RunView::new(&stored.record, stored.payloads, self.ports().clock.now())
    }
}

fn unknown_run(id: Id) -> Error {
    let text = format!("find run {id} (a finished run is kept for its task's `history`, 14 days by default)");
    Error::new(ErrorKind::NotFound, text)
}
