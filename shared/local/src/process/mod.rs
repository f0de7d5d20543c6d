//! Function binaries as processes: started when there is work, replaced when they crash or change.

mod lines;
mod one;
mod pool;
mod program;
mod stamp;

pub(crate) use pool::Pool;
pub(crate) use program::{Program, limit};

#[cfg(all(test, unix, feature = "client"))]
mod tests;
