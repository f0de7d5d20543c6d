//! Facts that a run of the witness keeps, whatever happens to its process and its calls.

use chaos::CHAOS;
use dacapo::{Id, RunView, lifecycle};
use dacapo_core::commit::load;
use dacapo_domain::{Phase, RunRecord};
use witness::WITNESS;

use crate::app::{App, eventually, result};

impl App {
    /// Waits until a run has ended and owes nothing.
    pub async fn settled(&self, id: Id) {
        self.ended(id).await;
        eventually("the run owes nothing", || async {
            let stored = load::<RunRecord>(self.client.ports(), &RunRecord::key_of(id)).await.unwrap().unwrap();
            let run = stored.record;
            let Phase::Ended(end) = &run.phase else { panic!("{run:#?}") };
            if end.hooks_pending || !run.unpublished.is_empty() { Err(format!("{run:#?}")) } else { Ok(()) }
        })
        .await;
    }

    /// Sees that the step has one value, that the hooks of the end ran in their order, and that both events came. Gives
    /// the attempt that ended the run.
    pub async fn has_lost_nothing(&self, id: Id, moment: &str) -> u32 {
        let record = self.client.state(id).await.unwrap();
        let mark = result::<witness::Seen>(&record).mark;
        let logs = self.client.logs(id).await.unwrap();
        let said: Vec<&str> = logs.iter().map(|entry| &*entry.message).collect();
        for entry in logs.iter().filter(|entry| entry.message != "on_complete") {
            let of_step: String = entry.data.as_ref().unwrap().parse().unwrap();
            assert_eq!(of_step, mark, "{moment}: {logs:#?}");
        }
        // A hook that was killed runs again; none is left out, and none comes before its turn.
        let mut once = said.clone();
        once.dedup();
        let again = ["called", "on_success", "on_complete"];
        assert!(again.iter().all(|hook| said.contains(hook)), "{moment}: {said:?}");
        assert_eq!(once.last(), Some(&"on_complete"), "{moment}: {said:?}");
        for event in [lifecycle::started(WITNESS), lifecycle::completed(WITNESS)] {
            eventually(&format!("{moment}: {} came", event.name()), || async {
                let heard = self.heard(id).await;
                if heard.iter().any(|run| run.tags[0] == event.name()) { Ok(()) } else { Err(format!("{heard:#?}")) }
            })
            .await;
        }
        record.attempt
    }

    /// The runs that the listener to the life of a run has left.
    async fn heard(&self, id: Id) -> Vec<RunView> {
        let mut runs = self.runs(CHAOS.name()).await;
        runs.retain(|run| run.tags.get(1).is_some_and(|about| *about == id.to_string()));
        runs
    }
}
