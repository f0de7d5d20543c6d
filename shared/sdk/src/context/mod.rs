//! The contexts of handlers and hooks: what they are told, and what they may ask.

mod event;
mod hook;
mod in_place;
mod run;
mod task;

pub use event::EventContext;
pub use hook::HookContext;
pub use run::RunContext;
pub use task::TaskContext;
