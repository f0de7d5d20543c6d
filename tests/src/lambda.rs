//! Lambda's API, and what is needed of EventBridge's, for endpoints that ask for no signature: the SDK's clients would take
//! longer to build than all of these tests.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use aws_config::SdkConfig;
use data_encoding::BASE64;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Response, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

/// The longest time that a change of a function may take.
const CHANGED_WITHIN: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);

type AnyError = Box<dyn Error + Send + Sync>;

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
    pub async fn invoke(&self, function: &str, payload: &str, invocation: Invocation) -> Result<Answer, AnyError> {
        let path = format!("2015-03-31/functions/{function}/invocations");
        let request = self.request(Method::POST, &path).header("X-Amz-Invocation-Type", format!("{invocation:?}"));
        let response = self.send(request.body(Full::from(payload.to_owned()))?).await?;
        let function_error = response.headers().get("X-Amz-Function-Error");
        let function_error = function_error.and_then(|error| error.to_str().ok()).map(ToOwned::to_owned);
        Ok(Answer { function_error, payload: response.into_body() })
    }

    /// Sets a variable of a function's environment, and waits until its next process has it.
    ///
    /// # Errors
    /// If there is no such function, or the endpoint doesn't answer.
    pub async fn set_variable(&self, function: &str, name: &str, value: &str) -> Result<(), AnyError> {
        let path = format!("2015-03-31/functions/{function}/configuration");
        let mut variables = self.ask(Method::GET, &path, None).await?["Environment"]["Variables"].take();
        variables[name] = value.into();
        self.ask(Method::PUT, &path, Some(json!({ "Environment": { "Variables": variables } }))).await?;
        self.is_changed(function).await
    }

    /// Gives a function other code, in a zip, and waits until its next process has it.
    ///
    /// # Errors
    /// If there is no such function, or the endpoint doesn't answer.
    pub async fn set_code(&self, function: &str, zip: &[u8]) -> Result<(), AnyError> {
        let path = format!("2015-03-31/functions/{function}/code");
        self.ask(Method::PUT, &path, Some(json!({ "ZipFile": BASE64.encode(zip) }))).await?;
        self.is_changed(function).await
    }

    /// The function URL of a function.
    ///
    /// # Errors
    /// If it has none, or the endpoint doesn't answer.
    pub async fn url(&self, function: &str) -> Result<String, AnyError> {
        let url = self.ask(Method::GET, &format!("2021-10-31/functions/{function}/url"), None).await?;
        Ok(url["FunctionUrl"].as_str().ok_or("no function URL")?.to_owned())
    }

    /// Puts an event onto EventBridge's default bus.
    ///
    /// # Errors
    /// If it is refused, or the endpoint doesn't answer.
    pub async fn put_event(&self, source: &str, detail_type: &str, detail: &str) -> Result<(), AnyError> {
        let entry = json!({ "Source": source, "DetailType": detail_type, "Detail": detail });
        let request = self.request_of("events", Method::POST, "").header("X-Amz-Target", "AWSEvents.PutEvents");
        let request = request.header("Content-Type", "application/x-amz-json-1.1");
        let body = json!({ "Entries": [entry] }).to_string();
        let answer: Value = serde_json::from_str(self.send(request.body(Full::from(body))?).await?.body())?;
        if answer["FailedEntryCount"] != 0 { Err(answer.to_string().into()) } else { Ok(()) }
    }

    async fn is_changed(&self, function: &str) -> Result<(), AnyError> {
        let path = format!("2015-03-31/functions/{function}/configuration");
        let deadline = Instant::now() + CHANGED_WITHIN;
        while self.ask(Method::GET, &path, None).await?["LastUpdateStatus"] != "Successful" {
            if Instant::now() > deadline {
                return Err(format!("{function} is not updated after {CHANGED_WITHIN:?}").into());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, AnyError> {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let response = self.send(self.request(method, path).body(Full::from(body))?).await?;
        Ok(serde_json::from_str(response.body())?)
    }

    fn request(&self, method: Method, path: &str) -> hyper::http::request::Builder {
        self.request_of("lambda", method, path).header("Content-Type", "application/json")
    }

    fn request_of(&self, service: &str, method: Method, path: &str) -> hyper::http::request::Builder {
        let signed_for = format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/{}/{service}/aws4_request, SignedHeaders=host, Signature=none",
            self.region
        );
        let request = Request::builder().method(method).uri(format!("{}/{path}", self.endpoint));
        request.header("Authorization", signed_for)
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<String>, AnyError> {
        let what = format!("{} {}", request.method(), request.uri());
        let (head, body) = self.client.request(request).await?.into_parts();
        let text = String::from_utf8(body.collect().await?.to_bytes().to_vec())?;
        if !head.status.is_success() {
            return Err(format!("{what}: {}: {text}", head.status).into());
        }
        Ok(Response::from_parts(head, text))
    }
}
