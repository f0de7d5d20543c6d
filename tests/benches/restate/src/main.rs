//! Ten steps as a service of Restate's, at the address that is given.

use restate_sdk::prelude::*;

struct Steps;

#[service]
impl Steps {
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
    let service = Endpoint::builder().bind(Steps).build();
    HttpServer::new(service).listen_and_serve(address.parse().expect("an address")).await;
}
