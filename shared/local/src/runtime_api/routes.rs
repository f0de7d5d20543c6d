//! The routes of the Runtime API, as `lambda_runtime` calls them.

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderName, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};

use super::{Ended, Slots, slots::PendingInvocation};
use crate::{
    http::{Bodies, guard, whole},
    rpc::LIVENESS_PATH,
    turn::{self, Answer, Invocation, TURN_PATH},
};

/// Lambda's limit on an answer is 6 MB; an error's text is far shorter.
const LONGEST_ANSWER_BYTES: usize = 6 * 1024 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("lambda-runtime-aws-request-id");
const DEADLINE_MS: HeaderName = HeaderName::from_static("lambda-runtime-deadline-ms");
const FUNCTION_ARN: HeaderName = HeaderName::from_static("lambda-runtime-invoked-function-arn");
const TRACE_ID: HeaderName = HeaderName::from_static("lambda-runtime-trace-id");

/// Serves the Runtime API to the processes that have a slot.
pub fn router(slots: Slots) -> Router {
    let process = slots.path("{function}", "{process}");
    let base = format!("{process}/2018-06-01/runtime");
    let bodies = Bodies {
        longest: LONGEST_ANSWER_BYTES,
        refuse: |status, why| (status, axum::Json(error_body("RequestEntityTooLarge", &why))).into_response(),
    };
    Router::new()
        .route(&format!("{base}/invocation/next"), get(next))
        .route(&format!("{base}/invocation/{{id}}/response"), post(response))
        .route(&format!("{base}/invocation/{{id}}/error"), post(error))
        .route(&format!("{base}/init/error"), post(init_error))
        .route(&format!("{process}{TURN_PATH}"), post(take_turn))
        .route(&format!("{process}{LIVENESS_PATH}"), get(std::future::pending::<()>))
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(bodies, whole))
        .layer(middleware::from_fn(guard))
        .with_state(slots)
}

async fn next(State(slots): State<Slots>, Path((function, process)): Path<(String, u64)>) -> Response {
    let Some(slot) = slots.find(&function, process) else { return unknown() };
    let handed = slot.next().await;
    let event = match handed.payload.event() {
        Ok(event) => event,
        Err(error) => return refused("InvalidEvent", &error.to_string()),
    };
    let headers = [
        (REQUEST_ID, handed.request_id.clone()),
        (DEADLINE_MS, handed.deadline.as_millisecond().to_string()),
        (FUNCTION_ARN, format!("arn:aws:lambda:local:000000000000:function:{function}")),
        (TRACE_ID, format!("Root=1-00000000-{}", &handed.request_id.replace('-', "")[..24])),
        (header::CONTENT_TYPE, "application/json".to_owned()),
    ];
    (headers, event).into_response()
}

/// Takes a process's answer and gives it the next invocation, unless it leaves.
async fn take_turn(
    State(slots): State<Slots>,
    Path((function, process)): Path<(String, u64)>,
    body: Bytes,
) -> Response {
    let Some(slot) = slots.find(&function, process) else { return unknown() };
    let answered: Option<Answer> = match serde_json::from_slice(&body) {
        Ok(answered) => answered,
        Err(error) => {
            return refused("InvalidAnswer", &format!("{error} (build the function and the engine from one version)"));
        }
    };
    if let Some(Answer { id, ended, leaves }) = answered {
        let ended = match ended {
            turn::Ended::Answered(answer) => Ended::Answered(answer.text().to_owned().into()),
            turn::Ended::Attempt(attempt) => Ended::Attempt(attempt),
            turn::Ended::Failed(why) => Ended::Failed(why.into()),
        };
        if !slot.end(&id, ended) {
            return no_invocation();
        }
        if leaves {
            return accepted();
        }
    }
    loop {
        let PendingInvocation { request_id: id, deadline, payload } = slot.next().await;
        match payload.work(deadline).await {
            Ok(Some(work)) => return axum::Json(Invocation { id, deadline, work }).into_response(),
            Ok(None) => slot.end(&id, Ended::Answered(Bytes::new())),
            Err(error) => slot.end(&id, Ended::Failed(error.to_string().into())),
        };
    }
}

