//! Permits: how many attempts of a task, of a queue or of one of its keys execute at once, and how many start in a time.
//!
//! A [`PoolRecord`] holds the permits that are given out. An attempt asks for one before it is taken. One that gets none
//! leaves a [`TicketRecord`] beside the pool, tells the pool so, and its run is stored as parked: nothing
//! watches it, and nothing polls. A permit that is given back goes to the ticket that comes first, in the same write.
//! A permit is for one attempt alone, so that none is kept by a run that goes on; one whose process has died is found
//! by the conductor at the time that stands with it.

mod decide;
mod finding;
mod holder;
mod limits;
mod paused;
mod pool_id;
mod rate;
mod ticket;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use decide::PoolInput;
pub use finding::Finding;
pub use holder::{Holder, HolderError, Released};
pub use limits::{Limit, Limits, QueueNameError, Rate};
pub use paused::{PausedQueues, QueuePaused};
pub use pool_id::PoolId;
pub use rate::Starts;
pub use ticket::TicketRecord;

use crate::{Version, later, limits as bounds};

/// The record of a pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolRecord {
    /// The pool.
    pub id: PoolId,
    /// The name of the last write.
    pub version: Version,
    /// The permits that are given out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permits: Vec<Permit>,
    /// Is true where tickets may stand beside it: then no attempt is let past them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_waiting: bool,
    /// The starts that its rate still counts.
    #[serde(default, skip_serializing_if = "Starts::is_empty")]
    pub starts: Starts,
    /// The time since which its queue is paused: no permit is given out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_at: Option<Timestamp>,
    /// The time at which permits were last handed to those that wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_at: Option<Timestamp>,
    /// The time at which a message calls for the next of those that wait, where time alone makes room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called_at: Option<Timestamp>,
    /// The time at which the conductor reconciles it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile_at: Option<Timestamp>,
    /// The time from which the record may be deleted, in Unix seconds; `None` while it is in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_s: Option<i64>,
}

/// A permit that is given out. Stored in few bytes, since a pool is written whole: `[holder, Unix ms, promised]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredPermit", into = "StoredPermit")]
pub struct Permit {
    /// The attempt that it is for.
    pub holder: Holder,
    /// The time at which the conductor finds out whether the attempt still needs it.
    pub reconcile_at: Timestamp,
    /// Is true where its attempt waited, and hasn't come yet.
    pub is_promised: bool,
}

#[derive(Serialize, Deserialize)]
struct StoredPermit(Holder, #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")] Timestamp, bool);

impl PoolRecord {
    /// A pool that was never used.
    #[must_use]
    pub fn fresh(id: PoolId) -> Self {
        Self {
            id,
            version: Version(0),
            permits: vec![],
            has_waiting: false,
            starts: Starts::default(),
            paused_at: None,
            handed_at: None,
            called_at: None,
            reconcile_at: None,
            expires_at_s: None,
        }
    }

    /// Is true where the attempt holds a permit.
    #[must_use]
    pub fn holds(&self, holder: Holder) -> bool {
        self.permits.iter().any(|permit| permit.holder == holder)
    }

    /// The same without times that are further off than any that the pool sets: a clock that was put back has left them
    /// behind, and nothing waits until they come.
    fn as_of(&self, limit: Limit, now: Timestamp) -> Self {
        let latest = later(now, limit.rate.map_or(bounds::POOL_RECONCILE, |rate| rate.per.saturating_mul(2)));
        let can_be = |at: &Timestamp| *at <= latest;
        let (handed_at, called_at) = (self.handed_at.filter(can_be), self.called_at.filter(can_be));
        Self { handed_at, called_at, starts: self.starts.up_to(latest), ..self.clone() }
    }

    /// The number of permits that may be given out now.
    #[must_use]
    pub fn room(&self, limit: Limit, now: Timestamp) -> u32 {
        if self.paused_at.is_some() {
            return 0;
        }
        let given = |counted: fn(&&Permit) -> bool| {
            u32::try_from(self.permits.iter().filter(counted).count()).unwrap_or(u32::MAX)
        };
        let places = limit.concurrency.map_or(u32::MAX, |most| most.saturating_sub(given(|_| true)));
        let starts = |rate| self.starts.room(rate, given(|permit| permit.is_promised), now);
        places.min(limit.rate.map_or(u32::MAX, starts))
    }

    /// The number of those that wait that may be handed a permit once these have given theirs back: no more than their
    /// share of the time since the last ones, where starts are spread.
    #[must_use]
    pub fn turns(&self, leaving: &[Holder], limit: Limit, now: Timestamp) -> usize {
        let mut then = self.as_of(limit, now);
        then.permits.retain(|permit| !leaving.contains(&permit.holder));
        let spread = match (limit.rate, then.handed_at) {
            (Some(rate), Some(handed_at)) => {
                let spacing = rate.spacing().max(std::time::Duration::from_millis(1));
                u32::try_from(crate::until(handed_at, now).as_millis() / spacing.as_millis()).unwrap_or(u32::MAX)
            }
            (Some(_), None) => 1,
            // What a resumed queue held back comes by and by.
            (None, Some(handed_at)) if limit.is_none() && crate::until(handed_at, now) < bounds::RELEASE_EVERY => 0,
            (None, _) => bounds::POOL_PAGE,
        };
        then.room(limit, now).min(spread).min(bounds::POOL_PAGE).try_into().unwrap_or(usize::MAX)
    }
}

impl From<StoredPermit> for Permit {
    fn from(StoredPermit(holder, reconcile_at, is_promised): StoredPermit) -> Self {
        Self { holder, reconcile_at, is_promised }
    }
}

impl From<Permit> for StoredPermit {
    fn from(Permit { holder, reconcile_at, is_promised }: Permit) -> Self {
        Self(holder, reconcile_at, is_promised)
    }
}
