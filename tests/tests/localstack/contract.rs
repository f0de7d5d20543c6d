//! The ports' contract, for AWS as LocalStack has it: a stack without functions, whose queues the bench reads.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use dacapo_core::port::{Clock, PortResult, Ports};
use dacapo_domain::Message;
use dacapo_tests::{contract, contract::Bench, localstack::Localstack};
use jiff::Timestamp;
use serde_json::Value;

contract!(localstack, LocalstackBench::open().await);

const STAGE: &str = "contract";
/// For each second that passes here, so many pass for the schedules of a bench.
const HASTE: u32 = 10;

/// A clock that is set ahead by so many milliseconds.
struct Ahead {
    clock: Arc<dyn Clock>,
    by: Arc<AtomicU64>,
}

#[async_trait]
impl Clock for Ahead {
    async fn synchronize(&self) -> PortResult<()> {
        self.clock.synchronize().await
    }

    fn now(&self) -> Timestamp {
        self.clock.now() + Duration::from_millis(self.by.load(Ordering::Relaxed))
    }

    fn random(&self) -> u64 {
        self.clock.random()
    }
}

/// Ports of a stack that has everything but functions. Queues and functions are named after the bench.
struct LocalstackBench {
    localstack: &'static Localstack,
    config: SdkConfig,
    ports: Mutex<Ports>,
    ahead: Arc<AtomicU64>,
    sqs: aws_sdk_sqs::Client,
    name: String,
    names: AtomicU64,
}

impl LocalstackBench {
    async fn open() -> Self {
        let localstack = Localstack::shared(env!("CARGO_BIN_EXE_dacapo-localstack"));
        let config = localstack.config().await;
        {
            let _lock = localstack.lock("contract").unwrap();
            make_stack(&localstack.app, &config).await;
        }
        let ahead = Arc::default();
        let ports = Mutex::new(ports(&localstack.app, &config, &ahead));
        let sqs = aws_sdk_sqs::Client::new(&config);
        let name = format!("b{:08x}", fastrand::u32(..));
        Self { localstack, config, ports, ahead, sqs, name, names: AtomicU64::default() }
    }

    async fn make_queue(&self, function: &str) {
        let queue = format!("{}-{STAGE}-{function}", self.localstack.app);
        self.sqs.create_queue().queue_name(queue).send().await.unwrap();
    }

    /// The texts of what is visible in a queue, taken out of it.
    async fn take(&self, function: &str) -> Vec<String> {
        let queue = format!("{}-{STAGE}-{function}", self.localstack.app);
        let url = self.sqs.get_queue_url().queue_name(queue).send().await.unwrap().queue_url.unwrap();
        let mut texts = vec![];
        loop {
            let reply = self.sqs.receive_message().queue_url(&url).max_number_of_messages(10).send().await.unwrap();
            if reply.messages().is_empty() {
                return texts;
            }
            for message in reply.messages.unwrap_or_default() {
                let receipt = message.receipt_handle.unwrap();
                self.sqs.delete_message().queue_url(&url).receipt_handle(receipt).send().await.unwrap();
                texts.push(message.body.unwrap());
            }
        }
    }
}

#[async_trait]
impl Bench for LocalstackBench {
    fn ports(&self) -> Ports {
        self.ports.lock().unwrap().clone()
    }

    fn unique(&self, name: &str) -> String {
        format!("{}-{name}-{}", self.name, self.names.fetch_add(1, Ordering::Relaxed))
    }

    async fn pass(&self, time: Duration) {
        self.localstack.clock().advance(&self.name, time * (HASTE - 1)).unwrap();
        tokio::time::sleep(time).await;
    }

    async fn skip(&self, time: Duration) {
        self.ahead.fetch_add(time.as_millis().try_into().unwrap(), Ordering::Relaxed);
    }

    async fn function(&self, name: &str) -> String {
        let function = self.unique(name);
        self.make_queue(&function).await;
        function
    }

    async fn function_with_dlq(&self, name: &str) -> String {
        let function = self.function(name).await;
        self.make_queue(&format!("{function}-dead")).await;
        function
    }

