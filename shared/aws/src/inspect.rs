//! Questions about a stack and its account, for those who look after it: what is deployed, what runs there, how much of
//! what the account allows is in use.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_smithy_types::base64;
use dacapo_core::port::{Clock, PortError, PortErrorKind, PortResult, SystemClock};
use dacapo_domain::later;
use serde_json::Value;
use tokio::time::timeout;

use crate::{
    access::Access,
    connect::sdk_config,
    error::{Errors, Operation, chain},
    signed::{Called, Request, SignedCalls},
};

const STS: Called = Called { id: "STS", name: "sts", endpoint: "sts" };
const CLOUDFORMATION: Called = Called { id: "CloudFormation", name: "cloudformation", endpoint: "cloudformation" };
const LAMBDA: Called = Called { id: "Lambda", name: "lambda", endpoint: "lambda" };
const CLOUDWATCH: Called = Called { id: "CloudWatch", name: "monitoring", endpoint: "monitoring" };
const SQS: Called = Called { id: "SQS", name: "sqs", endpoint: "sqs" };

/// The time of one call, at most.
const CALL: Duration = Duration::from_secs(10);

/// An app's stack, its account and its region, as a person sees them.
pub struct Inspector {
    calls: SignedCalls,
    prefix: String,
}

/// A stack, as CloudFormation has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackFacts {
    /// As `UPDATE_COMPLETE`.
    pub status: String,
    /// The parameters, by name.
    pub parameters: Vec<(String, String)>,
}

/// A Lambda function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LambdaFacts {
    /// The SHA-256 of its zip, in hexadecimal digits.
    pub code: String,
    /// `Active`, `Inactive`, `Pending` or `Failed`.
    pub state: String,
    /// `Successful`, `InProgress` or `Failed`.
    pub last_update: String,
}

/// A metric of CloudWatch.
#[derive(Clone, Copy, Debug)]
pub struct Metric<'a> {
    /// As `AWS/Lambda`.
    pub namespace: &'a str,
    /// As `Invocations`.
    pub name: &'a str,
    /// Of what: a name and a value, as `FunctionName`, `shop-dev-conductor`.
    pub of: Option<(&'a str, &'a str)>,
    /// `Sum` or `Maximum`.
    pub statistic: &'a str,
    /// The minutes that are looked back.
    pub minutes: u32,
}

impl Inspector {
    /// An inspector of a stack. No service of the stack is called yet.
    ///
    /// # Errors
    /// `Denied` without a region or credentials.
    pub async fn of(app: &str, stage: &str, access: &Access) -> PortResult<Self> {
        Self::by(app, stage, &sdk_config(access).await).await
    }

    /// The same with the caller's own credentials, region and endpoint.
    ///
    /// # Errors
    /// `Denied` without a region or credentials.
    pub async fn by(app: &str, stage: &str, config: &SdkConfig) -> PortResult<Self> {
        let calls = SignedCalls::of(config, "look at the account").await?;
        Ok(Self { calls, prefix: format!("{app}-{stage}") })
    }

    /// The region.
    #[must_use]
    pub fn region(&self) -> &str {
        self.calls.region()
    }

    /// Is true where AWS itself is asked, and no emulator.
    #[must_use]
    pub fn is_aws(&self) -> bool {
        self.calls.is_aws(LAMBDA)
    }

    /// The account, and the ARN of who asks.
    ///
    /// # Errors
    /// As a port's.
    pub async fn identity(&self) -> PortResult<(String, String)> {
        let text = self.query(STS, "ask who this is", "Action=GetCallerIdentity&Version=2011-06-15").await?;
        let tag = |name| texts(&text, name).next().unwrap_or_default().to_owned();
        Ok((tag("Account"), tag("Arn")))
    }

    /// The stack; `None` where there is none.
    ///
    /// # Errors
    /// As a port's.
    pub async fn stack(&self) -> PortResult<Option<StackFacts>> {
        let body = format!("Action=DescribeStacks&Version=2010-05-15&StackName={}", self.prefix);
        let text = match self.query(CLOUDFORMATION, "look at the stack", &body).await {
            Err(error) if error.to_string().contains("does not exist") => return Ok(None),
            answer => answer?,
        };
        let parameters = texts(&text, "member").filter_map(|member| {
            let tag = |name| texts(member, name).next().map(ToOwned::to_owned);
            Some((tag("ParameterKey")?, tag("ParameterValue")?))
        });
        let status = texts(&text, "StackStatus").next().unwrap_or_default().to_owned();
        Ok(Some(StackFacts { status, parameters: parameters.collect() }))
    }

