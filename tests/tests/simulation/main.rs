//! The guarantees of the product, under a virtual clock, with everything going wrong that may: processes that die
//! between any two effects, calls refused, replies lost, messages doubled and late. Each seed is another history.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

mod debounce;
mod families;
mod load;
mod planted;
mod runs;
mod side_by_side;
mod throttled;
