//! The places of a delivery in the indexes: all of a state together, those of a function, those of an event, each by when
//! its event was published.

use super::{DeliveryPhase, DeliveryRecord, DeliveryState};
use crate::{Index, IndexEntry, sort_time};

impl DeliveryRecord {
    /// The partition of all deliveries in a state.
    #[must_use]
    pub fn partition(state: DeliveryState) -> String {
        format!("delivery/{state}")
    }

    /// The partition of a function's deliveries in a state.
    #[must_use]
    pub fn partition_of_function(function: &str, state: DeliveryState) -> String {
        format!("function/{state}/{function}")
    }

    /// The partition of the deliveries of an event in a state.
    #[must_use]
    pub fn partition_of_event(event: &str, state: DeliveryState) -> String {
        format!("event/{state}/{event}")
    }

    /// All places but the conductor's. One that has never failed has none: it may be a success that is recorded because
    /// its publisher chose the event's id.
    pub(super) fn places(&self) -> Vec<IndexEntry> {
        let has_failed = self.attempt > 1 || self.redriven_count > 0 || self.phase == DeliveryPhase::Dropped;
        if !has_failed {
            return vec![];
        }
        let (state, sort) = (self.state(), sort_time(self.published_at));
        let places = [
            (Index::List, Self::partition(state)),
            (Index::Parent, Self::partition_of_function(&self.function, state)),
            (Index::Tag, Self::partition_of_event(&self.name, state)),
        ];
        places.map(|(index, partition)| IndexEntry { index, partition, sort: sort.clone() }).into()
    }
}