    /// The Lambda of one of the app's functions; `None` where there is none.
    ///
    /// # Errors
    /// As a port's.
    pub async fn function(&self, function: &str) -> PortResult<Option<LambdaFacts>> {
        let path = format!("2015-03-31/functions/{}-{function}/configuration", self.prefix);
        let answer = match self.ask(LAMBDA, "look at a function", "GET", &path, &[], String::new()).await {
            Err(error) if error.kind() == PortErrorKind::NotDeployed => return Ok(None),
            answer => json(&answer?),
        };
        let text = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
        let code = base64::decode(text("CodeSha256")).unwrap_or_default();
        let code = code.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Some(LambdaFacts { code, state: text("State"), last_update: text("LastUpdateStatus") }))
    }

    /// Invocations that the account may have at once, in this region; of them, those that no function has reserved.
    ///
    /// # Errors
    /// As a port's.
    pub async fn concurrency(&self) -> PortResult<(u64, u64)> {
        let path = "2016-08-19/account-settings";
        let answer = json(&self.ask(LAMBDA, "ask for Lambda's limits", "GET", path, &[], String::new()).await?);
        let limit = |field: &str| answer["AccountLimit"][field].as_u64().unwrap_or_default();
        Ok((limit("ConcurrentExecutions"), limit("UnreservedConcurrentExecutions")))
    }

    /// Messages of one of the app's queues: that wait, and that are in flight.
    ///
    /// # Errors
    /// As a port's.
    pub async fn messages(&self, account: &str, queue: &str) -> PortResult<(u64, u64)> {
        let url = format!("{}/{account}/{}-{queue}", self.calls.endpoint(SQS), self.prefix);
        let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
        let headers =
            [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "AmazonSQS.GetQueueAttributes")];
        let body = serde_json::json!({ "QueueUrl": url, "AttributeNames": names }).to_string();
        let answer = json(&self.ask(SQS, "look at a queue", "POST", "", &headers, body).await?);
        let count = |name: &str| answer["Attributes"][name].as_str().and_then(|count| count.parse().ok());
        Ok((count(names[0]).unwrap_or_default(), count(names[1]).unwrap_or_default()))
    }

    /// The value of a metric; `None` where nothing was measured.
    ///
    /// # Errors
    /// As a port's.
    pub async fn metric(&self, metric: Metric<'_>) -> PortResult<Option<f64>> {
        let Metric { namespace, name, of, statistic, minutes } = metric;
        let now = SystemClock.now();
        let since = now - Duration::from_secs(60) * minutes;
        let end = later(now, Duration::from_secs(60));
        let of = of.map(|(name, value)| format!("&Dimensions.member.1.Name={name}&Dimensions.member.1.Value={value}"));
        let body = format!(
            "Action=GetMetricStatistics&Version=2010-08-01&Namespace={}&MetricName={name}&Statistics.member.1={statistic}\
             &Period=60&StartTime={}&EndTime={}{}",
            namespace.replace('/', "%2F"),
            seconds(since),
            seconds(end),
            of.unwrap_or_default()
        );
        let text = self.query(CLOUDWATCH, "read a metric", &body).await?;
        let values = texts(&text, statistic).filter_map(|value| value.parse::<f64>().ok());
        Ok(if statistic == "Sum" { values.reduce(|a, b| a + b) } else { values.reduce(f64::max) })
    }

    async fn query(&self, to: Called, what: &str, body: &str) -> PortResult<String> {
        let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        self.ask(to, what, "POST", "", &headers, body.to_owned()).await
    }

    async fn ask(
        &self,
        to: Called,
        what: &str,
        method: &'static str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> PortResult<String> {
        let endpoint = self.calls.endpoint(to);
        let failed = |kind, why: String| PortError::new(kind, format!("failed to {what}: {why}"));
        let request = self.calls.request(Request { to, method, path, headers, body });
        let request = request.map_err(|error| failed(PortErrorKind::Refused, error.to_string()))?;
        let unreachable = |why: String| failed(PortErrorKind::Unreachable, format!("{endpoint}: {why}"));
        let answer = timeout(CALL, self.calls.send(request)).await.map_err(|_| unreachable("no answer".to_owned()))?;
        let (status, bytes) = answer.map_err(|error| unreachable(chain(&*error)))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if status.is_success() {
            return Ok(text);
        }
        let (code, message) = refusal(&text);
        let errors = Errors {
            prefix: &self.prefix,
            region: self.region(),
            endpoint: (!self.is_aws()).then_some(endpoint.as_str()),
        };
        Err(errors.refused(Operation::new(what), code.as_deref(), message.as_deref(), status.as_u16()))
    }
}

/// CloudWatch takes whole seconds.
fn seconds(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().replace(':', "%3A")
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// The code and the message of a refusal, in JSON or in XML.
fn refusal(text: &str) -> (Option<String>, Option<String>) {
    let json = json(text);
    let field = |names: [&str; 2]| names.iter().find_map(|name| json[*name].as_str()).map(ToOwned::to_owned);
    let tag = |name| texts(text, name).next().map(ToOwned::to_owned);
    let code = field(["__type", "Code"]).or_else(|| tag("Code"));
    // Lambda tells its code in a header alone, but not that a function is missing.
    let is_missing = json["Message"].as_str().is_some_and(|message| message.starts_with("Function not found"));
    let code = code.or_else(|| is_missing.then(|| "ResourceNotFoundException".to_owned()));
    (code, field(["message", "Message"]).or_else(|| tag("Message")))
}

/// The texts within the elements of a name, of XML whose elements have no attributes there.
fn texts<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts: Vec<&str> = xml.split(&open).skip(1).collect();
    parts.into_iter().filter_map(move |part| part.split_once(&close).map(|(text, _)| text))
}

#[cfg(test)]
mod tests;
