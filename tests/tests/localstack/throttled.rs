//! Services that throttle: a proxy answers part of the calls with the service's own refusal in its stead.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use dacapo::{Client, State, hours};
use dacapo_tests::{
    localstack,
    proxy::{Call, Proxy, Watch},
};
use futures::future::join_all;
use serde_json::json;
use witness::{Rounds, WITNESS};

use crate::app::App;

/// Of so many calls of a service the first is refused.
const EACH: u32 = 5;
const RUNS: u32 = 10;

/// The calls so far, by service.
#[derive(Default)]
struct Throttle(Mutex<BTreeMap<String, u32>>);

#[tokio::test]
async fn services_that_refuse_a_fifth_of_all_calls_lose_no_run_no_step_no_hook_and_no_event() {
    let app = App::deployed().await;
    let _witness = app.localstack.lock("witness").unwrap();
    let throttle = Arc::new(Throttle::default());
    let proxy = Proxy::start(&app.localstack.endpoint, throttle.clone()).await.unwrap();
    let config = localstack::config(proxy.address()).await;
    let ports = dacapo_aws::ports(&app.localstack.app, &app.localstack.stage, &config).unwrap();
    let client = Client::new(ports);

    app.detour("witness", &proxy, async {
        let courses = (0..RUNS).map(|n| Rounds { more: n % 3, pause_s: 1, ..Rounds::default() });
        let started = client.batch(WITNESS, courses).await.unwrap();
        let later = join_all((0..RUNS).map(|_| client.run(WITNESS, Rounds::default()).after(hours(1)).into_future()));
        for later in later.await {
            let aborted = client.abort(later.unwrap().id(), "enough").await.unwrap();
            assert_eq!(aborted.state, State::Aborted);
        }
        for started in started {
            let id = started.unwrap().id();
            app.settled(id).await;
            app.has_lost_nothing(id, "throttled").await;
        }
    })
    .await;
    let calls = throttle.calls().clone();
    let services: Vec<&str> = calls.keys().map(String::as_str).collect();
    assert_eq!(services, ["dynamodb", "scheduler", "sqs", "states"], "{calls:?}");
    assert!(calls.values().all(|calls| *calls > EACH), "{calls:?}");
}

impl Throttle {
    fn calls(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Watch for Throttle {
    async fn refusal(&self, call: &Call) -> Option<Response> {
        let number = {
            let mut calls = self.calls();
            let calls = calls.entry(call.service.clone()).or_default();
            *calls += 1;
            *calls
        };
        (number % EACH == 1).then(|| too_many(&call.service))
    }
}

/// The refusal of a call too many, as each service words it.
fn too_many(service: &str) -> Response {
    let (status, error) = match service {
        "dynamodb" => {
            (StatusCode::BAD_REQUEST, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException")
        }
        "sqs" => (StatusCode::FORBIDDEN, "com.amazonaws.sqs#RequestThrottled"),
        "states" => (StatusCode::BAD_REQUEST, "ThrottlingException"),
        _ => (StatusCode::TOO_MANY_REQUESTS, "ThrottlingException"),
    };
    let body = json!({ "__type": error, "message": "Rate exceeded" }).to_string();
    (status, [("content-type", "application/x-amz-json-1.0"), ("x-amzn-errortype", error)], body).into_response()
}
