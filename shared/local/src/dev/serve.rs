//! Everything put together.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{Router, serve::ListenerExt};
use dacapo_core::port::SystemClock;
use dacapo_domain::Manifest;
use tokio::net::TcpListener;

use super::{DevError, DevOptions, direct, stop::Stop};
use crate::{
    engine::{Driver, Engine, Places, Programs},
    process::{Pool, Program},
    report::Report,
    rpc, runtime_api,
    runtime_api::Seats,
    sqlite::Database,
};

/// How long running invocations may go on once the engine is asked to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Runs an app until Ctrl-C or `until` comes: then running invocations may end, at a second Ctrl-C they may not.
///
/// # Errors
/// If the port is taken, the functions don't make an app, or the database can't be used.
pub async fn dev(options: DevOptions, until: impl Future<Output = ()>) -> Result<(), DevError> {
    let Stop { asked, insisted } = Stop::on_signal();
    let stop = async {
        tokio::select! {
            () = asked.notified() => {}
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
    let DevOptions { app, stage, port, database, functions, processes, reports, pages } = options;
    let listener = listen(port).await?;
    let port = listener.local_addr().map_or(port, |address| address.port());
    let address = format!("http://127.0.0.1:{port}");

    let manifest = Manifest::new(&app, functions.iter().map(|function| function.entry.clone()).collect())?;
    let database = Database::open(&database, Arc::new(SystemClock))?;
    let ports = database.ports();
    let seats = Seats::default();
    let pools = functions.into_iter().map(|function| {
        let program = Program::new(&function.entry, function.binary, &app, &stage, &address);
        let pool = Pool::new(program, processes, seats.clone(), reports.clone());
        (function.entry.name, Arc::new(pool))
    });
    let programs = Arc::new(Programs::new(pools.collect::<HashMap<_, _>>()));
    let engine = Arc::new(Engine::new(database, manifest, programs.clone(), reports.clone()));

    let pages = pages.map_or_else(Router::new, |pages| pages(ports.clone()));
    let routes =
        rpc::router(ports).merge(runtime_api::router(seats)).merge(direct::router(engine.clone(), &app)).merge(pages);
    let listener = listener.tap_io(|connection| {
        // Many small answers: none of them waits for the next.
        let _ = connection.set_nodelay(true);
    });
    let server = tokio::spawn(async move { axum::serve(listener, routes).await });
    reports(Report::Listening { address });
    let places = Places { function: processes, loops: processes };
    let ended = Driver::new(engine, places).run(stop, GRACE).await;
    programs.stop();
    server.abort();
    Ok(ended?)
}

async fn listen(port: u16) -> Result<TcpListener, DevError> {
    TcpListener::bind(("127.0.0.1", port)).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => DevError::PortInUse(port),
        _ => DevError::Listen { port, source },
    })
}
