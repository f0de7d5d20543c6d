//! Filters: what a list, or what is done to many at once, is of.

mod deliveries;
mod runs;

use jiff::Timestamp;

pub use deliveries::DeliveryFilter;
pub use runs::ListFilter;

use crate::{DeliveryState, Query, State};

/// The rows of a page where the filter doesn't say.
const LIMIT: usize = 20;
/// The rows of a page at most.
const MAX_LIMIT: usize = 1_000;

/// A list: what tells it from all others, and the questions that give it, one after the other, each of another index.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// The name.
    pub name: String,
    /// The questions for its first page.
    pub asks: Vec<Query>,
}

/// A filter can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// No page is so long.
    #[error("list a page of {limit} {what} (allowed: 1 to {MAX_LIMIT})")]
    Limit {
        /// The things to list.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The window of time has nothing in it.
    #[error("list {what} since {since} until {until} (since is the earlier one)")]
    Times {
        /// The things to list.
        what: &'static str,
        /// The beginning.
        since: Timestamp,
        /// The end.
        until: Timestamp,
    },
    /// No unfinished run is in this state.
    #[error("list unfinished runs that are {0} (leave out one of both)")]
    Unfinished(State),
    /// Only dead letters are redriven.
    #[error("redrive deliveries that are {0} (allowed: dropped)")]
    NotDead(DeliveryState),
}

fn check(
    what: &'static str,
    limit: usize,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Result<(), FilterError> {
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(FilterError::Limit { what, limit });
    }
    match (since, until) {
        (Some(since), Some(until)) if since >= until => Err(FilterError::Times { what, since, until }),
        _ => Ok(()),
    }
}
