//! Starting many runs at once.

use std::{future::IntoFuture, sync::Arc};

use dacapo_core::{commit::PATIENCE, debounce::start_all};
use dacapo_domain::{later, limits};
use futures::future::BoxFuture;

use super::{Client, StartRun, Started};
use crate::{Error, TaskRef};

/// Runs to be started together: they start when this is awaited.
///
/// Each is stored by itself, and its messages are sent by tens. The replies are in the order of the runs; with a failure
/// among them the others have started all the same. Where the runs have keys, the same batch may be started again
/// after that: what runs already is found by its key. Of the calls of one debounce the last one's body counts.
///
/// # Errors
/// `Usage` for more than 1,000 runs, or one of another app's client: none has started then.
#[must_use = "runs start when this is awaited"]
pub struct StartBatch<O> {
    client: Client,
    runs: Vec<StartRun<O>>,
}

impl Client {
    /// Starts up to 1,000 runs of a task.
    ///
    /// # Example: a run for each user
    ///
    /// ```
    /// # use dacapo::{Client, Error, TaskRef};
    /// # const SEND_WELCOME: TaskRef<String> = TaskRef::new("send-welcome");
    /// async fn welcome(client: &Client, emails: Vec<String>) -> Result<usize, Error> {
    ///     let replies = client.batch(SEND_WELCOME, emails).await?;
    ///     Ok(replies.iter().filter(|started| started.is_ok()).count())
    /// }
    /// ```
    pub fn batch<I, O>(&self, task: TaskRef<I, O>, bodies: impl IntoIterator<Item = I>) -> StartBatch<O> {
        self.batch_of(bodies.into_iter().map(|body| self.run(task, body)))
    }

    /// Starts up to 1,000 runs, each with its own key, tags or time. For runs of several tasks, see
    /// [`StartRun::untyped`].
    pub fn batch_of<O>(&self, runs: impl IntoIterator<Item = StartRun<O>>) -> StartBatch<O> {
        StartBatch { client: self.clone(), runs: runs.into_iter().collect() }
    }
}

impl<O> StartBatch<O> {
    async fn start(self) -> Result<Vec<Result<Started<O>, Error>>, Error> {
        let Self { client, runs } = self;
        let ports = client.ports();
        if runs.len() > limits::BATCH {
            return Err(Error::usage(format_args!(
                "start a batch of {} runs (allowed: {}; start several batches)",
                runs.len(),
                limits::BATCH
            )));
        }
        if runs.iter().any(|run| !Arc::ptr_eq(&run.client().ports().records, &ports.records)) {
            return Err(Error::usage("start a batch with a run of another client (make all of them by one)"));
        }
        // In their order: what a handler starts is named by how many alike came before.
        let (mut new, mut refused) = (vec![], vec![]);
        for run in runs {
            refused.push(run.prepare().await.map(|run| new.push(run)).err());
        }
        let found = start_all(&client.app, &new, later(ports.clock.now(), PATIENCE)).await;
        let mut started = new.iter().zip(found).map(|(run, found)| Ok(Started::of(&run.record, found?)));
        Ok(refused.into_iter().filter_map(|error| error.map(Err).or_else(|| started.next())).collect())
    }
}

impl<O: 'static> IntoFuture for StartBatch<O> {
    type Output = Result<Vec<Result<Started<O>, Error>>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}
