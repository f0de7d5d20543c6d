//! A run: its record, and every decision about it.
//!
//! [`table`] says what each input does in each phase; [`RunRecord`] is a [`Machine`](crate::Machine), and decides by it.

mod attempt;
mod decide;
mod end;
mod input;
mod phase;
mod policy;
mod reconcile;
mod record;
mod state;
pub mod table;
mod view;
mod wait_loop;

pub use input::{Input, InputName, Task};
pub use phase::{End, FinalState, Phase, PhaseName};
pub use policy::Policy;
pub use reconcile::{Facts, Need};
pub use record::{Invoker, Key, Lease, NewRun, Progress, Purpose, RunRecord, Trigger};
pub use state::{State, StateError};
pub use view::RunView;
pub use wait_loop::{ExecutionEnd, WaitLoopAnswer, WaitLoopCall, answer};
