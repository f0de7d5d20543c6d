//! Deliveries that have failed: listed, shown, and, where they are dead letters, redriven or deleted.

use dacapo_core::{
    commit::{PATIENCE, Stored, load, read_record},
    dead_letter,
};
use dacapo_domain::{
    DeliveryRecord, DeliveryState, DeliveryView, Index, Machine, Manifest, Query, RecordKey, later, sort_time,
};
use futures::future::join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Client,
    pages::{Found, List, check_limit},
    suggestion,
};
use crate::{Error, ErrorKind};

/// The deliveries of a page where the filter doesn't say.
const LIMIT: usize = 20;
/// Dead letters of one read when many are redriven, and those that are redriven at once.
const PAGE: usize = 100;
const AT_ONCE: usize = 16;

/// The filter of a list of deliveries: those of which all of it is true. Each field that isn't named is true of all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct DeliveryFilter {
    /// Deliveries to this function, which may be one that is deployed no more.
    pub function: Option<String>,
    /// Deliveries of events of this name.
    pub event: Option<String>,
    /// Deliveries in this state. Those that are dropped are the dead letters.
    pub state: Option<DeliveryState>,
    /// Deliveries of events that were published then or later, to the millisecond.
    pub since: Option<Timestamp>,
    /// Deliveries of events that were published before then.
    pub until: Option<Timestamp>,
    /// Deliveries of one page at most, 1 to 1,000.
    pub limit: usize,
    /// The place to go on from: a former page's.
    pub cursor: Option<String>,
}

/// A page of deliveries.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedDeliveries {
    /// The deliveries, those of the event that was published last first. A body that is stored apart is left out.
    pub deliveries: Vec<DeliveryView>,
    /// Why deliveries of this page are left out that can't be read, one line each.
    pub unreadable: Vec<String>,
    /// The place where the next page begins; `None` after the last.
    pub cursor: Option<String>,
}

/// What came of redriving many dead letters.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Redriven {
    /// Those that are on their way again.
    pub redriven: usize,
    /// Why others are not, one line each.
    pub refused: Vec<String>,
}

/// The deliveries of an app that have failed: each is one event at one function. A success at the first try is none of
/// them.
#[derive(Clone)]
pub struct DeliveryClient {
    client: Client,
}

impl Default for DeliveryFilter {
    /// All deliveries that have failed at some time, 20 a page.
    fn default() -> Self {
        Self { function: None, event: None, state: None, since: None, until: None, limit: LIMIT, cursor: None }
    }
}

impl DeliveryFilter {
    /// # Errors
    /// `Usage` for what no delivery can be.
    fn check(&self) -> Result<(), Error> {
        check_limit("deliveries", self.limit)?;
        match (self.since, self.until) {
            (Some(since), Some(until)) if since >= until => Err(Error::usage(format_args!(
                "list deliveries since {since} until {until} (since is the earlier one)"
            ))),
            _ => Ok(()),
        }
    }

    fn list(&self) -> List {
        let states = DeliveryState::ALL.into_iter().filter(|state| self.state.is_none_or(|wanted| wanted == *state));
        let partition = |state| match (&self.function, &self.event) {
            (Some(function), _) => (Index::Parent, DeliveryRecord::partition_of_function(function, state)),
            (None, Some(event)) => (Index::Tag, DeliveryRecord::partition_of_event(event, state)),
            (None, None) => (Index::List, DeliveryRecord::partition(state)),
        };
        let (indexes, partitions): (Vec<Index>, Vec<String>) = states.map(partition).unzip();
        let (index, from, below) = (indexes[0], self.since.map(sort_time), self.until.map(sort_time));
        let ask = Query { index, partitions, from, below, descending: true, limit: self.limit };
        List { name: format!("deliveries {:?}", Self { limit: 0, cursor: None, ..self.clone() }), asks: vec![ask] }
    }

    /// Is true of a delivery that the list has: its index may be behind, and names one of function and event.
    fn has(&self, delivery: &DeliveryRecord) -> bool {
        self.function.as_ref().is_none_or(|function| delivery.function == *function)
            && self.event.as_ref().is_none_or(|event| delivery.name == *event)
            && self.state.is_none_or(|state| delivery.state() == state)
    }
}

impl Client {
    /// Deliveries that have failed, and dead letters.
    #[must_use]
    pub fn deliveries(&self) -> DeliveryClient {
        DeliveryClient { client: self.clone() }
    }
}

impl DeliveryClient {
    /// A page of deliveries, newest first.
    ///
    /// # Errors
    /// `Usage` for a limit that is not 1 to 1,000, or times that are the wrong way round; `Refused` for a cursor of
    /// another list; `NotFound` for a function or an event that the app doesn't have, where no delivery names it either.
    ///
    /// # Example: what a function has given up
    ///
    /// ```
    /// use dacapo::{Client, DeliveryFilter, DeliveryState, Error};
    ///
    /// async fn given_up(client: &Client) -> Result<Vec<String>, Error> {
    ///     let (function, state) = (Some("orders".to_owned()), Some(DeliveryState::Dropped));
    ///     let page = client.deliveries().list(DeliveryFilter { function, state, ..DeliveryFilter::default() }).await?;
    ///     Ok(page.deliveries.into_iter().filter_map(|delivery| delivery.error_message).collect())
    /// }
    /// ```
    pub async fn list(&self, filter: DeliveryFilter) -> Result<ListedDeliveries, Error> {
        let Found { items, unreadable, cursor } = self.found(&filter).await?;
        if items.is_empty() && unreadable.is_empty() && filter.cursor.is_none() {
            filter.check_names(&*self.client.manifest().await?)?;
        }
        let view = |Stored { record, payloads }| DeliveryView::new(&record, payloads);
        Ok(ListedDeliveries { deliveries: items.into_iter().map(view).collect(), unreadable, cursor })
    }

