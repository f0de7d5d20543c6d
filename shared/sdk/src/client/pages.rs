//! The pages of a list, whatever it is of.

use std::collections::VecDeque;

use dacapo_core::port::PortResult;
use dacapo_domain::{Cursor, CursorError, Index, Query, StoredRecord};

use super::Client;
use crate::{Error, ErrorKind};

/// Reads for one page: a filter that few records pass gives a short page and a cursor, not a long wait.
const READS: u32 = 10;
/// Records of one page, at most.
const LIMIT: usize = 1_000;

/// A list: what tells it from all others, and the questions that give it, one after the other, each of another index.
pub(super) struct List {
    /// Its name.
    pub name: String,
    /// The questions for its first page.
    pub asks: Vec<Query>,
}

/// A page of a list.
pub(super) struct Found<T> {
    /// What the page has.
    pub items: Vec<T>,
    /// What could not be read, one line each.
    pub unreadable: Vec<String>,
    /// The place where the next page begins; `None` after the last.
    pub cursor: Option<String>,
}

/// Checks the limit of a page.
///
/// # Errors
/// `Usage` for one that is not 1 to 1,000.
pub(super) fn check_limit(what: &str, limit: usize) -> Result<(), Error> {
    if (1..=LIMIT).contains(&limit) {
        return Ok(());
    }
    Err(Error::usage(format_args!("list a page of {limit} {what} (allowed: 1 to {LIMIT})")))
}

impl List {
    /// The questions that are left, and where the first of them begins.
    fn after(self, cursor: Option<&str>) -> Result<(VecDeque<Query>, Option<String>), Error> {
        let mut asks = VecDeque::from(self.asks);
        let Some(cursor) = cursor else { return Ok((asks, None)) };
        let refused = |error| Error::new(ErrorKind::Refused, format!("read the cursor {cursor:?}: {error}"));
        let Cursor { index, place, .. } = Cursor::read(cursor, &self.name).map_err(refused)?;
        while asks.front().is_some_and(|ask| ask.index != index) {
            asks.pop_front();
        }
        let first = asks.pop_front().ok_or_else(|| refused(CursorError::NotOne))?;
        asks.push_front(match place.clone() {
            Some(place) => first.after(place),
            None => first,
        });
        Ok((asks, place))
    }
}

impl Client {
    /// A page of a list: what is read of its records, but for those that are none of it.
    pub(super) async fn page<T>(
        &self,
        list: List,
        limit: usize,
        cursor: Option<&str>,
        read: impl Fn(Index, StoredRecord) -> PortResult<Option<T>>,
    ) -> Result<Found<T>, Error> {
        let name = list.name.clone();
        let (mut asks, mut place) = list.after(cursor)?;
        let mut found = Found { items: vec![], unreadable: vec![], cursor: None };
        let mut reads = 0;
        while let Some(ask) = asks.pop_front() {
            if reads == READS || found.items.len() >= limit {
                found.cursor = Some(Cursor::new(&name, ask.index, place).to_string());
                break;
            }
            reads += 1;
            let page = self.ports().records.query(&Query { limit: limit - found.items.len(), ..ask.clone() }).await?;
            found.unreadable.extend(page.unreadable.into_iter().map(|it| format!("{}: {}", it.key, it.problem)));
            for stored in page.records {
                match read(ask.index, stored) {
                    Ok(item) => found.items.extend(item),
                    Err(error) => found.unreadable.push(error.to_string()),
                }
            }
            place.clone_from(&page.last);
            if let Some(last) = page.last {
                asks.push_front(ask.after(last));
            }
        }
        Ok(found)
    }
}
