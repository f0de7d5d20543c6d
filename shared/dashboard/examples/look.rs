//! Serves the pages of a made-up app, to look at them: `cargo run -p dacapo-dashboard --example look [port]`.

#![expect(clippy::unwrap_used, reason = "its sample is that of the tests")]

#[path = "../tests/all/sample.rs"]
mod sample;

use std::{error::Error, net::Ipv4Addr};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (app, _) = sample::day().await;
    let port = std::env::args().nth(1).map_or(Ok(8788), |port| port.parse())?;
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    eprintln!("http://{}/", listener.local_addr()?);
    axum::serve(listener, dacapo_dashboard::router(app.client().clone(), "sample, virtual time")).await?;
    Ok(())
}
