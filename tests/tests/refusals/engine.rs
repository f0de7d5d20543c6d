//! Requests to every address of the dev engine, as bytes on its port. What the port's client validates alike over AWS is
//! in the other groups.

use std::sync::{Arc, Mutex};

use dacapo_local::{DevOptions, EngineLog, dev_until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
};

use crate::rows::Rows;

/// Every verb of the ports.
const VERBS: [&str; 16] = [
    "records/create",
    "records/load",
    "records/load-until",
    "records/peek",
    "records/gather",
    "records/save",
    "records/delete",
    "records/postpone",
    "records/query",
    "records/owned",
    "records/append",
    "records/read-log",
    "records/read-log-back",
    "outbox/post",
    "probe/has-backlog",
    "probe/execution-status",
];

const SERVED: &str = "host: 127.0.0.1\r\nconnection: close\r\n";

fn request(line: &str, headers: &str, body: &str) -> String {
    format!("{line} HTTP/1.1\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

/// Requests, each as it is told and as its bytes.
fn requests() -> Vec<(String, String)> {
    let mut all = vec![];
    for verb in VERBS {
        let line = format!("POST /rpc/{verb}");
        all.push((format!("{line} {{\"a\":1}}"), request(&line, SERVED, "{\"a\":1}")));
    }
    for body in ["", "nonsense", "[[[[", "1e999"] {
        let line = "POST /rpc/records/load";
        all.push((format!("{line} {body}"), request(line, SERVED, body)));
    }
    let lines = [
        ("GET /rpc/records/load", ""),
        ("POST /rpc/records/lode", "{}"),
        ("GET /nothing", ""),
        ("POST /about", ""),
        ("GET /2015-03-31/functions/report/invocations", ""),
        ("POST /2015-03-31/functions/report/invocations", "{}"),
        ("POST /2015-03-31/functions/report/invocations", "{oops}"),
        ("POST /2015-03-31/functions/%ff/invocations", "{}"),
        ("GET /token/abc", ""),
        ("POST /token/abc", "1"),
        ("POST /event", "{}"),
        ("POST /rt/s/report/1/2018-06-01/runtime/invocation/next", ""),
        ("GET /rt/s/report/1/2018-06-01/runtime/invocation/next", ""),
        ("GET /rt/s/report/one/2018-06-01/runtime/invocation/next", ""),
    ];
    all.extend(lines.map(|(line, body)| (format!("{line} {body}"), request(line, SERVED, body))));
    let headers = [
        ("host: evil.example", "host: evil.example\r\n"),
        ("no host", ""),
        ("origin", "host: localhost\r\norigin: http://evil.example\r\n"),
        ("sec-fetch-site", "host: localhost\r\nsec-fetch-site: cross-site\r\n"),
    ];
    for (given, fields) in headers {
        let line = "POST /rpc/records/load";
        all.push((format!("{line} with {given}"), request(line, &format!("{fields}connection: close\r\n"), "{}")));
    }
    let announced = |line: &str, bytes: u64| format!("{line} HTTP/1.1\r\n{SERVED}content-length: {bytes}\r\n\r\n");
    for line in ["POST /rpc/records/load", "POST /2015-03-31/functions/report/invocations"] {
        all.push((format!("{line} with a body of 10 MB announced"), announced(line, 10_000_000)));
    }
    all.push(("hello".to_owned(), "hello\r\n\r\n".to_owned()));
    all.push(("GET / HTTP/3".to_owned(), "GET / HTTP/3\r\n\r\n".to_owned()));
    all.push(("an address of 70,000 bytes".to_owned(), request(&format!("GET /{}", "x".repeat(70_000)), SERVED, "")));
    let many: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
    all.push(("200 headers".to_owned(), request("GET /about", &format!("{SERVED}{many}"), "")));
    all
}

/// Sends the bytes, and gives the status and the body that come back.
async fn answer(address: &str, bytes: &str) -> String {
    let mut stream = TcpStream::connect(address.trim_start_matches("http://")).await.unwrap();
    // One that refuses the head may have gone before the rest is written.
    let _ = stream.write_all(bytes.as_bytes()).await;
    let mut answer = vec![];
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    format!("{} {body}", head.split(' ').nth(1).unwrap_or("no answer"))
}

#[tokio::test]
async fn request_that_the_engine_can_t_take_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = DevOptions::new("shop", folder.path().join("local.db"), vec![]);
    options.port = 0;
    let (tell, told) = oneshot::channel();
    let tell = Mutex::new(Some(tell));
    options.logs = Arc::new(move |log| {
        if let EngineLog::Listening { address } = log {
            tell.lock().unwrap().take().map(|tell| tell.send(address));
        }
    });
    let mut rows = Rows::default();
    let asks = async {
        let address = told.await.unwrap();
        for (given, bytes) in requests() {
            rows.add(&given, &answer(&address, &bytes).await);
        }
    };
    dev_until(options, asks).await.unwrap();
    rows.are("engine");
}
