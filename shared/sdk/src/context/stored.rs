//! A run's own stored data: its record, and its input, output, tags and metadata.

use std::collections::BTreeMap;

use dacapo_domain::{Json, RunView, State, code, slot};
use serde::{Serialize, de::DeserializeOwned};

use super::RunContext;
use crate::{
    Error, TaskError,
    client::check_tags,
    payload::{decode, encode, misfit},
};

/// The run's own stored data.
///
/// An update is a JSON merge patch ([RFC 7396](https://www.rfc-editor.org/rfc/rfc7396)): an object whose members replace
/// those of the same name, objects in it are merged in turn, and `null` removes. It is stored whole or not at all when the
/// call returns, at most 1,048,576 bytes after the merge. An attempt that has lost its lease, as one that is taken for
/// dead, is refused, and so is every update once the run has ended.
///
/// # Example: what a retry and the next iteration get
///
/// ```
/// use dacapo::prelude::*;
/// use serde_json::json;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Import {
///     url: String,
///     next_row: u32,
/// }
///
/// async fn import(job: Import, cx: TaskContext) -> Result<Outcome<Import, ()>, TaskError> {
///     cx.update_input(json!({ "next_row": job.next_row + 100 })).await?; // A retry goes on from here.
///     cx.update_output(json!({ "rows": job.next_row + 100 })).await?;
///     cx.update_task(json!({ "tags": ["import"], "metadata": { "source": job.url } })).await?;
///     Ok(Continue::again(seconds(10)))
/// }
/// ```
impl RunContext {
    /// The run's record with its values, as it is stored now: read anew, strongly consistent.
    ///
    /// # Errors
    /// Any [`Error`] of the store.
    pub async fn get_task(&self) -> Result<RunView, Error> {
        self.attempt.stored().await
    }

    /// The run's state, as it is stored now.
    ///
    /// # Errors
    /// Any [`Error`] of the store.
    pub async fn get_status(&self) -> Result<State, Error> {
        Ok(self.get_task().await?.state)
    }

    /// Changes the run's `tags`, which are replaced, and its `metadata`, an object that is merged. Nothing else can be
    /// changed: never the state.
    ///
    /// # Errors
    /// `Usage` for a patch that is no object or has other members, and for tags that no run can have; `Refused` where the
    /// attempt has lost its lease, or the run has ended; any [`Error`] of the store.
    pub async fn update_task(&self, patch: impl Serialize) -> Result<(), Error> {
        let refused = |why: &dyn std::fmt::Display| Error::usage(format_args!("update the run: {why}"));
        let patch = patch_of("run", &patch)?;
        let members: BTreeMap<String, Json> =
            patch.parse().map_err(|_| refused(&"the patch is no JSON object (allowed: `tags`, `metadata`)"))?;
        let (mut tags, mut patches) = (None, vec![]);
        for (name, value) in members {
            match &*name {
                "tags" => {
                    let given: Option<Vec<String>> = value
                        .parse()
                        .map_err(|error| refused(&format_args!("its tags are no list of texts: {error}")))?;
                    let given = given.unwrap_or_default();
                    check_tags(&given)?;
                    tags = Some(given);
                }
                "metadata" => patches.push((slot::METADATA, value)),
                other => {
                    return Err(refused(&format_args!("{other:?} can't be changed (allowed: `tags`, `metadata`)")));
                }
            }
        }
        self.attempt.update(tags, &patches).await
    }

    /// The input that is stored: this iteration's, and what was merged into it. A retry gets it.
    ///
    /// # Errors
    /// `INPUT_MISMATCH` if it doesn't fit the type; any [`Error`] of the store.
    pub async fn get_input<T: DeserializeOwned>(&self) -> Result<T, TaskError> {
        let mismatch = |error| TaskError::from(misfit::<T>("the input", &error)).code(code::INPUT_MISMATCH);
        decode(&self.stored_input().await?).map_err(mismatch)
    }

    /// Merges a patch into the input: what a retry of this attempt gets, and the next iteration after
    /// [`Continue::again`](crate::Continue::again).
    ///
    /// # Errors
    /// `Usage` for a patch or an input that is no object; `Refused` where the attempt has lost its lease, or the run has
    /// ended; any [`Error`] of the store.
    pub async fn update_input(&self, patch: impl Serialize) -> Result<(), Error> {
        self.attempt.update(None, &[(slot::INPUT, patch_of("input", &patch)?)]).await
    }

    /// The run's output so far: what [`update_output`](Self::update_output) has merged, apart from the result.
    ///
    /// # Errors
    /// A terminal one if it doesn't fit the type; any [`Error`] of the store.
    pub async fn get_output<T: DeserializeOwned>(&self) -> Result<Option<T>, TaskError> {
        let output = self.attempt.data(slot::OUTPUT).await?;
        let mismatch = |error| TaskError::terminal(misfit::<T>("the output", &error));
        output.map(|output| decode(&output)).transpose().map_err(mismatch)
    }

    /// Merges a patch into the run's `output`, which is kept and shown beside its result, also of a run that fails.
    ///
    /// # Errors
    /// `Usage` for a patch that is no object; `Refused` where the attempt has lost its lease, or the run has ended; any
    /// [`Error`] of the store.
    pub async fn update_output(&self, patch: impl Serialize) -> Result<(), Error> {
        self.attempt.update(None, &[(slot::OUTPUT, patch_of("output", &patch)?)]).await
    }

    pub(crate) async fn stored_input(&self) -> Result<Json, Error> {
        Ok(self.attempt.data(slot::INPUT).await?.unwrap_or_default())
    }
}

fn patch_of(what: &str, patch: &impl Serialize) -> Result<Json, Error> {
    let refused = |why: &dyn std::fmt::Display| Error::usage(format_args!("update the {what}: {why}"));
    let json = encode(patch).map_err(|error| refused(&format_args!("the patch can't be serialized: {error}")))?;
    json.check().map_err(|error| refused(&format_args!("the patch can't be used: {error}")))?;
    Ok(json)
}
