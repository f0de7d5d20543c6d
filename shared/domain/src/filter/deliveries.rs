//! Filters of deliveries: what they mean, and the indexes that they are read from.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FilterError, LIMIT, List, check};
use crate::{DeliveryRecord, DeliveryState, Index, Query, sort_time};

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

impl Default for DeliveryFilter {
    /// All deliveries that have failed at some time, 20 a page.
    fn default() -> Self {
        Self { function: None, event: None, state: None, since: None, until: None, limit: LIMIT, cursor: None }
    }
}

impl DeliveryFilter {
    /// Checks that there may be such deliveries, and pages of them.
    ///
    /// # Errors
    /// For a limit out of range, and times that are the wrong way round.
    pub fn check(&self) -> Result<(), FilterError> {
        check("deliveries", self.limit, self.since, self.until)
    }

    /// The list of these deliveries.
    #[must_use]
    pub fn list(&self) -> List {
        let states = DeliveryState::ALL.into_iter().filter(|state| self.state.is_none_or(|wanted| wanted == *state));
        let (index, partitions) = match (&self.function, &self.event) {
            (Some(function), _) => {
                (Index::Parent, states.map(|state| DeliveryRecord::partition_of_function(function, state)).collect())
            }
            (None, Some(event)) => {
                (Index::Tag, states.map(|state| DeliveryRecord::partition_of_event(event, state)).collect())
            }
            (None, None) => (Index::List, states.map(DeliveryRecord::partition).collect()),
        };
        let (from, below) = (self.since.map(sort_time), self.until.map(sort_time));
        let ask = Query { index, partitions, from, below, descending: true, limit: self.limit };
        List { name: format!("deliveries {:?}", Self { limit: 0, cursor: None, ..self.clone() }), asks: vec![ask] }
    }

    /// Is true of a delivery that the list has: its index may be behind, and names one of function and event.
    #[must_use]
    pub fn has(&self, delivery: &DeliveryRecord) -> bool {
        self.function.as_ref().is_none_or(|function| delivery.function == *function)
            && self.event.as_ref().is_none_or(|event| delivery.name == *event)
            && self.state.is_none_or(|state| delivery.state() == state)
    }
}
