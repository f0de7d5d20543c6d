//! A run: its record, and every decision about it.
//!
//! Each decision is a pure function of the record, an [`Event`] and a [`Moment`](crate::Moment). It gives the record as it should be
//! stored next and the effects that follow once it is. The shell stores it on the condition that nobody has
//! written since; whoever loses that race decides again with the record that won.

mod attempt;
mod decide;
mod end;
mod long;
mod look;
mod policy;
mod record;
mod state;
mod view;

pub use decide::{Decision, Effect, Event, decide};
pub use long::{Answer, ExecutionEnd, LoopCall, answer};
pub use look::{Facts, Need, due_look, needs};
pub use policy::Policy;
pub use record::{Driver, Lease, NewRun, Progress, Purpose, Run, Trigger};
pub use state::{MOVES, State, StateError};
pub use view::RunRecord;
