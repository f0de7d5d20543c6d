//! Everything put together.

use std::{sync::Arc, time::Duration};

use axum::{Router, middleware::from_fn};
use dacapo_core::port::{PortError, SystemClock};
use tokio::{net::TcpListener, sync::Notify};

use super::{DevError, DevOptions, deploy::Place, direct};
use crate::{
    engine::{Engine, EngineLoop, Permits, Programs, WithConductor},
    engine_log::EngineLog,
    http,
    process::{Fleet, Pool},
    rpc, runtime_api,
    runtime_api::Slots,
    sqlite::Database,
};

/// The time for which running invocations may go on once the engine is asked to stop.
const GRACE: Duration = Duration::from_secs(10);

/// The time after which it is noticed that the database's file is gone, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Runs an app until Ctrl-C or `until` comes: then running invocations may end, at a second Ctrl-C they may not.
///
/// # Errors
/// If the port is taken, the functions don't make an app, or the database can't be used.
pub async fn dev(options: DevOptions, until: impl Future<Output = ()>) -> Result<(), DevError> {
    let Stop { asked, insisted } = Stop::on_signal();
    let logs = options.logs.clone();
    let stop = async {
        tokio::select! {
            () = asked.notified() => {
                let text = format!("stopping: what runs may end within {} s (Ctrl-C again ends it now)", GRACE.as_secs());
                logs(EngineLog::Note(text));
            }
            () = until => {}
        }
    };
    tokio::select! {
        ended = dev_until(options, stop) => ended,
        () = insisted.notified() => Ok(()),
    }
}

/// Runs an app until `stop` comes; then running invocations may end.
///
/// # Errors
/// If the port is taken, the functions don't make an app, or the database can't be used.
pub async fn dev_until(options: DevOptions, stop: impl Future<Output = ()>) -> Result<(), DevError> {
    let DevOptions {
        app,
        stage,
        port,
        database,
        durability,
        functions,
        is_part,
        changes,
        processes,
        logs,
        pages,
        webhook_key,
    } = options;
    let listener = listen(port).await?;
    let port = listener.local_addr().map_or(port, |address| address.port());
    let address = format!("http://127.0.0.1:{port}");

    let database = Database::open(&database, durability, Arc::new(SystemClock))?;
    let ports = database.ports();
    let slots = Slots::new()?;
    let fleet = Arc::new(Fleet::new(slots.clone(), logs.clone()));
    let programs = Arc::new(Programs::new(ports.clone(), move |program| Pool::new(program, processes, fleet.clone())));
    let invoke = Arc::new(WithConductor::new(ports.clone(), programs.clone()));
    let place = Place { app, stage, address, is_part, ports: ports.clone(), programs: programs.clone() };
    let manifest = place.manifest(&functions).await?;
    let engine = Arc::new(Engine::new(database.clone(), manifest.clone(), invoke, logs.clone()).stage(&place.stage));

    let nowhere = || Router::new().fallback(http::nowhere).layer(from_fn(http::guard));
    let pages = pages.map_or_else(nowhere, |pages| pages(ports.clone()));
    let routes = rpc::router(ports.clone(), engine.admission())
        .merge(runtime_api::router(slots))
        .merge(direct::router(engine.clone(), ports, &place.app, webhook_key))
        .merge(pages);
    // Before anything can be asked, of functions or by the one who is told the address.
    place.deploy(&engine, manifest, &functions).await?;
    let server = tokio::spawn(http::serve(listener, routes));
    logs(EngineLog::Listening { address: place.address.clone() });
    let permits = Permits { function: processes, wait_loops: processes };
    let ended = tokio::select! {
        ended = EngineLoop::new(engine.clone(), permits).run(stop, GRACE) => ended,
        error = file_is_gone(&database) => Err(error),
        () = place.follow(&engine, changes, &logs) => Ok(()),
    };
    programs.stop();
    server.abort();
    Ok(ended?)
}

/// Comes when the database's file doesn't stand where it was: nothing more is kept then.
async fn file_is_gone(database: &Database) -> PortError {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if let Err(error) = database.check_file() {
            return error;
        }
    }
}

async fn listen(port: u16) -> Result<TcpListener, DevError> {
    TcpListener::bind(("127.0.0.1", port)).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => DevError::PortInUse(port),
        _ => DevError::Listen { port, source },
    })
}

/// The two requests to stop.
#[derive(Clone, Default)]
struct Stop {
    asked: Arc<Notify>,
    insisted: Arc<Notify>,
}

impl Stop {
    /// Stops at Ctrl-C, or when the process is told to terminate.
    fn on_signal() -> Self {
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
