//! A run: its record, and every decision about it.
//!
//! [`table`] says what each input does in each phase; [`RunRecord`] is a [`Machine`](crate::Machine), and decides by
//! it.

mod attempt;
mod create;
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
mod wait_loop_call;

pub use create::NewRun;
pub use input::{Facts, Input, InputName, Need, Task};
pub use phase::{End, FinalState, Lease, Phase, PhaseName};
pub use policy::Policy;
pub use record::{Invoker, Key, Progress, Purpose, RunRecord};
pub use state::{MOVES, State, StateError};
pub use view::RunView;
pub use wait_loop::answer;
pub use wait_loop_call::{ExecutionEnd, WaitLoopAnswer, WaitLoopCall};

pub use crate::trigger::Trigger;
