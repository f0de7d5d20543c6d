//! The process of a function on Lambda: its start, and its log. Lambda and AWS are a server on this machine.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

use dacapo::prelude::*;
use serde_json::{Value, json};

const ASKED: EventRef<String> = EventRef::new("asked");
/// The invocations that a process gets; it asks for one more and waits.
const INVOCATIONS: usize = 2;
const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0";

/// The process that a test starts of itself: it serves, and comes back where it can't.
fn is_served() -> bool {
    let is_process = env::var_os("AWS_LAMBDA_RUNTIME_API").is_some();
    if is_process {
        let asked = on(ASKED, async |_: String, _: EventContext| Ok(())).secret("KEY", ssm("/shop/key"));
        let _ = dacapo_serve::serve(asked);
    }
    is_process
}

/// Lambda and the services for one process, with what they were asked.
#[derive(Default)]
struct Aws {
    has_secret: bool,
    secrets_read: AtomicUsize,
    invocations: AtomicUsize,
}

impl Aws {
    /// Starts the test of this name as a process that is served by it; tells when that has had its invocations.
    fn serves(self: &Arc<Self>, test: &str, level: &str) -> (Child, Receiver<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (aws, (tell, told)) = (self.clone(), channel());
        thread::spawn(move || listener.incoming().for_each(|stream| aws.answer(stream.unwrap(), &tell)));
        let mut process = Command::new(env::current_exe().unwrap());
        process.args([test, "--exact", "--nocapture"]).stdout(Stdio::piped());
        for (name, value) in [
            ("AWS_LAMBDA_RUNTIME_API", &*address),
            ("AWS_ENDPOINT_URL", &format!("http://{address}")),
            ("AWS_LAMBDA_FUNCTION_NAME", "shop-dev-asked"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "stream"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "group"),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
            ("AWS_LAMBDA_LOG_LEVEL", level),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("DACAPO_APP", "shop"),
            ("DACAPO_STAGE", "dev"),
            ("DACAPO_FUNCTION", "asked"),
            ("DACAPO_SECRETS", r#"{"KEY":{"ssm":"/shop/key"}}"#),
        ] {
            process.env(name, value);
        }
        (process.env_remove("DACAPO_LOCAL").spawn().unwrap(), told)
    }

    fn answer(&self, mut stream: TcpStream, had_all: &Sender<()>) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let lines = (&mut reader).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
        let head = lines.collect::<Vec<_>>().join("\n").to_lowercase();
        let length = head.split_once("content-length: ").map_or("0", |(_, rest)| rest.lines().next().unwrap());
        reader.read_exact(&mut vec![0; length.parse().unwrap()]).unwrap();
        let (status, headers, body) = if head.contains("/invocation/next") {
            let number = self.invocations.fetch_add(1, SeqCst);
            if number == INVOCATIONS {
                had_all.send(()).unwrap();
                return std::mem::forget(stream); // No more comes.
            }
            let of_invocation = format!(
                "lambda-runtime-aws-request-id: request-{number}\r\nlambda-runtime-trace-id: {TRACE}\r\n\
                 lambda-runtime-deadline-ms: 9999999999999\r\nlambda-runtime-invoked-function-arn: arn\r\n"
            );
            (200, of_invocation, batch())
        } else if head.contains("amazonssm.getparameters") {
            self.secrets_read.fetch_add(1, SeqCst);
            let found = json!({ "Parameters": [{ "Name": "/shop/key", "Value": "geheim" }] });
            (200, String::new(), if self.has_secret { found } else { json!({ "InvalidParameters": ["/shop/key"] }) })
        } else if head.starts_with("post /2018-06-01/") {
            (202, String::new(), json!({}))
        } else {
            (400, String::new(), json!({ "__type": "ValidationException", "message": "no such thing here" }))
        };
        let body = body.to_string();
        let head = format!("HTTP/1.1 {status} x\r\n{headers}connection: close\r\ncontent-length: {}", body.len());
        write!(stream, "{head}\r\n\r\n{body}").unwrap();
    }
}

/// A message from SQS that can't be read.
fn batch() -> Value {
    let attributes = json!({ "ApproximateReceiveCount": "1", "SentTimestamp": "1790000000000" });
    json!({ "Records": [{
        "messageId": "1", "receiptHandle": "1", "body": "no JSON", "attributes": attributes, "messageAttributes": {},
        "md5OfBody": "", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:1:shop-dev-asked",
        "awsRegion": "eu-west-1",
    }] })
}

fn said(process: &mut Child) -> String {
    let mut said = String::new();
    process.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    said
}

#[test]
fn secret_is_read_once_at_the_start_of_a_process_and_one_that_is_not_there_ends_it_and_is_named() {
    if is_served() {
        return;
    }
    let test = "secret_is_read_once_at_the_start_of_a_process_and_one_that_is_not_there_ends_it_and_is_named";
    let aws = Arc::new(Aws { has_secret: true, ..Aws::default() });
    let (mut process, had_all) = aws.serves(test, "INFO");
    had_all.recv().unwrap();
    process.kill().unwrap();
    process.wait().unwrap();
    assert_eq!(aws.secrets_read.load(SeqCst), 1, "over {INVOCATIONS} invocations");

    let aws = Arc::new(Aws::default());
    let (mut process, had_all) = aws.serves(test, "ERROR");
    while process.try_wait().unwrap().is_none() {
        assert_eq!(had_all.recv_timeout(Duration::from_millis(50)), Err(RecvTimeoutError::Timeout), "it serves");
    }
    let said = said(&mut process);
    assert!(said.contains(r#"failed to read parameter \"/shop/key\" of SSM: it isn't there"#), "{said}");
    assert_eq!(aws.invocations.load(SeqCst), 0, "it takes no invocation");
}

#[test]
fn line_within_an_invocation_names_its_request_and_its_trace() {
    if is_served() {
        return;
    }
    for level in ["INFO", "ERROR"] {
        let aws = Arc::new(Aws { has_secret: true, ..Aws::default() });
        let (mut process, had_all) = aws.serves("line_within_an_invocation_names_its_request_and_its_trace", level);
        had_all.recv().unwrap();
        process.kill().unwrap();
        let said = said(&mut process);
        process.wait().unwrap();
        let lines = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let of_message: Vec<Value> =
            lines.filter(|line| line["message"].to_string().contains("can't be read")).collect();
        let [first, second] = &of_message[..] else { panic!("{level}: {said}") };
        for (line, request) in [(first, "request-0"), (second, "request-1")] {
            assert_eq!((&line["requestId"], &line["xrayTraceId"]), (&json!(request), &json!(TRACE)), "{level}: {line}");
            assert_eq!(
                (&line["app"], &line["stage"], &line["function"]),
                (&json!("shop"), &json!("dev"), &json!("asked"))
            );
        }
    }
}
