//! The questions at a server on this machine, which answers as the services do.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use aws_config::Region;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};

use super::*;

/// The answer to a path and a body: a status and a text.
fn answer(path: &str, body: &str) -> (u16, String) {
    let ok = |text: &str| (200, text.to_owned());
    match path {
        "/2015-03-31/functions/shop-dev-orders/configuration" => {
            ok(r#"{"CodeSha256": "ASNF", "State": "Active", "LastUpdateStatus": "Successful"}"#)
        }
        "/2015-03-31/functions/shop-dev-mails/configuration" => (
            404,
            r#"{"Type": "User", "Message": "Function not found: arn:aws:lambda:eu-west-1:1:function:x"}"#.to_owned(),
        ),
        "/2016-08-19/account-settings" => {
            ok(r#"{"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900}}"#)
        }
        _ if body.contains("GetCallerIdentity") => {
            ok("<R><Arn>arn:aws:iam::7:user/ada</Arn><UserId>A</UserId><Account>7</Account></R>")
        }
        _ if body.contains("StackName=shop-dev") => ok(
            "<R><Stacks><member><StackName>shop-dev</StackName><StackStatus>CREATE_COMPLETE</StackStatus><Parameters>\
             <member><ParameterKey>OrdersCode</ParameterKey><ParameterValue>arm64/orders-0123.zip</ParameterValue></member>\
             <member><ParameterKey>Stage</ParameterKey><ParameterValue>dev</ParameterValue></member>\
             </Parameters></member></Stacks></R>",
        ),
        _ if body.contains("StackName=") => {
            (400, "<E><Code>ValidationError</Code><Message>Stack with id x does not exist</Message></E>".to_owned())
        }
        _ if body.contains("MetricName=Invocations") => {
            assert!(body.contains("Namespace=AWS%2FLambda") && body.contains("Value=shop-dev-conductor"), "{body}");
            ok("<R><member><Sum>3.0</Sum></member><member><Sum>4.0</Sum></member></R>")
        }
        _ if body.contains("MetricName=OpenExecutionCount") => {
            ok("<R><member><Maximum>3.0</Maximum></member><member><Maximum>2.0</Maximum></member></R>")
        }
        _ if body.contains("GetMetricStatistics") => ok("<R><Datapoints/></R>"),
        _ if body.contains("7/shop-dev-orders") => {
            ok(r#"{"Attributes": {"ApproximateNumberOfMessages": "5", "ApproximateNumberOfMessagesNotVisible": "2"}}"#)
        }
        _ => (403, r#"{"__type": "AccessDeniedException", "message": "no"}"#.to_owned()),
    }
}

fn reply(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut length, mut is_signed) = (String::new(), 0, false);
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim().split_once(':') else { break };
        match &*name.to_lowercase() {
            "content-length" => length = value.trim().parse().unwrap(),
            "authorization" => is_signed = value.contains("Credential=test/"),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    assert!(is_signed, "each call is signed");
    let (status, text) = answer(first.split(' ').nth(1).unwrap(), &String::from_utf8(body).unwrap());
    write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}", text.len()).unwrap();
}

async fn inspector(app: &str) -> Inspector {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || listener.incoming().for_each(|stream| reply(stream.unwrap())));
    let credentials = Credentials::new("test", "test", None, None, "test");
    let config = SdkConfig::builder()
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .build();
    Inspector::by(app, "dev", &config).await.unwrap()
}

#[tokio::test]
async fn account_and_stack_are_told_as_the_services_tell_them() {
    let inspector = inspector("shop").await;
    assert_eq!(inspector.identity().await.unwrap(), ("7".to_owned(), "arn:aws:iam::7:user/ada".to_owned()));
    let stack = inspector.stack().await.unwrap().unwrap();
    assert_eq!(stack.status, "CREATE_COMPLETE");
    let [code, stage] = [("OrdersCode", "arm64/orders-0123.zip"), ("Stage", "dev")];
    assert_eq!(stack.parameters, [code, stage].map(|(name, value)| (name.to_owned(), value.to_owned())));
    let orders = inspector.function("orders").await.unwrap().unwrap();
    assert_eq!((&*orders.code, &*orders.state, &*orders.last_update), ("012345", "Active", "Successful"));
    assert_eq!(inspector.concurrency().await.unwrap(), (1_000, 900));
    assert_eq!(inspector.messages("7", "orders").await.unwrap(), (5, 2));
}

#[tokio::test]
async fn what_is_not_there_is_none_and_what_is_refused_is_an_error() {
    let inspector = inspector("other").await;
    assert_eq!(inspector.stack().await.unwrap(), None);
    let error = inspector.messages("7", "orders").await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::Denied);
    assert!(error.to_string().starts_with("failed to look at a queue: AccessDeniedException: no"), "{error}");
    assert_eq!(super::tests::inspector("shop").await.function("mails").await.unwrap(), None);
}

#[tokio::test]
async fn metric_is_the_sum_or_the_most_of_its_minutes_and_none_where_nothing_was_measured() {
    let inspector = inspector("shop").await;
    let metric = |name, of, statistic| Metric { namespace: "AWS/Lambda", name, of, statistic, minutes: 10 };
    let calls = metric("Invocations", Some(("FunctionName", "shop-dev-conductor")), "Sum");
    assert_eq!(inspector.metric(calls).await.unwrap(), Some(7.0));
    assert_eq!(inspector.metric(metric("OpenExecutionCount", None, "Maximum")).await.unwrap(), Some(3.0));
    assert_eq!(inspector.metric(metric("Throttles", None, "Sum")).await.unwrap(), None);
}

#[test]
fn texts_of_xml_are_found_by_their_element() {
    let xml = "<Parameters><member><ParameterKey>App</ParameterKey><ParameterValue>shop</ParameterValue></member>\
               <member><ParameterKey>Stage</ParameterKey></member></Parameters><StackStatus>A</StackStatus>";
    assert_eq!(texts(xml, "ParameterKey").collect::<Vec<_>>(), ["App", "Stage"]);
    assert_eq!(texts(xml, "StackStatus").collect::<Vec<_>>(), ["A"]);
    assert_eq!(texts(xml, "Missing").count(), 0);
}

#[test]
fn refusal_is_read_in_each_protocol() {
    let read = |text: &str| {
        let (code, message) = refusal(text);
        format!("{}: {}", code.unwrap_or_default(), message.unwrap_or_default())
    };
    assert_eq!(read("<Error><Code>ValidationError</Code><Message>no</Message></Error>"), "ValidationError: no");
    assert_eq!(
        read(r#"{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no"}"#),
        "com.amazonaws.sqs#QueueDoesNotExist: no"
    );
    let missing = "Function not found: arn:aws:lambda:eu-west-1:1:function:x";
    assert_eq!(read(&format!(r#"{{"Message": "{missing}"}}"#)), format!("ResourceNotFoundException: {missing}"));
    assert_eq!(read("<html>"), ": ");
}
