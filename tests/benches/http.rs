//! A client over HTTP that keeps its connections.

use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use crate::AnyError;

#[derive(Clone)]
pub struct Http(Client<HttpConnector, Full<Bytes>>);

impl Http {
    pub fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }

    /// Posts JSON, or nothing; gives the answer where it is one of success.
    pub async fn post(&self, uri: &str, body: String) -> Result<Bytes, AnyError> {
        let request = Request::post(uri);
        let request = if body.is_empty() { request } else { request.header("Content-Type", "application/json") };
        self.answer(request.body(Full::from(body))?).await
    }

    pub async fn get(&self, uri: &str) -> Result<Bytes, AnyError> {
        self.answer(Request::get(uri).body(Full::default())?).await
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Result<Bytes, AnyError> {
        let reply = self.0.request(request).await?;
        let status = reply.status();
        let said = reply.into_body().collect().await?.to_bytes();
        if status.is_success() { Ok(said) } else { Err(format!("{status}: {}", String::from_utf8_lossy(&said)).into()) }
    }
}
