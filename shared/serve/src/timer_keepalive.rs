//! Timers that run on while a handler blocks its thread.

use std::{thread, time::Duration};

use tokio::runtime::Handle;

/// The longest that a timer is late because of a handler that blocks.
const PAUSE: Duration = Duration::from_millis(250);

/// Has another worker wait for timers and the network, again and again.
///
/// Of tokio's workers one waits for them, and the first task that they wake runs there, while the others may sleep on.
/// If that task is a handler that blocks its thread, its timeout passes unseen. A worker that is woken for nothing
/// waits for them in its place. (tokio's own remedy, `enable_eager_driver_handoff`, is not stable yet.)
pub(crate) fn start(runtime: &Handle) {
    let runtime = runtime.clone();
    thread::spawn(move || {
        loop {
            thread::sleep(PAUSE);
            runtime.spawn(async {});
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    };

    use tokio::{runtime::Builder, time::sleep};

    use super::*;

    #[test]
    fn timer_goes_off_while_the_worker_that_waited_for_it_is_blocked() {
        let runtime = Builder::new_multi_thread().worker_threads(crate::serve::THREADS).enable_all().build().unwrap();
        start(runtime.handle());
        let blocked = Arc::new(AtomicBool::new(true));
        let blocking = Arc::clone(&blocked);
        runtime.spawn(async move {
            sleep(Duration::from_millis(50)).await;
            thread::sleep(Duration::from_secs(5));
            blocking.store(false, Relaxed);
        });
        runtime.block_on(async { sleep(Duration::from_millis(500)).await });
        assert!(blocked.load(Relaxed), "the timer had to wait for the blocked worker");
        runtime.shutdown_background();
    }
}