type OfInvocation = (String, u64, String);

async fn response(State(slots): State<Slots>, Path(path): Path<OfInvocation>, body: Bytes) -> Response {
    end(&slots, path, Ended::Answered(body))
}

async fn error(State(slots): State<Slots>, Path(path): Path<OfInvocation>, body: Bytes) -> Response {
    end(&slots, path, Ended::Failed(body))
}

fn end(slots: &Slots, (function, process, id): OfInvocation, ended: Ended) -> Response {
    let Some(slot) = slots.find(&function, process) else { return unknown() };
    if slot.end(&id, ended) { accepted() } else { no_invocation() }
}

/// The process says why it can't start, then ends: its end is what counts, and its error output says more.
async fn init_error(State(slots): State<Slots>, Path((function, process)): Path<(String, u64)>) -> Response {
    if slots.find(&function, process).is_some() { accepted() } else { unknown() }
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, axum::Json(serde_json::json!({ "status": "OK" }))).into_response()
}

/// The engine didn't start this process, or has given it up.
fn unknown() -> Response {
    (StatusCode::GONE, axum::Json(error_body("UnknownProcess", "the engine doesn't know this process"))).into_response()
}

fn refused(kind: &str, text: &str) -> Response {
    (StatusCode::BAD_REQUEST, axum::Json(error_body(kind, text))).into_response()
}

fn no_invocation() -> Response {
    refused("InvalidRequestID", "no invocation of this id runs")
}

