//! What is called of DynamoDB, and what its answers mean: over a wire that this test holds the other end of.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region},
};
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use dacapo::port::{Created, Payloads, PortErrorKind, Saved, Store, SystemClock};
use dacapo_aws::{DynamoStore, Stack};
use dacapo_domain::{Event, Json, Moment, NewRun, Outcome, Policy, Run, Trigger, Version, decide};
use serde_json::{Value, json};

/// The other end of the wire: it writes down what is called, and answers by a rule.
#[derive(Clone, Default)]
struct Wire {
    calls: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Wire {
    /// A store whose calls are answered by the rule: the operation and its input give a status and an answer.
    fn store(&self, rule: impl Fn(&str, &Value) -> (u16, Value) + Send + Sync + 'static) -> DynamoStore {
        let wire = self.clone();
        let http = infallible_client_fn(move |request| {
            let operation = request.headers()["x-amz-target"].to_str().unwrap().split('.').nth(1).unwrap().to_owned();
            let input: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            let (status, answer) = rule(&operation, &input);
            wire.calls.lock().unwrap().push((operation, input));
            http::Response::builder().status(status).body(SdkBody::from(answer.to_string())).unwrap()
        });
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
            .retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
            .http_client(http)
            .build();
        let stack = Stack::new("shop", "dev", "eu-west-1", None, None);
        DynamoStore::new(Client::from_conf(config), Arc::new(stack), Arc::new(SystemClock))
    }

    fn operations(&self) -> Vec<String> {
        self.calls.lock().unwrap().iter().map(|(operation, _)| operation.clone()).collect()
    }

    fn input(&self, number: usize) -> Value {
        self.calls.lock().unwrap()[number].1.clone()
    }
}

fn moment(random: u64) -> Moment {
    Moment { now: "2026-11-21T19:00:00Z".parse().unwrap(), random }
}

fn run() -> Run {
    let new = NewRun {
        id: dacapo_domain::Id::new(moment(0).now, 7),
        name: "send-welcome".to_owned(),
        due_at: moment(0).now,
        trigger: Trigger::Run,
        parent_id: None,
        hops: 0,
        tags: vec![],
        key: None,
        schedule: None,
        ttl: None,
        execution: None,
    };
    Run::create(new, &moment(1)).run
}

fn started(run: &Run) -> Run {
    decide(run, Event::Delivered(run.purpose()), Some(&Policy::default()), &moment(2)).run
}

/// The run's item, as the service would give it.
fn item(run: &Run) -> Value {
    let mut item = json!({ "pk": { "S": format!("run/{}", run.id) }, "sk": { "S": "run" } });
    let Value::Object(fields) = serde_json::to_value(run).unwrap() else { unreachable!() };
    for (name, value) in fields {
        item[name] = attribute(value);
    }
    item
}

fn attribute(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: serde_json::Map<_, _> =
                fields.into_iter().map(|(name, value)| (name, attribute(value))).collect();
            json!({ "M": fields })
        }
        Value::Number(number) => json!({ "N": number.to_string() }),
        Value::String(text) => json!({ "S": text }),
        other => panic!("{other}"),
    }
}

fn condition_failed(found: Option<Value>) -> (u16, Value) {
    let kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    let mut answer = json!({ "__type": kind, "message": "The conditional request failed" });
    if let Some(found) = found {
        answer["Item"] = found;
    }
    (400, answer)
}

