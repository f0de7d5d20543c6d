//! The exit codes. Scripts may rely on them.

/// It is done.
pub const DONE: u8 = 0;
/// The operation failed; with `--wait`, and for `wait`, the run did.
pub const FAILED: u8 = 1;
/// What was given can't be used. Nothing was done.
pub const USAGE: u8 = 2;
/// There is no such run, task, event or schedule, or the app isn't deployed.
pub const NOT_FOUND: u8 = 3;
/// No access: credentials are missing or refused, or the engine or endpoint doesn't answer.
pub const NO_ACCESS: u8 = 4;
