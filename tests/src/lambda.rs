//! Lambda's `Invoke`, for endpoints that ask for no signature: the SDK's client would take longer to build than all
//! of these tests.

use std::error::Error;

use aws_config::SdkConfig;
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

/// A client of Lambda at an endpoint.
pub struct Lambda {
    client: Client<HttpConnector, Full<Bytes>>,
    endpoint: String,
    region: String,
}

/// The way in which a function is invoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invocation {
    /// The answer is waited for.
    RequestResponse,
    /// It runs by itself.
    Event,
}

/// The answer of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The kind of error that the service saw, where it saw one.
    pub function_error: Option<String>,
    /// The text that the function said.
    pub payload: String,
}

impl Lambda {
    /// A client for an endpoint's Lambda.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let endpoint = config.endpoint_url().unwrap_or_default().trim_end_matches('/').to_owned();
        Self { client, endpoint, region: config.region().map(ToString::to_string).unwrap_or_default() }
    }

    /// Invokes a function.
    ///
    /// # Errors
    /// If there is no such function, or the endpoint doesn't answer.
    pub async fn invoke(
        &self,
        function: &str,
        payload: &str,
        invocation: Invocation,
    ) -> Result<Answer, Box<dyn Error + Send + Sync>> {
        let uri = format!("{}/2015-03-31/functions/{function}/invocations", self.endpoint);
        let signed_for = format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/{}/lambda/aws4_request, SignedHeaders=host, Signature=none",
            self.region
        );
        let request = Request::post(uri)
            .header("Authorization", signed_for)
            .header("X-Amz-Invocation-Type", format!("{invocation:?}"))
            .header("Content-Type", "application/json")
            .body(Full::from(payload.to_owned()))?;
        let response = self.client.request(request).await?;
        let status = response.status();
        let function_error = response.headers().get("X-Amz-Function-Error");
        let function_error = function_error.and_then(|error| error.to_str().ok()).map(ToOwned::to_owned);
        let payload = String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec())?;
        if !status.is_success() {
            return Err(format!("invoking {function}: {status}: {payload}").into());
        }
        Ok(Answer { function_error, payload })
    }
}
