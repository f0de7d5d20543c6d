use serde::{Serialize, de::DeserializeOwned};

/// A value that can travel between functions: inputs, results, bodies of events.
///
/// Every type has it that owns its data and derives serde's `Serialize` and `Deserialize`; nothing implements it by
/// hand. It travels as JSON.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't travel between functions",
    label = "needs `serde::Serialize` and `serde::Deserialize`",
    note = "add `#[derive(serde::Serialize, serde::Deserialize)]` to `{Self}`; it must own its data (no borrowed fields)"
)]
pub trait Payload: Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Payload for T {}
