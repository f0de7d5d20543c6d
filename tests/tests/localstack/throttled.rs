//! Services that throttle, fail, are slow or don't get their answer through: a proxy sees to it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use dacapo::{Client, State, hours};
use dacapo_tests::{
    localstack,
    proxy::{Call, Proxy, Watch, Way},
};
use futures::future::join_all;
use serde_json::json;
use witness::{Rounds, WITNESS};

use crate::app::App;

/// Of so many calls of a service the first is refused.
const EACH: u32 = 5;
const RUNS: u32 = 10;

/// The time that a slow call takes.
const SLOW: Duration = Duration::from_secs(3);

/// A fault on the way of a call.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The service refuses it, as one too many.
    Throttled,
    /// The service fails, with the status 500.
    Failing,
    /// The answer takes its time.
    Slow,
    /// The answer is lost.
    AnswerCut,
}

/// Services of whose calls a part has faults, one after another.
struct Faulty {
    faults: &'static [Fault],
    /// The calls so far, by service.
    calls: Mutex<BTreeMap<String, u32>>,
}

#[tokio::test]
async fn services_that_refuse_a_fifth_of_all_calls_lose_no_run_no_step_no_hook_and_no_event() {
    lose_nothing(&[Fault::Throttled]).await;
}

#[tokio::test]
async fn services_that_fail_are_slow_or_lose_their_answers_lose_no_run_no_step_no_hook_and_no_event() {
    lose_nothing(&[Fault::Failing, Fault::AnswerCut, Fault::Slow]).await;
}

async fn lose_nothing(faults: &'static [Fault]) {
    let app = App::deployed().await;
    let _witness = app.localstack.lock("witness").unwrap();
    let faulty = Arc::new(Faulty { faults, calls: Mutex::default() });
    let proxy = Proxy::start(&app.localstack.endpoint, faulty.clone()).await.unwrap();
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
            app.has_lost_nothing(id, &format!("{faults:?}")).await;
        }
    })
    .await;
    let calls = faulty.calls().clone();
    let services: Vec<&str> = calls.keys().map(String::as_str).collect();
    assert_eq!(services, ["dynamodb", "scheduler", "sqs", "states"], "{calls:?}");
    assert!(calls.values().all(|calls| *calls > EACH), "{calls:?}");
}

impl Faulty {
    fn calls(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault of a service's next call.
    fn next(&self, service: &str) -> Option<Fault> {
        let mut calls = self.calls();
        let number = calls.entry(service.to_owned()).or_default();
        *number += 1;
        let faults = self.faults.iter().cycle();
        if *number % EACH == 1 { faults.copied().nth((*number / EACH) as usize) } else { None }
    }
}

#[async_trait]
impl Watch for Faulty {
    async fn way(&self, call: &Call) -> Way {
        match self.next(&call.service) {
            None => Way::Through,
            Some(Fault::Throttled) => Way::Refused(too_many(&call.service)),
            Some(Fault::Failing) => Way::Refused((StatusCode::INTERNAL_SERVER_ERROR, "{}").into_response()),
            Some(Fault::AnswerCut) => Way::AnswerCut,
            Some(Fault::Slow) => {
                tokio::time::sleep(SLOW).await;
                Way::Through
            }
        }
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
