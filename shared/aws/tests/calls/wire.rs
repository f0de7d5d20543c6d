//! The other end of the wire.

use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use dacapo_core::port::Ports;
use serde_json::{Value, json};

use crate::table::Table;

/// An answer: its status and its body.
pub type Answer = (u16, Value);

/// The other end of the wire: it writes down what is called, and answers by a rule or as a table does.
#[derive(Clone, Default)]
pub struct Wire {
    calls: Arc<Mutex<Vec<(String, Value)>>>,
    pub table: Arc<Mutex<Table>>,
    date: Option<&'static str>,
}

impl Wire {
    /// A wire whose answers bear this date.
    pub fn dated(date: &'static str) -> Self {
        Self { date: Some(date), ..Self::default() }
    }

    /// Ports whose calls the table answers; SQS takes every message.
    pub fn ports(&self) -> Ports {
        self.ports_with(|_, _| None)
    }

    /// Ports whose calls are answered by the rule, which gets the operation and its input; where it says nothing, the
    /// table answers.
    pub fn ports_with(&self, rule: impl Fn(&str, &Value) -> Option<Answer> + Send + Sync + 'static) -> Ports {
        let wire = self.clone();
        let http = infallible_client_fn(move |request| {
            let operation = match request.headers().get("x-amz-target") {
                Some(target) => target.to_str().unwrap().split('.').nth(1).unwrap().to_owned(),
                None => format!("{} {}", request.method(), request.uri().path()),
            };
            let input = serde_json::from_slice(request.body().bytes().unwrap()).unwrap_or_default();
            let answer = rule(&operation, &input);
            let (status, answer) = answer.unwrap_or_else(|| wire.table.lock().unwrap().answer(&operation, &input));
            wire.calls.lock().unwrap().push((operation, input));
            let response = http::Response::builder().status(status);
            let response = wire.date.iter().fold(response, |response, date| response.header("date", *date));
            response.body(SdkBody::from(answer.to_string())).unwrap()
        });
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("id", "secret", None, None, "test")))
            .retry_config(RetryConfig::disabled())
            .http_client(http)
            .build();
        dacapo_aws::ports("shop", "dev", &config).unwrap()
    }

    /// The operations that were called, in order.
    pub fn operations(&self) -> Vec<String> {
        self.calls.lock().unwrap().iter().map(|(operation, _)| operation.clone()).collect()
    }

    /// The inputs of an operation, in order.
    pub fn inputs(&self, operation: &str) -> Vec<Value> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|(of, _)| of == operation).map(|(_, input)| input.clone()).collect()
    }

    /// The operations so far are forgotten.
    pub fn forget(&self) {
        self.calls.lock().unwrap().clear();
    }
}

/// A refusal of a service by its code.
pub fn refusal(code: &str) -> Answer {
    (400, json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "no" }))
}

/// An answer that is lost on its way: the service failed, as far as can be seen.
pub fn lost() -> Answer {
    (500, json!({ "__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "lost" }))
}
