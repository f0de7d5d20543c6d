//! Deliveries that have failed: listed, shown, and, where they are dead letters, redriven or deleted.

use dacapo_core::{
    commit::{PATIENCE, Stored, load},
    dead_letter,
    list::{Found, list_deliveries},
};
use dacapo_domain::{BulkAction, DeliveryFilter, DeliveryRecord, DeliveryView, Machine, RecordKey, later};
use jiff::Timestamp;

use super::{Client, StartBulk, names::check_names};
use crate::{Error, ErrorKind};

/// A page of deliveries.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedDeliveries {
    /// The deliveries, those of the event that was published last first. A body that is stored apart is left out.
    pub deliveries: Vec<DeliveryView>,
    /// The reasons why deliveries of this page are left out that can't be read, one line each.
    pub unreadable: Vec<String>,
    /// The place where the next page begins; `None` after the last.
    pub cursor: Option<String>,
}

/// The deliveries of an app that have failed: each is one event at one function. A success at the first try is none of
/// them.
#[derive(Clone)]
pub struct DeliveryClient {
    client: Client,
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
        let Found { items, unreadable, cursor } = list_deliveries(&self.client.app, &filter).await?;
        if items.is_empty() && unreadable.is_empty() && filter.cursor.is_none() {
            check_names(&filter, &*self.client.manifest().await?)?;
        }
        let view = |Stored { record, payloads }| DeliveryView::new(&record, payloads);
        Ok(ListedDeliveries { deliveries: items.into_iter().map(view).collect(), unreadable, cursor })
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

    /// Redrives all dead letters that a filter names, by a run of their own: see [`StartBulk`].
    pub fn redrive_all(&self, deliveries: DeliveryFilter) -> StartBulk {
        self.client.start_bulk(BulkAction::Redrive { deliveries })
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
