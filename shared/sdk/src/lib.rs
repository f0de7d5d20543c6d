//! Background tasks and event handlers as plain async functions.

pub mod port;
