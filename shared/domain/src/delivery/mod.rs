//! A delivery: one event at one function. It has a record only once it has failed, or once its message was received a
//! second time; a success at the first try writes nothing.

mod decide;
mod input;
mod record;
pub mod table;
mod transitions;

pub use input::{DeliveryFacts, DeliveryInput, DeliveryInputName, HandlerFailure, Subscribed};
pub use record::{DeliveryPhase, DeliveryPhaseName, DeliveryRecord};
