//! A proxy between functions and AWS: it passes requests on and tells of them.

use std::{io, net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::net::TcpListener;

/// A request to a service of AWS.
#[derive(Clone, Debug)]
pub struct Call {
    /// The caller's end of the connection.
    pub from: SocketAddr,
    /// The service, as `dynamodb`.
    pub service: String,
    /// The operation, as `PutItem`.
    pub operation: String,
    /// The request's body.
    pub sent: Bytes,
}

/// The way of a call.
#[derive(Debug)]
pub enum Way {
    /// To the service, and its answer back.
    Through,
    /// Not to the service: this is answered in its stead.
    Refused(Response),
    /// To the service, but its answer is cut off: the caller doesn't learn that the call was made.
    AnswerCut,
}

/// A listener to the calls that come to a proxy.
#[async_trait]
pub trait Watch: Send + Sync + 'static {
    /// The way that a call takes, once this has ended.
    async fn way(&self, _: &Call) -> Way {
        Way::Through
    }

    /// Hears that a call was answered by the service. The caller gets the answer once this has ended.
    async fn answered(&self, _: &Call, _: StatusCode, _: &Bytes) {}
}

/// A proxy on this machine, for as long as the runtime lives.
pub struct Proxy {
    address: String,
}

struct Inner {
    upstream: String,
    client: Client<HttpConnector, Full<Bytes>>,
    watch: Arc<dyn Watch>,
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

impl Proxy {
    /// Starts one in front of an endpoint.
    ///
    /// # Errors
    /// If no port can be listened on.
    pub async fn start(upstream: &str, watch: Arc<dyn Watch>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let client = Client::builder(TokioExecutor::new()).build_http();
        let inner = Inner { upstream: upstream.trim_end_matches('/').to_owned(), client, watch };
        let routes = Router::new().fallback(pass_on).with_state(Arc::new(inner));
        let service = routes.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Ok(Self { address })
    }

    /// The address, as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

async fn pass_on(
    State(proxy): State<Arc<Inner>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let forwarded = proxy.forward(from, request).await;
    forwarded.unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, error.to_string()).into_response())
}

impl Inner {
    async fn forward(&self, from: SocketAddr, request: Request) -> Result<Response, AnyError> {
        let (mut parts, body) = request.into_parts();
        let sent = body.collect().await?.to_bytes();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = format!("{}{path}", self.upstream).parse()?;
        parts.headers.remove(header::HOST); // That of the proxy.
        let (service, operation) = name(&parts.headers, parts.uri.path());
        let call = Call { from, service, operation, sent: sent.clone() };
        let way = self.watch.way(&call).await;
        if let Way::Refused(answer) = way {
            return Ok(answer);
        }
        let reply = self.client.request(hyper::Request::from_parts(parts, Full::new(sent))).await?;
        let (mut head, body) = reply.into_parts();
        let got = body.collect().await?.to_bytes();
        self.watch.answered(&call, head.status, &got).await;
        // Lengths are said anew.
        head.headers.remove(header::TRANSFER_ENCODING);
        head.headers.remove(header::CONTENT_LENGTH);
        if matches!(way, Way::AnswerCut) {
            let cut = futures::stream::iter([Ok(got.slice(..got.len() / 2)), Err(io::Error::other("cut off"))]);
            return Ok((head.status, head.headers, Body::from_stream(cut)).into_response());
        }
        Ok((head.status, head.headers, got).into_response())
    }
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
