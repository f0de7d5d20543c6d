//! The names of an app's resources on AWS, all made of `{app}-{stage}`.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_types::service_config::ServiceConfigKey;
use dacapo_core::port::{PortError, PortErrorKind, PortResult};
use dacapo_domain::function_dlq;
use tokio::sync::OnceCell;

use crate::error::{Errors, Operation};

/// An app's stack: the names of what it deploys, and where that is.
#[derive(Debug)]
pub(crate) struct Stack {
    prefix: String,
    region: String,
    endpoints: Endpoints,
    owner: OnceCell<Account>,
}

/// A service that is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    DynamoDb,
    Sqs,
    Scheduler,
    Sfn,
}

/// The endpoint of each service that is not asked at AWS itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Endpoints([Option<String>; 4]);

impl Service {
    const ALL: [Self; 4] = [Self::DynamoDb, Self::Sqs, Self::Scheduler, Self::Sfn];

    /// The service's id, as variables and profiles name it.
    const fn id(self) -> &'static str {
        match self {
            Self::DynamoDb => "DynamoDB",
            Self::Sqs => "SQS",
            Self::Scheduler => "Scheduler",
            Self::Sfn => "SFN",
        }
    }
}

impl Endpoints {
    /// The endpoints that a configuration gives the services, as each service's own client takes them.
    pub(crate) fn of(config: &SdkConfig) -> Self {
        Self(Service::ALL.map(|service| endpoint_of(config, service.id())))
    }

    /// The first that is no URL of a server.
    pub(crate) fn odd(&self) -> Option<&str> {
        let is_url = |url: &str| {
            let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
            rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace))
        };
        self.0.iter().flatten().map(String::as_str).find(|url| !is_url(url))
    }

    pub(crate) fn get(&self, service: Service) -> Option<&str> {
        self.0[service as usize].as_deref()
    }
}

/// The endpoint that a configuration gives a service of this id, as the service's own client takes it.
pub(crate) fn endpoint_of(config: &SdkConfig, id: &str) -> Option<String> {
    let shared = || config.endpoint_url().map(ToOwned::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return shared();
    }
    let key = ServiceConfigKey::builder().service_id(id).env("AWS_ENDPOINT_URL").profile("endpoint_url");
    let own = key.build().ok().and_then(|key| config.service_config()?.load_config(key));
    own.or_else(shared)
}

/// The account that owns the stack, and the partition that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Account {
    partition: String,
    id: String,
}

impl Stack {
    /// The stack of an app and stage. `account` is known in a function; elsewhere the table's ARN tells it, once.
    pub(crate) fn new(app: &str, stage: &str, region: &str, endpoints: Endpoints, account: Option<String>) -> Self {
        let owner = account.map(|id| Account { partition: partition(region).to_owned(), id });
        let owner = OnceCell::new_with(owner);
        Self { prefix: format!("{app}-{stage}"), region: region.to_owned(), endpoints, owner }
    }

    /// The table's name, and the name of the group of schedules.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A function's name, and its queue's.
    pub(crate) fn queue(&self, function: &str) -> String {
        format!("{}-{function}", self.prefix)
    }

    /// The name of a function's own dead-letter queue.
    pub(crate) fn dead_letter_queue(&self, function: &str) -> String {
        self.queue(&function_dlq(function))
    }

    /// The URL of a queue, if the account is known without asking.
    pub(crate) fn queue_url(&self, queue: &str) -> Option<String> {
        let Account { id, .. } = self.owner.get()?;
        Some(match self.endpoints.get(Service::Sqs) {
            Some(endpoint) => format!("{}/{id}/{queue}", endpoint.trim_end_matches('/')),
            None => format!("https://sqs.{}.{}/{id}/{queue}", self.region, dns_suffix(&self.region)),
        })
    }

    /// The ARN of one of the stack's resources, as `arn("sqs", "shop-dev-send-welcome")`.
    pub(crate) async fn arn(&self, client: &Client, service: &str, resource: &str) -> PortResult<String> {
        let Account { partition, id } = self.owner(client).await?;
        // Roles are global: their ARNs name no region.
        let region = if service == "iam" { "" } else { &self.region };
        Ok(format!("arn:{partition}:{service}:{region}:{id}:{resource}"))
    }

    /// The errors of a service of this stack, as port errors.
    pub(crate) fn errors(&self, service: Service) -> Errors<'_> {
        Errors { prefix: &self.prefix, region: &self.region, endpoint: self.endpoints.get(service) }
    }

    async fn owner(&self, client: &Client) -> PortResult<&Account> {
        self.owner
            .get_or_try_init(|| async {
                let reply = client.describe_table().table_name(&self.prefix).send().await;
                let reply = reply.map_err(|error| {
                    self.errors(Service::DynamoDb).port(Operation::new("find the app's account"), error)
                })?;
                reply.table().and_then(|table| table.table_arn()).and_then(Account::of_arn).ok_or_else(|| {
                    let message = "failed to find the app's account: its table has no ARN that names one";
                    PortError::new(PortErrorKind::Refused, message)
                })
            })
            .await
    }
}

impl Account {
    /// Reads `arn:aws:dynamodb:eu-west-1:123456789012:table/shop-dev`.
    fn of_arn(arn: &str) -> Option<Self> {
        let mut parts = arn.split(':').skip(1);
        let partition = parts.next()?.to_owned();
        let id = parts.nth(2)?.to_owned();
        Some(Self { partition, id })
    }
}

fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

pub(crate) fn dns_suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arn_of_the_table_tells_partition_and_account() {
        let owner = Account::of_arn("arn:aws-cn:dynamodb:cn-north-1:123456789012:table/shop-dev").unwrap();
        assert_eq!((&*owner.partition, &*owner.id), ("aws-cn", "123456789012"));
        assert_eq!(Account::of_arn("shop-dev"), None);
    }

    #[test]
    fn queue_of_a_known_account_is_found_without_asking() {
        let account = || Some("123456789012".to_owned());
        let aws = Stack::new("shop", "dev", "eu-west-1", Endpoints::default(), account());
        let url = aws.queue_url(&aws.queue("send-welcome"));
        assert_eq!(url.as_deref(), Some("https://sqs.eu-west-1.amazonaws.com/123456789012/shop-dev-send-welcome"));

        let local = Stack::new(
            "shop",
            "dev",
            "eu-west-1",
            Endpoints(std::array::from_fn(|_| Some("http://127.0.0.1:4566".to_owned()))),
            account(),
        );
        let url = local.queue_url(&local.dead_letter_queue("user-joined"));
        assert_eq!(url.as_deref(), Some("http://127.0.0.1:4566/123456789012/shop-dev-user-joined-dead"));

        assert_eq!(Stack::new("shop", "dev", "eu-west-1", Endpoints::default(), None).queue_url("shop-dev-x"), None);
    }
}
