//! Tokens that are completed at the stack's function URL: the stack is deployed with one.

use app::{IMPORT_AIRPORTS, Import, Imported};
use dacapo::State;
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes};
use hyper_util::{client::legacy, rt::TokioExecutor};
use serde_json::{Value, json};

use crate::app::{App, eventually, result};

#[tokio::test]
async fn token_that_is_completed_at_the_function_url_wakes_its_run_and_a_second_completion_is_refused() {
    let app = App::deployed().await;
    let import = Import { needs_approval: true, pause_s: 0, ..Import::default() };
    let id = app.client.run(IMPORT_AIRPORTS, import).await.unwrap().id();
    app.is(id, State::Waiting).await;
    let token = eventually("the run has told its token", || async {
        let logs = app.client.logs(id).await.unwrap();
        let told = logs.iter().find_map(|entry| entry.data.as_ref()?.parse::<String>().ok());
        told.ok_or_else(|| format!("{logs:?}"))
    });
    let token = token.await;
    let wrong = format!("{}{}", &token[..token.len() - 1], if token.ends_with('a') { 'b' } else { 'a' });

    assert_eq!(app.completes(&wrong, "true").await, (404, json!({ "error": "there is no such token" })));
    assert_eq!(app.completes(&token, "true").await, (200, json!({ "run": id.to_string(), "token": "approve" })));

    let record = app.ended(id).await;
    assert_eq!((result::<Imported>(&record).rows, record.iteration), (7_884, 2), "{record:#?}");
    let (status, said) = app.completes(&token, "false").await;
    assert_eq!(status, 409, "{said}");
}

impl App {
    /// Posts a value for a token to the conductor's function URL. LocalStack serves it at its own address, where a request
    /// names the URL's host.
    async fn completes(&self, token: &str, value: &str) -> (u16, Value) {
        let url = self.lambda.url(&format!("{}-conductor", self.localstack.prefix())).await.unwrap();
        let host = url.trim_start_matches("http://").trim_end_matches('/');
        let request = Request::post(format!("{}/token/{token}", self.localstack.endpoint))
            .header("Host", host)
            .header("Content-Type", "application/json")
            .body(Full::<Bytes>::from(value.to_owned()))
            .unwrap();
        let client = legacy::Client::builder(TokioExecutor::new()).build_http();
        let reply = client.request(request).await.unwrap();
        let status = reply.status().as_u16();
        (status, serde_json::from_slice(&reply.into_body().collect().await.unwrap().to_bytes()).unwrap())
    }
}
