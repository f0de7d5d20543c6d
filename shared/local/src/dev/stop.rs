//! When to stop: asked once, it ends in peace; asked twice, at once.

use std::sync::Arc;

use tokio::sync::Notify;

/// The two requests to stop.
#[derive(Clone, Default)]
pub struct Stop {
    pub asked: Arc<Notify>,
    pub insisted: Arc<Notify>,
}

impl Stop {
    /// Stops at Ctrl-C, or when the process is told to terminate.
    pub fn on_signal() -> Self {
        let stop = Self::default();
        let told = stop.clone();
        tokio::spawn(async move {
            signal().await;
            told.asked.notify_one();
            signal().await;
            told.insisted.notify_one();
        });
        stop
    }
}

async fn signal() {
    // Where signals can't be heard, they end the process as they always do.
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut terminate) => drop(terminate.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
