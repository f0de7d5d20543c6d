use std::{net::Ipv4Addr, process::ExitCode};

use clap::Args;
use tokio::net::TcpListener;

use crate::{
    context::Context,
    failure::{CliError, CliResult},
};

/// Serves on 127.0.0.1 alone, until interrupted.
#[derive(Debug, Args)]
pub struct Dashboard {
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 8788)]
    port: u16,
}

impl Dashboard {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let client = cx.client().await?;
        let router = dacapo_dashboard::router(client, &cx.place());
        let listener = listen(self.port).await?;
        let url = url(&listener);
        cx.output.give(&serde_json::json!({"url": url}), || format!("dashboard at {url} (Ctrl-C ends it)"));
        tokio::select! {
            () = dacapo_local::http::serve(listener, router) => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Listens on a port that only this machine can reach.
pub async fn listen(port: u16) -> CliResult<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
        CliError::failed(format!("failed to listen on 127.0.0.1:{port}: {error} (choose another with --port)"))
    })
}

/// The address at which a browser finds the listener.
pub fn url(listener: &TcpListener) -> String {
    listener.local_addr().map_or_else(|_| "http://127.0.0.1/".to_owned(), |address| format!("http://{address}/"))
}
