//! The client's side: the ports of the engine at an address.

mod connection;
mod loops;
mod queues;
mod schedules;
mod store;
mod timers;

use std::sync::Arc;

use dacapo::port::{Ports, SystemClock};

use connection::Connection;

/// Comes when the engine at an address is gone, also if it was killed. A function's process then ends, in the middle
/// of its handler too: nobody waits for its answer any more.
pub async fn gone(url: &str) {
    Connection::new(url).lasts().await;
}

/// The ports of the engine at an address such as `http://127.0.0.1:8787`.
///
/// Nothing is sent before a port is used; connections are kept. The clock is this machine's, which is the engine's too.
///
/// # Errors
/// None here. Each call gives `Unreachable` where no engine answers, and `Refused` where something else does.
#[must_use]
pub fn connect(url: &str) -> Ports {
    let connection = Connection::new(url);
    Ports {
        store: Arc::new(connection.clone()),
        queues: Arc::new(connection.clone()),
        timers: Arc::new(connection.clone()),
        loops: Arc::new(connection.clone()),
        schedules: Arc::new(connection),
        clock: Arc::new(SystemClock),
    }
}
