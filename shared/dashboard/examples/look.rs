//! Serves the pages of a made-up app, to look at them: `cargo run -p dacapo-dashboard --example look [port]`.

#[path = "../tests/all/sample.rs"]
mod sample;

use std::{error::Error, net::Ipv4Addr};

use dacapo_domain::{hours, minutes};
use sample::{CHARGE, Charge, IMPORT, Import, MAIL, PLACED, SENT};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let app = sample::shop();
    let file = |name: &str| Import { file: name.to_owned(), next_row: 0 };
    app.run(IMPORT, file("airports-2025.csv")).tags(["yearly", "open data"]).await?;
    app.advance(hours(1)).await;
    for amount in [250.0, 12.5] {
        app.run(CHARGE, Charge { customer: 7, amount }).await?;
        app.advance(minutes(3)).await;
    }
    app.run(IMPORT, file("airports-2026.csv")).await?;
    let aborted = app.run(IMPORT, file("airports-1999.csv")).await?;
    app.advance(minutes(11)).await;
    app.abort(aborted.id(), "the file is too old").await?;
    app.run(IMPORT, file("airports-2027.csv")).after(hours(3)).await?;
    for _ in 0..60 {
        app.run(CHARGE, Charge { customer: 1, amount: 1.0 }).await?;
    }
    app.run(IMPORT, file("airports-2028.csv")).await?;
    app.advance(minutes(1)).await;

    for order in 1..=3 {
        app.publish(SENT, order).await?;
        app.advance(minutes(7)).await;
    }
    app.publish(PLACED, "tea".to_owned()).await?;
    app.client().queues().pause("outbox").await?;
    app.run(MAIL, 7).await?;
    app.advance(minutes(1)).await;

    let port = std::env::args().nth(1).map_or(Ok(8788), |port| port.parse())?;
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    eprintln!("http://{}/", listener.local_addr()?);
    axum::serve(listener, dacapo_dashboard::router(app.client().clone(), "sample, virtual time")).await?;
    Ok(())
}
