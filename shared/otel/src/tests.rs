//! Spans that a collector is sent, of an app in the test kit.

use std::{
    fmt,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    process,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, channel},
    },
    thread,
    time::Instant,
};

use dacapo::prelude::*;
use dacapo_test_kit::TestApp;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    trace::v1::{Span as Told, span::SpanKind},
};
use prost::Message;
use tracing::{Event, field::Field};
use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};

use super::*;

const CHARGE: TaskRef<u32> = TaskRef::new("charge");
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The spans that a collector on this machine is sent, and its address.
fn collector() -> (Receiver<Told>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (told, spans) = channel();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut request = BufReader::new(connection.unwrap());
            let lines = (&mut request).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
            let head: Vec<String> = lines.map(|line| line.to_lowercase()).collect();
            assert_eq!(head[0], "post /v1/traces http/1.1");
            let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
            let mut body = vec![0; length];
            request.read_exact(&mut body).unwrap();
            let sent = ExportTraceServiceRequest::decode(&*body).unwrap();
            for span in sent.resource_spans.into_iter().flat_map(|it| it.scope_spans).flat_map(|it| it.spans) {
                told.send(span).unwrap();
            }
            request.get_mut().write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").unwrap();
        }
    });
    (spans, address)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempt_is_told_at_its_end_with_its_handlers_spans_in_the_trace_of_who_started_it() {
    let (spans, address) = collector();
    let layer = layer(&format!("{address}/"), Resource::builder().build()).unwrap();
    tracing_subscriber::registry().with(layer).init();
    let charge = task(CHARGE, async |amount: u32, _: TaskContext| {
        tracing::info_span!("ask the bank", amount).in_scope(|| {});
        Ok::<(), TaskError>(())
    });
    let app = TestApp::new().with(charge);

    app.run(CHARGE, 7).traceparent(TRACEPARENT).await.unwrap();
    app.run_until_idle().await;
    // They were sent before the attempt had ended.
    let [asked, attempt] = &spans.try_iter().collect::<Vec<_>>()[..] else { panic!("not two spans") };
    assert_eq!((&*asked.name, &*attempt.name), ("ask the bank", "charge"));
    assert_eq!(asked.parent_span_id, attempt.span_id);
    assert_eq!(attempt.kind(), SpanKind::Consumer);
    assert_eq!(attempt.parent_span_id, 0xb7ad_6b71_6920_3331_u64.to_be_bytes());
    for span in [asked, attempt] {
        assert_eq!(span.trace_id, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes());
    }

    app.run(CHARGE, 7).await.unwrap();
    app.run_until_idle().await;
    let [_, attempt] = &spans.try_iter().collect::<Vec<_>>()[..] else { panic!("not two spans") };
    assert!(attempt.parent_span_id.is_empty(), "a run that nobody traced begins a trace: {attempt:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endpoint_that_is_no_address_is_refused_with_what_is() {
    for endpoint in ["", "collector:4318", "https://collector.example"] {
        let Err(refused) = layer(endpoint, Resource::builder().build()) else { panic!("{endpoint} is taken") };
        assert_eq!(
            refused,
            format!(
                "OTEL_EXPORTER_OTLP_ENDPOINT {endpoint:?} is no address as http://127.0.0.1:4318: no spans are sent"
            )
        );
    }
}

/// The texts of warnings.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<String>>);

impl<S: Subscriber> Layer<S> for Warnings {
    fn on_event(&self, event: &Event<'_>, _: layer::Context<'_, S>) {
        let mut warnings = self.0.lock().unwrap();
        event.record(&mut |_: &Field, value: &dyn fmt::Debug| *warnings += &format!("{value:?}\n"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn collector_that_does_not_answer_costs_a_second_an_attempt_and_fails_none() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let layer = layer(&format!("http://{}", silent.local_addr().unwrap()), Resource::builder().build()).unwrap();
    let warnings = Warnings::default();
    let _guard = tracing_subscriber::registry().with(layer).with(warnings.clone()).set_default();
    let app = TestApp::new().with(task(CHARGE, async |_: u32, _: TaskContext| Ok::<(), TaskError>(())));
    app.run(CHARGE, 7).await.unwrap();
    let before = Instant::now();
    app.run_until_idle().await;
    let took = before.elapsed();
    assert!((PATIENCE..4 * PATIENCE).contains(&took), "{took:?}");
    assert_eq!(app.run_of(CHARGE).state, dacapo::State::Completed);
    let said = warnings.0.lock().unwrap().clone();
    assert!(said.contains("spans were not sent"), "{said}");
}

/// The environment is a process's own: the test starts itself in two of them.
#[test]
fn spans_are_of_the_function_the_app_and_the_stage() {
    let test = "tests::spans_are_of_the_function_the_app_and_the_stage";
    if let Some(expected) = variable("EXPECTED") {
        let of = resource("charge");
        let names = ["service.name", "service.namespace", "deployment.environment.name"];
        let values = names.map(|name| of.get(&name.into()).unwrap().to_string());
        return assert_eq!(values.join(" "), expected);
    }
    for (name, expected) in [("", "charge shop prod"), ("payments", "payments shop prod")] {
        let process = process::Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact"])
            .envs([
                ("OTEL_SERVICE_NAME", name),
                ("DACAPO_APP", "shop"),
                ("DACAPO_STAGE", "prod"),
                ("EXPECTED", expected),
            ])
            .output();
        let process = process.unwrap();
        assert!(process.status.success(), "{}", String::from_utf8_lossy(&process.stdout));
    }
}