#[tokio::test]
async fn a_run_of_one_iteration_is_three_writes_and_no_read() {
    let run = run();
    let begun = started(&run);
    let token = begun.lease.unwrap().token;
    let outcome = Outcome::Done { result: Ok(Json::from_text("[1]").unwrap()), message: None };
    let event = Event::Ended { token, outcome, spent: std::time::Duration::from_millis(20) };
    let ended = decide(&begun, event, Some(&Policy::default()), &moment(3));

    let wire = Wire::default();
    let answer = item(&run);
    let store = wire.store(move |operation, _| match operation {
        "PutItem" => (200, json!({})),
        _ => (200, json!({ "Attributes": answer })),
    });
    let body = Json::from_text(r#"{"email":"ada@example.com"}"#).unwrap();
    assert_eq!(store.create(&run, &body, None).await.unwrap(), Created::New);
    store.save(&run, &begun, &Payloads::default()).await.unwrap();
    store.save(&begun, &ended.run, &Payloads { input: None, result: ended.result }).await.unwrap();

    assert_eq!(wire.operations(), ["PutItem", "UpdateItem", "UpdateItem"]);
    assert_eq!(wire.input(0)["Item"]["body"]["S"], r#"{"email":"ada@example.com"}"#);
    let start = wire.input(1)["UpdateExpression"].as_str().unwrap().to_owned();
    assert!(!["watch", "list", "failed"].iter().any(|index| start.contains(index)), "{start}");
    let end = wire.input(2)["UpdateExpression"].as_str().unwrap().to_owned();
    assert!(end.contains("#result = :result") && end.ends_with("#watch, #watchAt, #watchMs"), "{end}");
}

#[tokio::test]
async fn a_payload_that_does_not_fit_is_stored_before_its_record() {
    let wire = Wire::default();
    let store = wire.store(|_, _| (200, json!({})));
    let body = Json::from_text(format!("\"{}\"", "x".repeat(2_000))).unwrap();
    store.create(&run(), &body, None).await.unwrap();

    assert_eq!(wire.operations(), ["PutItem", "PutItem"]);
    assert_eq!(wire.input(0)["Item"]["json"]["S"], body.text());
    assert_eq!(wire.input(1)["Item"]["bodyAt"], wire.input(0)["Item"]["sk"]);
}

#[tokio::test]
async fn a_lost_reply_is_not_a_lost_race() {
    let (run, begun) = (run(), started(&run()));
    let found = item(&begun);
    let store = Wire::default().store(move |_, _| condition_failed(Some(found.clone())));
    let Saved::Done(stored) = store.save(&run, &begun, &Payloads::default()).await.unwrap() else { panic!() };
    assert_eq!(stored.run, begun);
}

#[tokio::test]
async fn a_lost_race_gives_the_record_that_won() {
    let (run, begun) = (run(), started(&run()));
    let won = Run { version: Version(99), ..begun.clone() };
    let found = item(&won);
    let store = Wire::default().store(move |_, _| condition_failed(Some(found.clone())));
    let Saved::Lost(Some(stored)) = store.save(&run, &begun, &Payloads::default()).await.unwrap() else { panic!() };
    assert_eq!(stored.run, won);
}

#[tokio::test]
async fn a_record_that_has_gone_or_expired_is_given_to_nobody() {
    let (run, begun) = (run(), started(&run()));
    let expired = item(&Run { version: Version(99), ttl: Some(1), ..begun.clone() });
    for found in [None, Some(expired)] {
        let store = Wire::default().store(move |_, _| condition_failed(found.clone()));
        assert_eq!(store.save(&run, &begun, &Payloads::default()).await.unwrap(), Saved::Lost(None));
    }
}

#[tokio::test]
async fn a_created_run_is_new_although_its_reply_was_lost() {
    let run = run();
    let found = item(&run);
    let store = Wire::default().store(move |_, _| condition_failed(Some(found.clone())));
    let body = Json::default();
    assert_eq!(store.create(&run, &body, None).await.unwrap(), Created::New);

    let late = Run { version: Version(99), ..run.clone() };
    assert_eq!(store.create(&late, &body, None).await.unwrap(), Created::Exists(run));
}

#[tokio::test]
async fn a_table_that_is_not_there_names_the_stack() {
    let kind = "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException";
    let store = Wire::default().store(move |_, _| (400, json!({ "__type": kind, "message": "no such table" })));
    let error = store.manifest().await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::NotDeployed);
    assert!(error.to_string().contains("no stack shop-dev in eu-west-1 (run `make deploy APP=shop STAGE=dev`)"));
}