    async fn found(&self, filter: &DeliveryFilter) -> Result<Found<Stored<DeliveryRecord>>, Error> {
        filter.check()?;
        let page = self.client.page(filter.list(), filter.limit, filter.cursor.as_deref(), |_, stored| {
            let stored = read_record::<DeliveryRecord>(stored)?;
            Ok(filter.has(&stored.record).then_some(stored))
        });
        page.await
    }

    /// A delivery with its body, by its id.
    ///
    /// # Errors
    /// `NotFound` if there is no such delivery, or the history has let it go.
    pub async fn get(&self, id: &str) -> Result<DeliveryView, Error> {
        let Stored { record, payloads } = self.stored(id).await?;
        Ok(DeliveryView::new(&record, payloads))
    }

    /// Sends a dead letter again from its record, with its attempts at 0: to the handlers that are not done.
    ///
    /// # Errors
    /// `NotFound` if there is no such delivery; `Refused` for one that isn't dropped, or whose function handles the event
    /// no more.
    pub async fn redrive(&self, id: &str) -> Result<DeliveryView, Error> {
        let Stored { record, payloads } = self.stored(id).await?;
        let redriven = dead_letter::redrive(&self.client.app, record, self.deadline()).await?;
        Ok(DeliveryView::new(&redriven, payloads))
    }

    /// Redrives all dead letters that a filter names, whatever its limit and cursor. Those that become dead meanwhile may
    /// be among them; called again, it finds what is left.
    ///
    /// # Errors
    /// As [`list`](Self::list); `Usage` for a filter of another state; an error of the store, once some are redriven.
    pub async fn redrive_all(&self, filter: DeliveryFilter) -> Result<Redriven, Error> {
        let state = filter.state.unwrap_or(DeliveryState::Dropped);
        if state != DeliveryState::Dropped {
            return Err(Error::usage(format_args!("redrive deliveries that are {state} (allowed: dropped)")));
        }
        let mut filter = DeliveryFilter { state: Some(state), limit: PAGE, cursor: None, ..filter };
        let mut tally = Redriven::default();
        loop {
            let page = self.found(&filter).await?;
            tally.refused.extend(page.unreadable);
            for some in page.items.chunks(AT_ONCE) {
                let redrives = some
                    .iter()
                    .map(|stored| dead_letter::redrive(&self.client.app, stored.record.clone(), self.deadline()));
                for redriven in join_all(redrives).await {
                    match redriven {
                        Ok(_) => tally.redriven += 1,
                        Err(error) if matches!(error.kind(), ErrorKind::Refused | ErrorKind::NotFound) => {
                            tally.refused.push(error.to_string());
                        }
                        Err(error) => return Err(error),
                    }
                }
            }
            filter.cursor = page.cursor;
            if filter.cursor.is_none() {
                return Ok(tally);
            }
        }
    }

    /// Deletes a dead letter. What its function's dead-letter queue has of it stays there for its 14 days.
    ///
    /// # Errors
    /// `NotFound` if there is no such delivery, `Refused` for one that isn't dropped.
    pub async fn delete(&self, id: &str) -> Result<(), Error> {
        let stored = self.stored(id).await?;
        dead_letter::delete(&self.client.app, stored.record, self.deadline()).await
    }

    async fn stored(&self, id: &str) -> Result<Stored<DeliveryRecord>, Error> {
        let found = load::<DeliveryRecord>(self.client.ports(), &RecordKey::new(DeliveryRecord::KIND, id)).await?;
        found.ok_or_else(|| {
            let text = format!(
                "find delivery {id:?} (one that never failed has no record; one that is over is kept for 14 days)"
            );
            Error::new(ErrorKind::NotFound, text)
        })
    }

    fn deadline(&self) -> Timestamp {
        later(self.client.ports().clock.now(), PATIENCE)
    }
}

impl DeliveryFilter {
    /// # Errors
    /// `NotFound` for a function or an event that the app doesn't have.
    fn check_names(&self, manifest: &Manifest) -> Result<(), Error> {
        let with_handlers = || manifest.functions.iter().filter(|function| !function.subscriptions().is_empty());
        let functions: Vec<&str> = with_handlers().map(|function| &*function.name).collect();
        let mut events: Vec<&str> = with_handlers().flat_map(|it| it.subscriptions()).map(|it| &*it.event).collect();
        events.sort_unstable();
        events.dedup();
        for (what, name, known) in
            [("function of event handlers", &self.function, functions), ("handler of an event", &self.event, events)]
        {
            if let Some(name) = name.as_deref().filter(|name| !known.contains(name)) {
                let text = format!("find a {what} named {name:?}{}", suggestion(name, &known));
                return Err(Error::new(ErrorKind::NotFound, text));
            }
        }
        Ok(())
    }
}
