//! Bugs of the product that its watches are to find: each at a port or at the border of a process, so that the product
//! has no line of them.

mod bug;
mod ports;
mod processes;
mod writes;

pub use bug::Bug;
pub use ports::ports;
pub use processes::{acknowledged, answered, called, delivered};
