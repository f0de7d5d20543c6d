//! The door: who may come in over HTTP, with how much, and for how long.

mod body;
mod connections;
mod guard;
mod refused;

pub(crate) use body::{Bodies, whole};
pub use connections::serve;
pub(crate) use guard::{guard, nowhere};
