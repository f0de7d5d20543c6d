use std::vec;

use dacapo_domain::{Id, State};

use crate::{Error, TaskError, client::Client, payload::Codec};

/// The runs of one task that a run has waited for, in the order they were given: each is read when it is asked for.
///
/// # Example: what failed is told, and the rest goes on
///
/// ```
/// # use dacapo::{TaskRef, prelude::*};
/// # const COUNT: TaskRef<u32, u32> = TaskRef::new("count");
/// async fn sum(cx: TaskContext) -> Result<u32, TaskError> {
///     let mut sum = 0;
///     let mut children = cx.children(COUNT).await?;
///     while let Some(child) = children.next().await? {
///         match child.result {
///             Ok(count) => sum += count,
///             Err(error) => cx.log_error("a count is missing", child.id, error).await?,
///         }
///     }
///     Ok(sum)
/// }
/// ```
pub struct Children<O> {
    client: Client,
    output: Codec<O>,
    ids: vec::IntoIter<Id>,
}

/// A run that was waited for, and has ended.
#[derive(Debug)]
pub struct ChildRun<O> {
    /// The id.
    pub id: Id,
    /// The final state.
    pub state: State,
    /// The result; or its failure with its code, `ABORTED`, `EXPIRED`, or `RESULT_TOO_LARGE` where it was not kept.
    pub result: Result<O, TaskError>,
}

impl<O> Children<O> {
    pub(super) fn new(client: Client, output: Codec<O>, ids: Vec<Id>) -> Self {
        Self { client, output, ids: ids.into_iter() }
    }

    /// The number of those that have not been read yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Is true once all have been read, or where the run has waited for none of the task.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.len() == 0
    }

    /// Reads the next one; `None` after the last.
    ///
    /// # Errors
    /// `NotFound` for one that its task's `history` has let go since; the next call goes on behind it. Any [`Error`] of
    /// the store.
    pub async fn next(&mut self) -> Result<Option<ChildRun<O>>, Error> {
        let Some(id) = self.ids.next() else { return Ok(None) };
        let run = self.client.state(id).await?;
        Ok(Some(ChildRun { id, state: run.state, result: self.output.result_of(run) }))
    }

    /// The results of all that have not been read yet.
    ///
    /// # Errors
    /// The failure of the first that failed, or what [`next`](Self::next) says.
    pub async fn results(mut self) -> Result<Vec<O>, TaskError> {
        let mut results = Vec::with_capacity(self.len());
        while let Some(child) = self.next().await? {
            results.push(child.result?);
        }
        Ok(results)
    }
}
