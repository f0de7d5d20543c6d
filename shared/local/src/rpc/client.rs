//! The client's side: the ports of the engine at an address, each call JSON there and JSON back.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use dacapo_core::port::{
    ExecutionStatus, Outbox, PortError, PortErrorKind, PortResult, Ports, Probe, Records, SystemClock, Until,
};
use dacapo_domain::{
    Claim, Created, Effect, Header, LogLine, OwnedQuery, Page, Query, RecordKey, Saved, StoredRecord, Write,
};
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    header::{CONTENT_TYPE, HeaderValue},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    APPEND, CREATE, DELETE, EXECUTION_STATUS, GATHER, HAS_BACKLOG, LIVENESS_PATH, LOAD, LOAD_UNTIL, OWNED, PEEK, POST,
    POSTPONE, QUERY, READ_LOG, READ_LOG_BACK, SAVE, Verb,
};
use crate::{
    offspring::{MARK, Offspring},
    turn::{Answer, Invocation, TURN_PATH},
};

/// The time that the engine may take for one call.
const LIMIT: Duration = Duration::from_secs(30);

/// Kept connections to an engine. Cheap to clone.
#[derive(Clone)]
struct Connection {
    url: Arc<str>,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// Comes when the engine is gone that serves the Runtime API at an address, also if it was killed. The function's
/// process then [ends](end), in the middle of its handler too: its answer is not waited for any more.
pub async fn gone(runtime_api: &str) {
    Connection::new(runtime_api).lasts().await;
}

/// The invocations of this process, which an engine started, one after the other.
pub struct Turns(Connection);

impl Turns {
    /// Those that come by the Runtime API at an address. Nothing is sent yet.
    #[must_use]
    pub fn new(runtime_api: &str) -> Self {
        Self(Connection::new(runtime_api))
    }

    /// Answers for the last invocation, where there was one, and waits for the next.
    ///
    /// # Errors
    /// If the engine is gone, or of another version, or doesn't know this process any more.
    pub async fn next(&self, answer: Option<Answer>) -> PortResult<Invocation> {
        let (status, text) = self.0.exchange(self.0.request(TURN_PATH, &answer)?).await?;
        self.0.read(status, &text)
    }

    /// Answers for the last invocation of all.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn end(&self, answer: Answer) -> PortResult<()> {
        self.0.exchange(self.0.request(TURN_PATH, &Some(Answer { leaves: true, ..answer }))?).await?;
        Ok(())
    }
}

/// Ends this process, which an engine started, and what it has started itself.
pub fn end() -> ! {
    if let Ok(mark) = std::env::var(MARK) {
        Offspring::new(Some(std::process::id()), mark).end();
    }
    std::process::exit(1)
}

/// The ports of the engine at an address such as `http://127.0.0.1:8787`.
///
/// Nothing is sent before a port is used; connections are kept. The clock is this machine's, which is the engine's too.
///
/// # Errors
/// None here. Each call gives `Unreachable` where no engine answers, and `Refused` where something else does.
#[must_use]
pub fn connect(url: &str) -> Ports {
    let connection = Arc::new(Connection::new(url));
    Ports { records: connection.clone(), outbox: connection.clone(), probe: connection, clock: Arc::new(SystemClock) }
}

impl Connection {
    fn new(url: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { url: url.trim_end_matches('/').into(), client }
    }

    /// Calls a verb. What is sent is borrowed, and has the same form as the verb's own type.
    async fn call<Sent, Back: DeserializeOwned>(
        &self,
        verb: &Verb<Sent, Back>,
        sent: &(impl Serialize + ?Sized),
    ) -> PortResult<Back> {
        let exchange = self.exchange(self.request(verb.path, sent)?);
        let (status, text) = tokio::time::timeout(LIMIT, exchange).await.map_err(|_| {
            let message = format!("the engine at {} did not answer within {} s", self.url, LIMIT.as_secs());
            PortError::new(PortErrorKind::Transient, message)
        })??;
        self.read(status, &text)
    }

    fn request(&self, path: &str, sent: &(impl Serialize + ?Sized)) -> PortResult<Request<Full<Bytes>>> {
        let refused = |text: String| PortError::new(PortErrorKind::Refused, text);
        let text = serde_json::to_vec(sent).map_err(|error| refused(format!("can't send this: {error}")))?;
        Request::builder()
            .method(Method::POST)
            .uri(format!("{}{path}", self.url))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(Full::from(text))
            .map_err(|error| {
                refused(format!("can't call the engine at {:?}: {error} (write http://127.0.0.1:8787)", self.url))
            })
    }

