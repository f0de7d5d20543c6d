//! Function binaries as processes: started when there is work, replaced when they crash or change.

mod one;
mod pool;
mod program;

pub(crate) use pool::Pool;
pub(crate) use program::{Program, limit};

#[cfg(all(test, unix, feature = "client"))]
mod tests;
