//! The proxy between the app and AWS: it passes requests on, and counts them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use tokio::net::TcpListener;

use super::{
    calls::Calls,
    units::{self, Item},
};
use crate::AnyError;

/// A proxy on this machine. Clones are the same.
#[derive(Clone)]
pub struct Proxy(Arc<Inner>);

struct Inner {
    address: String,
    upstream: String,
    client: Client<HttpConnector, Full<Bytes>>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    calls: Calls,
    /// The items that were written, by their keys: what a write costs depends on what stood there.
    items: HashMap<(String, String), Item>,
}

impl Proxy {
    /// Starts one in front of an endpoint.
    pub async fn start(upstream: &str) -> Result<Self, AnyError> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let client = Client::builder(TokioExecutor::new()).build_http();
        let upstream = upstream.trim_end_matches('/').to_owned();
        let proxy = Self(Arc::new(Inner { address, upstream, client, seen: Mutex::default() }));
        let routes = Router::new().fallback(pass_on).with_state(proxy.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(proxy)
    }

    pub fn address(&self) -> &str {
        &self.0.address
    }

    /// The calls since the last time.
    pub fn take(&self) -> Calls {
        std::mem::take(&mut self.seen().calls)
    }

    /// The present weight of a run's record.
    pub fn item_bytes(&self, pk: &str) -> usize {
        self.seen().items.iter().filter(|((of, _), _)| of == pk).map(|(_, item)| units::bytes(item)).sum()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn forward(&self, request: Request) -> Result<Response, AnyError> {
        let (mut parts, body) = request.into_parts();
        let sent = body.collect().await?.to_bytes();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = format!("{}{path}", self.0.upstream).parse()?;
        parts.headers.remove(header::HOST); // That of the proxy.
        let (service, operation) = name(&parts.headers, parts.uri.path());
        let reply = self.0.client.request(hyper::Request::from_parts(parts, Full::new(sent.clone()))).await?;
        let (mut head, body) = reply.into_parts();
        let got = body.collect().await?.to_bytes();
        self.seen().count(&service, &operation, &sent, head.status, &got);
        // Lengths are said anew.
        head.headers.remove(header::TRANSFER_ENCODING);
        head.headers.remove(header::CONTENT_LENGTH);
        Ok((head.status, head.headers, got).into_response())
    }
}

async fn pass_on(State(proxy): State<Proxy>, request: Request) -> Response {
    proxy.forward(request).await.unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, error.to_string()).into_response())
}

/// Service and operation: of the target that JSON protocols name, else of whom the request is signed for.
fn name(headers: &HeaderMap, path: &str) -> (String, String) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if let Some((service, operation)) = text("x-amz-target").split_once('.') {
        let service = match service {
            "AmazonSQS" => "sqs",
            "AWSStepFunctions" => "states",
            _ if service.starts_with("DynamoDB") => "dynamodb",
            other => other,
        };
        return (service.to_owned(), operation.to_owned());
    }
    let service = text("authorization").split('/').nth(3).unwrap_or("unsigned").to_owned();
    (service, path.to_owned())
}

impl Seen {
    fn count(&mut self, service: &str, operation: &str, sent: &[u8], status: StatusCode, got: &[u8]) {
        self.calls.add(service, operation);
        let parse = |bytes| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
        let (sent, got) = (parse(sent), parse(got));
        let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let (key, after) = match operation {
            "PutItem" => (object(&sent["Item"]), object(&sent["Item"])),
            "UpdateItem" => (object(&sent["Key"]), object(&got["Attributes"])),
            _ => return,
        };
        let part = |name: &str| key.get(name).and_then(|key| key["S"].as_str()).unwrap_or_default().to_owned();
        let key = (part("pk"), part("sk"));
        let before = self.items.get(&key).cloned().unwrap_or_default();
        if status.is_success() {
            self.calls.write_units += units::of_write(&before, &after) as f64;
            self.items.insert(key, after);
        } else {
            // A refused condition is paid for what stands there.
            self.calls.write_units += units::of_write(&before, &before) as f64;
        }
    }
}
