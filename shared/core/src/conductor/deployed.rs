//! A deploy: the manifest that the conductor carries is stored, and what is kept of declared schedules follows it.

use dacapo_domain::{
    Json, Manifest, ManifestInput, ManifestRecord, ScheduleEntry, ScheduleInput, ScheduleRecord, slot,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Conductor;
use crate::{
    commit::{Seen, commit, load, load_or_replace},
    port::{PortError, PortErrorKind, PortResult},
};

/// The tally of a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployed {
    /// Is true where the manifest was stored; an older one than the stored is not.
    pub stored: bool,
    /// Functions that it tells of.
    pub functions: usize,
}

impl Conductor {
    /// Stores the manifest that the conductor carries: it is what is deployed, whatever machine made it and when. It
    /// gets the time of this deploy.
    ///
    /// # Errors
    /// `Refused` if it carries none; else what the store says: to be called again.
    pub async fn deployed(&self) -> PortResult<Deployed> {
        let Some(carried) = &self.carried else {
            return Err(PortError::new(
                PortErrorKind::Refused,
                "this conductor carries no manifest (deploy the app again, by its `make deploy`)",
            ));
        };
        let former = self.former().await?;
        let made_ms = former.0.record().made_ms.max(self.ports().clock.now().as_millisecond());
        self.replace(former, &Manifest { made_ms, ..carried.clone() }).await
    }

    /// Stores a manifest, unless a newer one is there. One that this build can't read counts as none.
    ///
    /// # Errors
    /// `Refused` for one that is too large, before anything is changed; an error of the store: to be called again.
    pub async fn deploy(&self, manifest: &Manifest) -> PortResult<Deployed> {
        self.replace(self.former().await?, manifest).await
    }

    /// The record of what is deployed, and its manifest.
    async fn former(&self) -> PortResult<(Seen<ManifestRecord>, Option<Manifest>)> {
        let (seen, mut payloads) = load_or_replace(self.ports(), ManifestRecord::fresh()).await?;
        let text = matches!(seen, Seen::Stored(_)).then(|| payloads.take(slot::BODY).unwrap_or_default());
        let former = text.and_then(|text| {
            let unreadable =
                |error: &_| tracing::warn!(%error, "the deployed manifest can't be read: it counts as none");
            text.parse().inspect_err(unreadable).ok()
        });
        Ok((seen, former))
    }

    async fn replace(
        &self,
        (seen, former): (Seen<ManifestRecord>, Option<Manifest>),
        manifest: &Manifest,
    ) -> PortResult<Deployed> {
        let functions = manifest.functions.len();
        manifest.check_bytes().map_err(|error| PortError::new(PortErrorKind::Refused, error.to_string()))?;
        if seen.record().made_ms > manifest.made_ms {
            return Ok(Deployed { stored: false, functions });
        }
        self.follow_schedules(former.as_ref(), manifest).await?;
        let text = Json::of(manifest)
            .map_err(|error| PortError::new(PortErrorKind::Refused, "failed to write the manifest").caused_by(error))?;
        let input = ManifestInput::Deployed { manifest: manifest.clone(), text, former };
        let committed = commit(self.ports(), seen, &input, (), self.deadline()).await?;
        Ok(Deployed { stored: committed.is_some_and(|committed| committed.changed), functions })
    }

    /// Remembers since when each declared schedule fires, and forgets those that are gone. A pause stays with its
    /// schedule: one that is gone and comes back by a later deploy is not paused.
    async fn follow_schedules(&self, former: Option<&Manifest>, carried: &Manifest) -> PortResult<()> {
        let made = Timestamp::from_millisecond(carried.made_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        for (_, task) in carried.tasks() {
            for declared in &task.schedules {
                let same = former.and_then(|former| former.schedule(&declared.name));
                let is_same = same.is_some_and(|(_, _, former)| former.schedule.has_same_times(&declared.schedule));
                self.declare(&task.name, declared, is_same, made).await?;
                let name = former.and_then(|former| former.former_name(carried, &task.name, declared));
                if let Some(name) = name.filter(|name| *name != declared.name) {
                    self.take_pause_over(name, &declared.name, &task.name).await?;
                }
            }
        }
        for (_, task) in former.into_iter().flat_map(|former| former.tasks()) {
            for gone in task.schedules.iter().filter(|gone| carried.schedule(&gone.name).is_none()) {
                self.forget(&gone.name, &task.name).await?;
            }
        }
        Ok(())
    }

    async fn declare(&self, task: &str, declared: &ScheduleEntry, is_same: bool, at: Timestamp) -> PortResult<()> {
        let name = &declared.name;
        let (seen, _) = load_or_replace(self.ports(), ScheduleRecord::fresh(name, task, at)).await?;
        let input = ScheduleInput::Declared { task: task.to_owned(), is_same, at };
        commit(self.ports(), seen, &input, (), self.deadline()).await?;
        Ok(())
    }

    /// A schedule that bears another name since this deploy is paused where it was.
    async fn take_pause_over(&self, former: &str, name: &str, task: &str) -> PortResult<()> {
        let (was, _) =
            load_or_replace(self.ports(), ScheduleRecord::fresh(former, task, Timestamp::UNIX_EPOCH)).await?;
        if was.record().paused
            && let Some(stored) = load::<ScheduleRecord>(self.ports(), &ScheduleRecord::key_of(name)).await?
        {
            commit(self.ports(), stored, &ScheduleInput::Paused, (), self.deadline()).await?;
        }
        Ok(())
    }

    async fn forget(&self, name: &str, task: &str) -> PortResult<()> {
        let (seen, _) = load_or_replace(self.ports(), ScheduleRecord::fresh(name, task, Timestamp::UNIX_EPOCH)).await?;
        commit(self.ports(), seen, &ScheduleInput::Deleted, (), self.deadline()).await?;
        Ok(())
    }
}
