//! The options that go wrong, and a start and an end in peace.

use std::sync::Mutex;

use tokio::{net::TcpListener, sync::oneshot};

use super::*;
use crate::engine_log::EngineLog;

type Tested = Result<(), Box<dyn std::error::Error>>;

#[tokio::test]
async fn a_port_in_use_is_named_with_the_option_that_helps() -> Tested {
    let taken = TcpListener::bind("127.0.0.1:0").await?;
    let directory = tempfile::tempdir()?;
    let mut options = DevOptions::new("shop", directory.path().join("local.db"), vec![]);
    options.port = taken.local_addr()?.port();
    let error = dev_until(options, std::future::pending()).await.unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "port {} is in use (does `dacapo dev` run already? choose another port with `--port`)",
            taken.local_addr()?.port()
        )
    );
    Ok(())
}

#[tokio::test]
async fn it_tells_where_it_is_and_stops_when_told() -> Tested {
    let directory = tempfile::tempdir()?;
    let mut options = DevOptions::new("shop", directory.path().join("new/local.db"), vec![]);
    options.port = 0;
    let (stop, stopped) = oneshot::channel::<()>();
    let stop = Mutex::new(Some(stop));
    options.logs = Arc::new(move |report| {
        if let EngineLog::Listening { address } = report {
            assert!(address.starts_with("http://127.0.0.1:"), "{address}");
            stop.lock().unwrap().take().map(|stop| stop.send(()));
        }
    });
    dev_until(options, async { stopped.await.unwrap_or_default() }).await?;
    Ok(())
}
