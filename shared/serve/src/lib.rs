//! Serves a function: on Lambda with AWS, or on the embedded engine. A function's `main` is one call:
//!
//! ```no_run
//! # use dacapo::prelude::*;
//! # const HELLO: TaskRef<String> = TaskRef::new("hello");
//! # fn function() -> impl Function { task(HELLO, async |_: String, _: TaskContext| Ok::<(), TaskError>(())) }
//! fn main() -> std::process::ExitCode {
//!     dacapo_serve::serve(function())
//! }
//! ```
//!
//! The environment says where it is:
//!
//! | variable | meaning |
//! |---|---|
//! | `DACAPO_DESCRIBE` | print the manifest's entry as JSON, and exit |
//! | `AWS_LAMBDA_RUNTIME_API` | serve Lambda's Runtime API, AWS's or the embedded engine's |
//! | `DACAPO_LOCAL` | the embedded engine's address, as `http://127.0.0.1:8787`; without it, AWS |
//! | `DACAPO_APP`, `DACAPO_STAGE` | whose table and queues |
//! | `DACAPO_FUNCTION` | the function's name in the manifest |
//! | `DACAPO_METRICS` | `on`: the log has metrics too, as CloudWatch reads them |
//! | `DACAPO_LIFECYCLE` | the lifecycle events of its task that have subscribers, as `completed,failed` |
//!
//! Exit codes: 0 done, 1 failed, 2 started where there is nothing to serve.

mod emf;
mod engine;
mod log;
mod serve;
mod timer_keepalive;
#[cfg(feature = "local")]
mod turns;

pub use dacapo_client::{client_from_env, variable};
pub use log::SpanLayer;
pub use serve::{conductor, serve, serve_with};
