//! The names of an app's resources on AWS, all made of `{app}-{stage}`.

use aws_sdk_dynamodb::Client;
use dacapo::port::{PortError, PortErrorKind, PortResult};
use tokio::sync::OnceCell;

use crate::error::{Errors, What};

/// The app's dead-letter queue, in the place of a function's name.
pub(crate) const UNDELIVERED: &str = "undelivered";

/// An app's stack: the names of what it deploys, and where that is.
#[derive(Debug)]
pub struct Stack {
    prefix: String,
    region: String,
    endpoint: Option<String>,
    home: OnceCell<Home>,
}

/// The partition and account that ARNs are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Home {
    partition: String,
    account: String,
}

impl Stack {
    /// The stack of an app and stage. `account` is known in a function; elsewhere the table's ARN tells it, once.
    #[must_use]
    pub fn new(app: &str, stage: &str, region: &str, endpoint: Option<String>, account: Option<String>) -> Self {
        let home = account.map(|account| Home { partition: partition(region).to_owned(), account });
        let home = OnceCell::new_with(home);
        Self { prefix: format!("{app}-{stage}"), region: region.to_owned(), endpoint, home }
    }

    /// The table's name, and the name of the group of schedules.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A function's name, and its queue's.
    #[must_use]
    pub fn queue(&self, function: &str) -> String {
        format!("{}-{function}", self.prefix)
    }

    /// The name of a function's own dead-letter queue.
    #[must_use]
    pub fn dead_letter_queue(&self, function: &str) -> String {
        format!("{}-{function}-dead", self.prefix)
    }

    /// Where a queue is, if the account is known without asking.
    pub(crate) fn queue_url(&self, queue: &str) -> Option<String> {
        let Home { account, .. } = self.home.get()?;
        Some(match &self.endpoint {
            Some(endpoint) => format!("{}/{account}/{queue}", endpoint.trim_end_matches('/')),
            None => format!("https://sqs.{}.{}/{account}/{queue}", self.region, dns_suffix(&self.region)),
        })
    }

    /// The ARN of one of the stack's resources, as `arn("sqs", "shop-dev-send-welcome")`.
    pub(crate) async fn arn(&self, client: &Client, service: &str, resource: &str) -> PortResult<String> {
        let Home { partition, account } = self.home(client).await?;
        // Roles are global: their ARNs name no region.
        let region = if service == "iam" { "" } else { &self.region };
        Ok(format!("arn:{partition}:{service}:{region}:{account}:{resource}"))
    }

    /// What turns this stack's errors into port errors.
    pub(crate) fn errors(&self) -> Errors<'_> {
        Errors { prefix: &self.prefix, region: &self.region, endpoint: self.endpoint.as_deref() }
    }

    async fn home(&self, client: &Client) -> PortResult<&Home> {
        self.home
            .get_or_try_init(|| async {
                let reply = client.describe_table().table_name(&self.prefix).send().await;
                let reply = reply.map_err(|error| self.errors().port(What::new("find the app's account"), error))?;
                reply.table().and_then(|table| table.table_arn()).and_then(Home::of_arn).ok_or_else(|| {
                    let message = "failed to find the app's account: its table has no ARN that names one";
                    PortError::new(PortErrorKind::Refused, message)
                })
            })
            .await
    }
}

impl Home {
    /// Reads `arn:aws:dynamodb:eu-west-1:123456789012:table/shop-dev`.
    fn of_arn(arn: &str) -> Option<Self> {
        let mut parts = arn.split(':').skip(1);
        let partition = parts.next()?.to_owned();
        let account = parts.nth(2)?.to_owned();
        Some(Self { partition, account })
    }
}

fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

fn dns_suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tables_arn_tells_partition_and_account() {
        let home = Home::of_arn("arn:aws-cn:dynamodb:cn-north-1:123456789012:table/shop-dev").unwrap();
        assert_eq!((&*home.partition, &*home.account), ("aws-cn", "123456789012"));
        assert_eq!(Home::of_arn("shop-dev"), None);
    }

    #[test]
    fn a_functions_queue_is_found_without_asking() {
        let account = || Some("123456789012".to_owned());
        let aws = Stack::new("shop", "dev", "eu-west-1", None, account());
        let url = aws.queue_url(&aws.queue("send-welcome"));
        assert_eq!(url.as_deref(), Some("https://sqs.eu-west-1.amazonaws.com/123456789012/shop-dev-send-welcome"));

        let local = Stack::new("shop", "dev", "eu-west-1", Some("http://127.0.0.1:4566".to_owned()), account());
        let url = local.queue_url(&local.dead_letter_queue("user-joined"));
        assert_eq!(url.as_deref(), Some("http://127.0.0.1:4566/123456789012/shop-dev-user-joined-dead"));

        assert_eq!(Stack::new("shop", "dev", "eu-west-1", None, None).queue_url("shop-dev-x"), None);
    }
}
