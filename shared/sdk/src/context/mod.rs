//! The contexts of handlers and hooks: what they are told, and what they may ask.

mod children;
mod event;
mod run;
mod step;
mod stored;
mod task;
mod token;

pub use children::{ChildRun, Children};
pub use event::EventContext;
pub use run::RunContext;
pub use task::{HookContext, TaskContext};
pub use token::{MakeToken, Token, Told};
