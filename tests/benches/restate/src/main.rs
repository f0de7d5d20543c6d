//! A service of Restate's at the address that is given: what `echo` is as a task of Dacapo's.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use restate_sdk::prelude::*;

/// The calls of `echo` that were answered.
static ANSWERED: AtomicU32 = AtomicU32::new(0);

struct Bench;

#[service]
impl Bench {
    /// Gives back what it gets.
    #[handler]
    async fn echo(&self, _: Context<'_>, text: String) -> Result<String, HandlerError> {
        ANSWERED.fetch_add(1, Relaxed);
        Ok(text)
    }

    /// Says how many calls of `echo` were answered.
    #[handler]
    async fn answered(&self, _: Context<'_>) -> Result<u32, HandlerError> {
        Ok(ANSWERED.load(Relaxed))
    }

    /// Gives back what it gets after ten steps, each of which has the same value.
    #[handler]
    async fn ten(&self, cx: Context<'_>, text: String) -> Result<String, HandlerError> {
        for step in 0..10 {
            let value = text.clone();
            cx.run(|| async move { Ok(value) }).name(format!("step {step}")).await?;
        }
        Ok(text)
    }
}

#[tokio::main]
async fn main() {
    let address = std::env::args().nth(1).expect("an address");
    let service = Endpoint::builder().bind(Bench).build();
    HttpServer::new(service).listen_and_serve(address.parse().expect("an address")).await;
}
