//! The Lambda Runtime API, by which function binaries run unmodified as processes of this machine.
//!
//! Each process has its own address, `http://127.0.0.1:PORT/rt/{secret}/{function}/{process}`: `lambda_runtime` puts
//! the path of `AWS_LAMBDA_RUNTIME_API` before its own. So the engine knows who asks, and a process that died can't be
//! taken for its successor. The secret is of this start: what could guess the rest can't take work out of a queue. A function's process ends by itself when the engine is gone: its long poll breaks.
//!
//! A process that knows the engine takes [turns](crate::turn) there instead, of one exchange each.

mod payload;
mod routes;
mod slots;
mod sqs;

pub(crate) use payload::{Payload, TaskMessage};
pub(crate) use routes::router;
pub(crate) use slots::{Ended, Slot, Slots};
pub(crate) use sqs::{SqsRecord, batch_event, failed_items};
