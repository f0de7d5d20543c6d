//! LocalStack without Docker, with what fires its schedules beside it.
//!
//! - `dacapo-localstack [PORT]` runs it in the foreground, on 127.0.0.1:4566 or another port, until it is stopped.
//! - `dacapo-localstack drive` only fires the schedules of the LocalStack at `AWS_ENDPOINT_URL`.
//! - `dacapo-localstack share` is how tests share one.
//! - `dacapo-localstack build` builds the functions that tests deploy, so that no test has to wait for it.

use std::{env, io, process::ExitCode, time::Duration};

use dacapo_tests::{
    localstack::{Server, build, config, share},
    schedule_firer::{FirerClock, ScheduleFirer},
};

const USAGE: &str = "usage: dacapo-localstack [PORT | drive | share | build]";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // One thread: a child that ends with its parent ends with the thread that started it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = runtime.and_then(|runtime| match arguments[..] {
        [] => runtime.block_on(foreground(4566)),
        ["drive"] => runtime.block_on(drive()),
        ["share"] => runtime.block_on(share()),
        ["build"] => build(),
        [port] => match port.parse() {
            Ok(port) => runtime.block_on(foreground(port)),
            Err(_) => Err(io::Error::other(USAGE)),
        },
        _ => Err(io::Error::other(USAGE)),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn foreground(port: u16) -> io::Result<()> {
    let mut server = Server::start(port, None)?;
    let endpoint = server.endpoint().to_owned();
    eprintln!("LocalStack answers at {endpoint}, and its schedules fire. In another terminal:");
    eprintln!(
        "  export AWS_ENDPOINT_URL={endpoint} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=eu-west-1"
    );
    eprintln!("  make deploy STAGE=dev");
    let firer = ScheduleFirer::new(&config(&endpoint).await, FirerClock::default()).run();
    tokio::select! {
        () = firer => Ok(()),
        signal = stopped() => signal,
        ended = ended(&mut server) => ended,
    }
}

async fn drive() -> io::Result<()> {
    let endpoint =
        env::var("AWS_ENDPOINT_URL").map_err(|_| io::Error::other("AWS_ENDPOINT_URL names no LocalStack"))?;
    ScheduleFirer::new(&config(&endpoint).await, FirerClock::default()).run().await;
    Ok(())
}

async fn stopped() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    Ok(())
}

async fn ended(server: &mut Server) -> io::Result<()> {
    loop {
        if let Some(status) = server.ended()? {
            return Err(io::Error::other(format!("LocalStack ended with {status}")));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