fn error_body(kind: &str, text: &str) -> serde_json::Value {
    serde_json::json!({ "errorType": kind, "errorMessage": text })
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use axum::{body::Body, http::Request};
    use dacapo_core::{
        commit::{create, load},
        port::SystemClock,
    };
    use dacapo_domain::{Json, Message, NewRun, Policy, Purpose, RunMessage, RunRecord, Trigger, run::PhaseName, slot};
    use jiff::Timestamp;
    use tower::ServiceExt;

    use super::*;
    use crate::{
        runtime_api::{Payload, TaskMessage, slots::Calling},
        sqlite::Database,
        turn::Work,
    };

    #[tokio::test]
    async fn address_of_a_process_without_the_secret_of_this_start_leads_nowhere() {
        let slots = Slots::new().unwrap();
        let (process, _slot) = slots.take("greet");
        let status = async |path: String| {
            let request = Request::post(path).header("host", "127.0.0.1").body(Body::from("{}")).unwrap();
            router(slots.clone()).oneshot(request).await.unwrap().status()
        };
        let (known, other) = (slots.path("greet", process), Slots::new().unwrap().path("greet", process));
        assert_eq!(status(format!("{known}/2018-06-01/runtime/init/error")).await, StatusCode::ACCEPTED);
        for guessed in [other, format!("/rt/greet/{process}"), format!("/rt//greet/{process}")] {
            assert_eq!(status(format!("{guessed}/2018-06-01/runtime/init/error")).await, StatusCode::NOT_FOUND);
            assert_eq!(status(format!("{guessed}/liveness")).await, StatusCode::NOT_FOUND);
        }
        assert_eq!(status("/liveness".to_owned()).await, StatusCode::NOT_FOUND);
    }

    /// A run in a database, its message in a slot, and what the process of the slot gets by this request.
    async fn asked(method: &str, path: &str, body: &str, is_meant: bool) -> (RunRecord, Response, Calling) {
        let ports = Database::memory(Arc::new(SystemClock)).unwrap().ports();
        let new = NewRun::at(ports.clock.new_id(), "greet", ports.clock.now(), Trigger::Run);
        let mut run = RunRecord::create(new, &ports.clock.decision_context()).with(slot::BODY, Json::default());
        run.effects.clear();
        create(&ports, &run, Timestamp::MAX).await.unwrap();
        let purpose = Purpose { attempt: if is_meant { 1 } else { 2 }, ..run.record.purpose() };
        let message = RunMessage { purpose, ..RunMessage::about(&run.record) };
        let slots = Slots::new().unwrap();
        let (process, slot) = slots.take("greet");
        let message = Payload::Message(Arc::new(TaskMessage {
            queue: "greet".to_owned(),
            receipt: "1-1".to_owned(),
            text: Message::Run(message).to_text(),
            receives: 1,
            policy: Policy::default(),
            ports: ports.clone(),
            gate: Arc::new(dacapo_core::queues::Gate::open()),
        }));
        let first = slot.call(message, Duration::from_secs(9));
        let _then = slot.call(Payload::Event(Bytes::from_static(b"[7]")), Duration::from_secs(9));
        let request = Request::builder().method(method).uri(format!("{}{path}", slots.path("greet", process)));
        let request = request.header("host", "127.0.0.1").body(Body::from(body.to_owned())).unwrap();
        let response = router(slots).oneshot(request).await.unwrap();
        let stored = load::<RunRecord>(&ports, &RunRecord::key_of(run.record.id)).await.unwrap().unwrap();
        (stored.record, response, first)
    }

    async fn text(response: Response) -> Vec<u8> {
        axum::body::to_bytes(response.into_body(), 100_000).await.unwrap().to_vec()
    }

    #[tokio::test]
    async fn process_that_takes_turns_gets_its_run_with_the_attempt_taken() {
        let (stored, response, _) = asked("POST", TURN_PATH, "null", true).await;
        let invocation: Invocation = serde_json::from_slice(&text(response).await).unwrap();
        let Work::Run(taken) = invocation.work else { panic!("{invocation:?}") };
        assert_eq!((taken.run.phase.name(), taken.work), (PhaseName::Running, dacapo_domain::Work::CallHandler));
        assert_eq!(taken.run, stored);
        assert_eq!(taken.payloads.get(slot::BODY), dacapo_domain::Payload::Here(&Json::default()));
    }

    #[tokio::test]
    async fn process_that_asks_by_the_runtime_api_gets_its_run_as_a_message() {
        let (stored, response, _) = asked("GET", "/2018-06-01/runtime/invocation/next", "", true).await;
        let event: serde_json::Value = serde_json::from_slice(&text(response).await).unwrap();
        let message = Message::from_text(event["Records"][0]["body"].as_str().unwrap()).unwrap();
        assert!(matches!(message, Message::Run(message) if message.run == stored.id));
        assert_eq!(stored.phase.name(), PhaseName::Queued);
    }

    #[tokio::test]
    async fn message_that_is_for_nothing_is_done_without_a_process() {
        let (_, response, first) = asked("POST", TURN_PATH, "null", false).await;
        assert_eq!(first.ended.await, Ok(Ended::Answered(Bytes::new())));
        let invocation: Invocation = serde_json::from_slice(&text(response).await).unwrap();
        assert_eq!(invocation.work, Work::Event(Json::from_text("[7]").unwrap()), "it gets what comes next");
    }

    #[tokio::test]
    async fn answer_in_a_turn_that_makes_no_sense_is_refused() {
        for (body, why) in [
            ("7", "build the function and the engine from one version"),
            (r#"{"id":"x","ended":{"answered":1},"leaves":false}"#, "no invocation of this id runs"),
        ] {
            let (_, response, _) = asked("POST", TURN_PATH, body, true).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST);
            let text = String::from_utf8(text(response).await).unwrap();
            assert!(text.contains(why), "{text}");
        }
    }

    #[tokio::test]
    async fn answer_of_a_function_that_is_too_long_is_refused_with_the_limit() {
        let slots = Slots::new().unwrap();
        let (process, _slot) = slots.take("greet");
        let path = format!("{}/2018-06-01/runtime/invocation/x/response", slots.path("greet", process));
        let body = Body::from(vec![b' '; LONGEST_ANSWER_BYTES + 1]);
        let request = Request::post(path).header("host", "127.0.0.1").body(body).unwrap();
        let response = router(slots).oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let text = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
        assert!(String::from_utf8_lossy(&text).contains("allowed: 6291456 bytes"), "{text:?}");
    }
}