    fn read<Back: DeserializeOwned>(&self, status: StatusCode, text: &[u8]) -> PortResult<Back> {
        let unexpected = |error: serde_json::Error| {
            let message = format!("what answers at {} is no engine of this version ({status})", self.url);
            PortError::new(PortErrorKind::Refused, message).caused_by(error)
        };
        if status == StatusCode::OK {
            return serde_json::from_slice(text).map_err(unexpected);
        }
        Err(serde_json::from_slice::<PortError>(text).map_err(unexpected)?)
    }

    /// Waits until the connection breaks, or for ever where what answers is no engine that knows this request.
    async fn lasts(&self) {
        let request = Request::get(format!("{}{LIVENESS_PATH}", self.url)).body(Full::default());
        if let Ok(request) = request
            && self.client.request(request).await.is_ok()
        {
            std::future::pending().await
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> PortResult<(StatusCode, Bytes)> {
        let response = self.client.request(request).await.map_err(|error| {
            if error.is_connect() {
                let message =
                    format!("can't reach the engine at {} (start it with `make dev` or `dacapo dev`)", self.url);
                return PortError::new(PortErrorKind::Unreachable, message).caused_by(error);
            }
            self.broken(error)
        })?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(|error| self.broken(error))?;
        Ok((status, body.to_bytes()))
    }

    fn broken(&self, error: impl std::error::Error + Send + Sync + 'static) -> PortError {
        let message = format!("the connection to the engine at {} broke", self.url);
        PortError::new(PortErrorKind::Transient, message).caused_by(error)
    }
}

#[async_trait]
impl Records for Connection {
    async fn create(&self, write: &Write, claim: Option<&Claim>) -> PortResult<Created> {
        self.call(&CREATE, &(write, claim)).await
    }

    async fn load(&self, key: &RecordKey) -> PortResult<Option<StoredRecord>> {
        self.call(&LOAD, key).await
    }

    async fn load_until(&self, key: &RecordKey, until: Until) -> PortResult<Option<StoredRecord>> {
        self.call(&LOAD_UNTIL, &(key, until)).await
    }

    async fn peek(&self, keys: &[RecordKey]) -> PortResult<Vec<StoredRecord>> {
        self.call(&PEEK, keys).await
    }

    async fn gather(&self, key: &RecordKey, set: &str, members: &[String]) -> PortResult<Option<StoredRecord>> {
        self.call(&GATHER, &(key, set, members)).await
    }

    async fn save(&self, seen: &Header, write: &Write) -> PortResult<Saved> {
        self.call(&SAVE, &(seen, write)).await
    }

    async fn delete(&self, seen: &Header, effects: &[Effect]) -> PortResult<bool> {
        self.call(&DELETE, &(seen, effects)).await
    }

    async fn postpone(&self, key: &RecordKey, seen: Timestamp, until: Timestamp) -> PortResult<bool> {
        self.call(&POSTPONE, &(key, seen, until)).await
    }

    async fn query(&self, query: &Query) -> PortResult<Page> {
        self.call(&QUERY, query).await
    }

    async fn owned(&self, query: &OwnedQuery) -> PortResult<Vec<StoredRecord>> {
        self.call(&OWNED, query).await
    }

    async fn append(&self, key: &RecordKey, lines: &[LogLine]) -> PortResult<()> {
        self.call(&APPEND, &(key, lines)).await
    }

    async fn read_log(&self, key: &RecordKey, after: Option<&str>, limit: usize) -> PortResult<Vec<LogLine>> {
        self.call(&READ_LOG, &(key, after, limit)).await
    }

    async fn read_log_back(&self, key: &RecordKey, before: Option<&str>, limit: usize) -> PortResult<Vec<LogLine>> {
        self.call(&READ_LOG_BACK, &(key, before, limit)).await
    }
}

#[async_trait]
impl Outbox for Connection {
    async fn post(&self, effect: &Effect) -> PortResult<()> {
        self.call(&POST, effect).await
    }
}

#[async_trait]
impl Probe for Connection {
    async fn has_backlog(&self, function: &str) -> PortResult<bool> {
        self.call(&HAS_BACKLOG, function).await
    }

    async fn execution_status(&self, execution: &str) -> PortResult<ExecutionStatus> {
        self.call(&EXECUTION_STATUS, execution).await
    }
}
