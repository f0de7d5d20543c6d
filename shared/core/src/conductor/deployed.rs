//! A deploy: the manifest that the conductor carries is stored, and what is kept of declared schedules follows it.

use dacapo_domain::{Manifest, ScheduleEntry};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Conductor;
use crate::port::{PortError, PortErrorKind, PortResult, ScheduleItem};

/// What the news of a deploy changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployed {
    /// Whether the manifest was stored; an older one than the stored is not.
    pub stored: bool,
    /// Functions that it tells of.
    pub functions: usize,
}

impl Conductor {
    /// Stores the manifest that the conductor carries, unless a newer one is there.
    ///
    /// # Errors
    /// `Refused` if it carries none; else what the store says: to be called again.
    pub async fn deployed(&self) -> PortResult<Deployed> {
        let Some(carried) = &self.carried else {
            return Err(PortError::new(PortErrorKind::Refused, "this conductor carries no manifest"));
        };
        let former = self.ports.store.manifest().await?;
        let stored = former.as_ref().is_none_or(|former| former.made_ms <= carried.made_ms);
        if stored {
            self.follow_schedules(former.as_ref(), carried).await?;
            self.ports.store.put_manifest(carried).await?;
        }
        Ok(Deployed { stored, functions: carried.functions.len() })
    }

    /// Remembers since when each declared schedule fires, and forgets those that are gone. A pause stays.
    async fn follow_schedules(&self, former: Option<&Manifest>, carried: &Manifest) -> PortResult<()> {
        let made = Timestamp::from_millisecond(carried.made_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        for (_, task) in carried.tasks() {
            for declared in &task.schedules {
                let same = former.and_then(|former| former.schedule(&declared.name));
                let same = same.is_some_and(|(_, _, former)| former.schedule == declared.schedule);
                self.follow_schedule(&task.name, declared, same, made).await?;
            }
        }
        for gone in former.into_iter().flat_map(|former| former.tasks()).flat_map(|(_, task)| &task.schedules) {
            if carried.schedule(&gone.name).is_none() {
                self.ports.store.delete_schedule(&gone.name).await?;
            }
        }
        Ok(())
    }

    async fn follow_schedule(
        &self,
        task: &str,
        declared: &ScheduleEntry,
        same: bool,
        made: Timestamp,
    ) -> PortResult<()> {
        loop {
            let kept = self.ports.store.schedule(&declared.name).await?;
            if same && kept.is_some() {
                return Ok(());
            }
            let mut next = kept.clone().unwrap_or_else(|| ScheduleItem::of(&declared.name, task, made));
            next.version = self.ports.clock.moment().version();
            next.created_at = made;
            next.put = None;
            if self.ports.store.save_schedule(kept.as_ref(), &next).await? {
                return Ok(());
            }
        }
    }
}
