//! Each effect at its service, and the questions to services.

use std::time::Duration;

use dacapo_core::port::{Clock, ExecutionStatus, PortErrorKind, SystemClock};
use dacapo_domain::{Created, Effect, Json, WaitLoopCall, Write, every, run::ExecutionEnd};
use serde_json::{Value, json};

use crate::{
    sheep::{Sheep, effect},
    wire::{Wire, refusal},
};

fn call() -> WaitLoopCall {
    WaitLoopCall {
        run: "01JD0000000000000000000000".parse().unwrap(),
        function: "import-airports".to_owned(),
        generation: 1,
        round: 0,
        started: "2026-11-21T19:00:00Z".parse().unwrap(),
        iteration: 2,
        attempt: 1,
        tries: 0,
        throttled: None,
    }
}

#[tokio::test]
async fn message_is_sent_with_its_delay_rounded_up_and_its_queue_is_found_once() {
    let wire = Wire::default();
    let ports = wire.ports();
    for _ in 0..2 {
        let (to, message) = ("send-welcome".to_owned(), Json::from_text(r#"{"run/1":1.10}"#).unwrap());
        let send = Effect::Send { to, message, delay: Duration::from_millis(1_001) };
        ports.outbox.post(&send).await.unwrap();
    }
    assert_eq!(wire.operations(), ["GetQueueUrl", "SendMessage", "SendMessage"]);
    let sent = wire.inputs("SendMessage");
    assert_eq!(sent[0]["QueueUrl"], "https://sqs/shop-dev-send-welcome");
    assert_eq!((&sent[0]["MessageBody"], &sent[0]["DelaySeconds"]), (&json!(r#"{"run/1":1.10}"#), &json!(2)));
}

#[tokio::test]
async fn message_of_what_belongs_to_a_trace_bears_the_header_of_xray_and_another_bears_none() {
    const TRACED: &str =
        r#"{"event/1":{"id":"a","traceparent":"00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"}}"#;
    let wire = Wire::default();
    let send = |message: &str| {
        let message = Json::from_text(message).unwrap();
        Effect::Send { to: "send-welcome".to_owned(), message, delay: Duration::ZERO }
    };
    let ports = wire.ports();
    ports.outbox.post(&send(TRACED)).await.unwrap();
    ports.outbox.post(&send(r#"{"event/1":{"id":"a","body":{"traceparent":"mine"}}}"#)).await.unwrap();
    ports.outbox.post_all(&[send(TRACED), send("{}")]).await;
    let header = json!("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
    let borne = |sent: &Value| sent["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"].clone();
    assert_eq!(wire.inputs("SendMessage").iter().map(borne).collect::<Vec<_>>(), [header.clone(), Value::Null]);
    let batch = &wire.inputs("SendMessageBatch")[0]["Entries"];
    assert_eq!([borne(&batch[0]), borne(&batch[1])], [header, Value::Null]);
}

#[tokio::test]
async fn messages_of_many_records_share_requests_by_tens_of_each_queue() {
    let wire = Wire::default();
    let flock = |to: &str, count: usize| {
        let of = |n| {
            let baa = Effect::Send { to: to.to_owned(), message: Json::default(), delay: Duration::ZERO };
            (Write { effects: vec![baa], ..Sheep::new(&format!("{to} {n}")).write() }, None)
        };
        (0..count).map(of).collect::<Vec<_>>()
    };
    let created = wire.ports().records.create_all(&[flock("meadow", 25), flock("barn", 12)].concat()).await;
    assert!(created.iter().all(|created| matches!(created, Ok(Created::New))) && created.len() == 37);
    let sizes = |queue: &str| {
        let requests = wire.inputs("SendMessageBatch");
        let own = requests.iter().filter(|request| request["QueueUrl"] == format!("https://sqs/shop-dev-{queue}"));
        own.map(|request| request["Entries"].as_array().unwrap().len()).collect::<Vec<_>>()
    };
    assert_eq!((sizes("meadow"), sizes("barn")), (vec![10, 10, 5], vec![10, 2]));
    assert_eq!((wire.inputs("PutItem").len(), wire.inputs("SendMessage").len()), (37, 0));
}

#[tokio::test]
async fn message_that_a_queue_leaves_out_of_a_batch_is_sent_again_alone() {
    let wire = Wire::default();
    let ports = wire.ports_with(|operation, _| {
        let left_out = json!({ "Id": "1", "SenderFault": false, "Code": "InternalError" });
        (operation == "SendMessageBatch").then(|| (200, json!({ "Successful": [], "Failed": [left_out] })))
    });
    ports.outbox.post_all(&["one", "two", "three"].map(effect)).await;
    let again = wire.inputs("SendMessage");
    assert_eq!((again.len(), &again[0]["MessageBody"]), (1, &json!("\"two\"")));
}

#[tokio::test]
async fn message_to_a_function_without_queue_is_not_deployed() {
    let ports =
        Wire::default().ports_with(|operation, _| (operation == "GetQueueUrl").then(|| refusal("QueueDoesNotExist")));
    let error = ports.outbox.post(&effect("baa")).await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::NotDeployed);
}

#[tokio::test]
async fn message_that_no_queue_holds_so_long_is_refused() {
    let wire = Wire::default();
    let (to, message) = ("send-welcome".to_owned(), Json::default());
    let send = Effect::Send { to, message, delay: Duration::from_millis(900_001) };
    let error = wire.ports().outbox.post(&send).await.unwrap_err();
    assert_eq!((error.kind(), wire.operations().len()), (PortErrorKind::Refused, 0));
}

#[tokio::test]
async fn dead_letter_goes_to_the_functions_own_queue_or_else_to_the_apps() {
    let dead = Effect::DeadLetter { function: "send-welcome".to_owned(), text: "?".to_owned() };
    let wire = Wire::default();
    wire.ports().outbox.post(&dead).await.unwrap();
    assert_eq!(wire.inputs("SendMessage")[0]["QueueUrl"], "https://sqs/shop-dev-send-welcome-dead");

    let wire = Wire::default();
    let ports = wire.ports_with(|operation, input| {
        let is_own = operation == "GetQueueUrl" && input["QueueName"] == "shop-dev-send-welcome-dead";
        is_own.then(|| refusal("QueueDoesNotExist"))
    });
    ports.outbox.post(&dead).await.unwrap();
    assert_eq!(wire.inputs("SendMessage")[0]["QueueUrl"], "https://sqs/shop-dev-undelivered");
}

#[tokio::test]
async fn timer_replaces_the_one_of_its_name_and_fires_in_a_minute_at_the_soonest() {
    let wire = Wire::default();
    let ports = wire.ports_with(|operation, _| {
        operation.starts_with("POST /schedules/").then(|| conflict("ConflictException", 409))
    });
    let (timer, to, message) = ("run-7".to_owned(), "send-welcome".to_owned(), Json::from_text("7").unwrap());
    let before = SystemClock.now();
    ports.outbox.post(&Effect::SendAt { timer, to, message, at: before }).await.unwrap();
    let [put] = &wire.inputs("PUT /schedules/run-7")[..] else { panic!("{:?}", wire.operations()) };
    assert_eq!(put["GroupName"], "shop-dev");
    assert_eq!(put["ActionAfterCompletion"], "DELETE");
    assert_eq!(put["Target"]["Arn"], "arn:aws:sqs:eu-west-1:123456789012:shop-dev-send-welcome");
    assert_eq!(put["Target"]["RoleArn"], "arn:aws:iam::123456789012:role/shop-dev-scheduler");
    assert_eq!(put["Target"]["Input"], "7");
    let at = put["ScheduleExpression"].as_str().unwrap();
    assert!(at > &*dacapo_domain::aws_at(before + Duration::from_secs(59)), "{at}");
}

#[tokio::test]
async fn recurring_schedule_has_a_name_that_ends_in_a_hash() {
    let wire = Wire::default();
    let ports = wire.ports();
    let (name, function) = ("tenant 7".to_owned(), "send-welcome".to_owned());
    let put = Effect::PutSchedule { name: name.clone(), function, schedule: every("5 minutes") };
    ports.outbox.post(&put).await.unwrap();
    ports.outbox.post(&Effect::DeleteSchedule { name }).await.unwrap();
    let called: Vec<String> = wire.operations().into_iter().filter(|called| called.contains('/')).collect();
    let [put, delete] = &called[..] else { panic!("{called:?}") };
    let name = put.strip_prefix("POST /schedules/").unwrap();
    assert!(name.starts_with("tenant-7-") && name.len() == "tenant-7-".len() + 16, "{name}");
    assert_eq!(delete.strip_prefix("DELETE /schedules/"), Some(name));
    assert_eq!(wire.inputs(put)[0]["ScheduleExpression"], "rate(5 minutes)");
}

#[tokio::test]
async fn timer_that_is_not_there_is_cancelled() {
    let wire = Wire::default();
    let ports = wire.ports_with(|_, _| Some(conflict("ResourceNotFoundException", 404)));
    ports.outbox.post(&Effect::CancelTimer { timer: "run-7".to_owned() }).await.unwrap();
    assert_eq!(wire.operations(), ["DELETE /schedules/run-7"]);
}

#[tokio::test]
async fn wait_loop_that_exists_is_started_and_one_that_never_was_is_stopped() {
    let wire = Wire::default();
    let ports = wire.ports_with(|operation, _| match operation {
        "StartExecution" => Some(refusal("ExecutionAlreadyExists")),
        "StopExecution" | "DescribeExecution" => Some(refusal("ExecutionDoesNotExist")),
        _ => None,
    });
    let (execution, until) = ("run-1".to_owned(), "2026-11-21T19:00:00.5Z".parse().unwrap());
    ports.outbox.post(&Effect::StartWaitLoop { execution: execution.clone(), call: call(), until }).await.unwrap();
    let [start] = &wire.inputs("StartExecution")[..] else { panic!() };
    assert_eq!(start["stateMachineArn"], "arn:aws:states:eu-west-1:123456789012:stateMachine:shop-dev-loop");
    let input: Value = serde_json::from_str(start["input"].as_str().unwrap()).unwrap();
    assert_eq!(input["until"], "2026-11-21T19:00:01Z");

    let cause = "c".repeat(2_000);
    ports.outbox.post(&Effect::StopWaitLoop { execution, cause }).await.unwrap();
    let [stop] = &wire.inputs("StopExecution")[..] else { panic!() };
    assert_eq!((&stop["error"], stop["cause"].as_str().unwrap().len()), (&json!("Dacapo.Stopped"), 1_000));
    assert_eq!(ports.probe.execution_status("run-1").await.unwrap(), ExecutionStatus::Ended(None));
}

#[tokio::test]
async fn probe_tells_a_running_execution_and_a_backlog() {
    let wire = Wire::default();
    let ports = wire.ports_with(|operation, _| match operation {
        "DescribeExecution" => Some((
            200,
            json!({
                "executionArn": "arn", "stateMachineArn": "arn", "status": "RUNNING", "startDate": 1_795_287_600,
            }),
        )),
        "GetQueueAttributes" => Some((200, json!({ "Attributes": { "ApproximateNumberOfMessages": "3" } }))),
        _ => None,
    });
    assert_eq!(ports.probe.execution_status("run-1").await.unwrap(), ExecutionStatus::Running);
    assert!(ports.probe.has_backlog("send-welcome").await.unwrap());
}

#[tokio::test]
async fn probe_tells_how_an_execution_ended() {
    for (status, error, how) in [
        ("ABORTED", None, Some(ExecutionEnd::Stopped)),
        ("FAILED", Some("States.Runtime"), Some(ExecutionEnd::Exhausted)),
        ("SUCCEEDED", None, None),
    ] {
        let wire = Wire::default();
        let ports = wire.ports_with(move |operation, _| match operation {
            "DescribeExecution" => Some((
                200,
                json!({
                    "executionArn": "arn", "stateMachineArn": "arn", "status": status, "startDate": 1_795_287_600,
                    "error": error,
                }),
            )),
            _ => None,
        });
        assert_eq!(ports.probe.execution_status("run-1").await.unwrap(), ExecutionStatus::Ended(how), "{status}");
    }
}

/// A refusal of Scheduler, which speaks of HTTP.
fn conflict(code: &str, status: u16) -> (u16, Value) {
    (status, json!({ "__type": code, "Message": "no" }))
}
