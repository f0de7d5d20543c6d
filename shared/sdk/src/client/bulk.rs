//! Actions on all runs, or dead letters, that a filter names.

use std::future::IntoFuture;

use dacapo_core::{bulk, commit::PATIENCE, debounce::start};
use dacapo_domain::{
    Bulk, BulkAction, BulkTally, Json, ListFilter, NewRun, RunRecord, Trigger, later, limits, run::Key, slot,
};
use futures::future::BoxFuture;

use super::{Client, Started, check::check_chars, names::check_names};
use crate::Error;

/// The runs of a filter, to all of which something is to be done: see [`Client::bulk`].
#[must_use = "nothing is done before it is said what"]
pub struct BulkRuns {
    client: Client,
    runs: ListFilter,
}

/// A bulk run to be started: it starts when this is awaited.
///
/// It is a run of a task that every app has, `dacapo.bulk`, of which [`state`](Client::state) shows the progress,
/// [`wait_for`](Client::wait_for) the result, a [`BulkTally`], and which [`abort`](Client::abort) stops. A crash repeats
/// what it did in its last second at most: what was done then is done once, and may count for neither.
#[must_use = "a bulk run starts when this is awaited"]
pub struct StartBulk {
    client: Client,
    action: BulkAction,
    per_second: u32,
    key: Option<String>,
}

impl Client {
    /// All runs that a filter names by now, whatever its limit and cursor, to be aborted or replayed.
    ///
    /// # Example: what failed is counted, then replayed
    ///
    /// ```
    /// use dacapo::{Client, Error, ListFilter, State};
    ///
    /// async fn replay_failed(client: &Client, since: jiff::Timestamp) -> Result<(), Error> {
    ///     let failed = ListFilter { state: Some(State::Failed), since: Some(since), ..ListFilter::default() };
    ///     println!("{} to be replayed", client.bulk(failed.clone()).replay().count().await?);
    ///     let started = client.bulk(failed).replay().per_second(20).await?;
    ///     println!("{}", client.wait_for(started.id()).await?.message.unwrap_or_default());
    ///     Ok(())
    /// }
    /// ```
    pub fn bulk(&self, runs: ListFilter) -> BulkRuns {
        BulkRuns { client: self.clone(), runs }
    }

    pub(super) fn start_bulk(&self, action: BulkAction) -> StartBulk {
        StartBulk { client: self.clone(), action, per_second: Bulk::RATE, key: None }
    }
}

impl BulkRuns {
    /// Aborts those that have not ended, and what they have started, with this message.
    pub fn abort(self, message: impl Into<String>) -> StartBulk {
        self.client.start_bulk(BulkAction::Abort { runs: self.runs, message: message.into() })
    }

    /// Starts a run like each of them, linked to it.
    pub fn replay(self) -> StartBulk {
        self.client.start_bulk(BulkAction::Replay { runs: self.runs })
    }
}

impl StartBulk {
    /// Does it to so many a second at most: 1 to 1,000, 50 where it is not said.
    pub fn per_second(mut self, per_second: u32) -> Self {
        self.per_second = per_second;
        self
    }

    /// Starts it once: a second call with the key gives the first bulk run's id, for 30 days. 1 to 256 characters.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Counts those that it would be done to, and does nothing.
    ///
    /// # Errors
    /// `Usage` for a filter that can't be used; `NotFound` for a task, function or event that isn't there and of which there
    /// are no records either; an error of the store.
    pub async fn count(&self) -> Result<u64, Error> {
        self.action.check().map_err(Error::usage)?;
        let ports = self.client.ports();
        ports.clock.synchronize().await?;
        if let BulkAction::Abort { runs, .. } | BulkAction::Replay { runs } = &self.action {
            self.client.check_task(runs).await?;
        }
        let count = bulk::count(&self.client.app, &self.action.clone().by(ports.clock.now())).await?;
        if let BulkAction::Redrive { deliveries } = &self.action
            && count == 0
        {
            check_names(deliveries, &*self.client.manifest().await?)?;
        }
        Ok(count)
    }

    async fn start(self) -> Result<Started<BulkTally>, Error> {
        if !(1..=Bulk::MAX_RATE).contains(&self.per_second) {
            let (given, most) = (self.per_second, Bulk::MAX_RATE);
            return Err(Error::usage(format_args!("do it to {given} a second (allowed: 1 to {most})")));
        }
        check_chars("a key", self.key.as_deref())?;
        let total = self.count().await?;
        let (ports, cx) = (self.client.ports(), self.client.ports().clock.decision_context());
        let bulk = Bulk::new(self.action.by(cx.now), self.per_second, total);
        let body = Json::of(&bulk).map_err(Error::usage)?;
        let until = later(cx.now, limits::KEY_LIFE);
        let new = NewRun {
            key: self.key.map(|text| Key { text, until, debounce: None }),
            ..NewRun::at(ports.clock.id_at(cx.now), dacapo_domain::BULK, cx.now, Trigger::Run)
        };
        let decision = RunRecord::create(new, &cx).with(slot::BODY, body);
        let found = start(&self.client.app, &decision, later(cx.now, PATIENCE)).await?;
        Ok(Started::of(&decision.record, found))
    }
}

impl IntoFuture for StartBulk {
    type Output = Result<Started<BulkTally>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}