    async fn receive(&self, function: &str) -> Vec<Message> {
        let texts = self.take(function).await;
        texts.iter().map(|text| Message::from_text(text).unwrap()).collect()
    }

    async fn function_dlq(&self, function: &str) -> Vec<String> {
        self.take(&format!("{function}-dead")).await
    }

    async fn app_dlq(&self) -> Vec<String> {
        self.take("undelivered").await
    }

    async fn reopen(&self) {
        *self.ports.lock().unwrap() = ports(&self.localstack.app, &self.config, &self.ahead);
    }
}

fn ports(app: &str, config: &SdkConfig, ahead: &Arc<AtomicU64>) -> Ports {
    let ahead = |clock| -> Arc<dyn Clock> { Arc::new(Ahead { clock, by: Arc::clone(ahead) }) };
    dacapo_aws::ports_by(app, STAGE, config, ahead).unwrap()
}

/// Makes what isn't there yet.
async fn make_stack(app: &str, config: &SdkConfig) {
    let prefix = format!("{app}-{STAGE}");
    make_table(&prefix, &aws_sdk_dynamodb::Client::new(config)).await;
    let app_dlq = aws_sdk_sqs::Client::new(config).create_queue().queue_name(format!("{prefix}-undelivered"));
    app_dlq.send().await.unwrap();

    // Made again, LocalStack's would lose its schedules.
    let scheduler = aws_sdk_scheduler::Client::new(config);
    if let Err(error) = scheduler.get_schedule_group().name(&prefix).send().await {
        let is_missing = error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception());
        assert!(is_missing, "{error:?}");
        scheduler.create_schedule_group().name(&prefix).send().await.unwrap();
    }

    // It waits as the loop does, and calls no function.
    let machine = r#"{"StartAt":"Wait","States":{"Wait":{"Type":"Wait","TimestampPath":"$.until","End":true}}}"#;
    let create = aws_sdk_sfn::Client::new(config).create_state_machine().name(format!("{prefix}-loop"));
    create.definition(machine).role_arn("arn:aws:iam::000000000000:role/any").send().await.unwrap();
}

/// The table as the template makes it.
async fn make_table(name: &str, dynamodb: &aws_sdk_dynamodb::Client) {
    let template: Value = serde_json::from_str(include_str!("../../../infra/template.json")).unwrap();
    let resources = template["Resources"].as_object().unwrap().values();
    let table = resources.into_iter().find(|resource| resource["Type"] == "AWS::DynamoDB::Table").unwrap();
    let properties = &table["Properties"];
    let mut create = dynamodb.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for attribute in properties["AttributeDefinitions"].as_array().unwrap() {
        let kind = ScalarAttributeType::from(text(&attribute["AttributeType"]));
        let name = text(&attribute["AttributeName"]);
        let definition = AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap();
        create = create.attribute_definitions(definition);
    }
    for index in properties["GlobalSecondaryIndexes"].as_array().unwrap() {
        let kept = &index["Projection"];
        let fields = kept["NonKeyAttributes"].as_array();
        let fields = fields.map(|fields| fields.iter().map(|field| text(field).to_owned()).collect());
        let kind = ProjectionType::from(text(&kept["ProjectionType"]));
        let projection = Projection::builder().projection_type(kind).set_non_key_attributes(fields).build();
        let builder = GlobalSecondaryIndex::builder().index_name(text(&index["IndexName"])).projection(projection);
        let index = builder.set_key_schema(Some(keys(&index["KeySchema"]))).build().unwrap();
        create = create.global_secondary_indexes(index);
    }
    let created = create.set_key_schema(Some(keys(&properties["KeySchema"]))).send().await;
    let is_there =
        |error: &aws_sdk_dynamodb::Error| matches!(error, aws_sdk_dynamodb::Error::ResourceInUseException(_));
    assert!(created.map_err(aws_sdk_dynamodb::Error::from).map_or_else(|error| is_there(&error), |_| true));
}

fn keys(schema: &Value) -> Vec<KeySchemaElement> {
    let schema = schema.as_array().unwrap().iter();
    let keys = schema.map(|key| {
        let (name, kind) = (text(&key["AttributeName"]), KeyType::from(text(&key["KeyType"])));
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
    });
    keys.collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
