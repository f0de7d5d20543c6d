//! The time that Dacapo adds to an invocation: the same handler, the same Runtime API, one message at a time.

use std::{path::Path, time::Duration};

use dacapo_core::port::{Clock, SystemClock};
use dacapo_domain::{Message, NewRun, RunMessage, RunRecord, Trigger};
use echo::{ECHO, Said};
use serde_json::json;

use crate::{
    AnyError,
    machine::{self, median, ratio, show},
    runtime_api::Function,
    table::Row,
};

/// Turns of each of the two, one after the other, so that what else the machine does hits both.
const TURNS: u32 = 40;
/// Invocations of a turn.
const INVOCATIONS: u32 = 100;

pub fn measure() -> Result<Vec<Row>, AnyError> {
    let runtime = machine::runtime()?;
    let mut rows = runtime.block_on(compare("on all cores", false))?;
    // A function of up to 1,769 MB has one, or a part of one.
    let one = runtime.block_on(compare("on one core", true));
    rows.extend(one.unwrap_or_else(|error| vec![Row::note("on one core: not measured", error.to_string())]));
    Ok(rows)
}

async fn compare(place: &str, on_one_core: bool) -> Result<Vec<Row>, AnyError> {
    let (mut bare, _) = Function::start(Path::new(env!("CARGO_BIN_EXE_bench-bare")), &[]).await?;
    let (mut ours, _) =
        Function::start(Path::new(env!("CARGO_BIN_EXE_bench-dacapo")), &[("DACAPO_BENCH_MEMORY", "1")]).await?;
    if on_one_core {
        machine::pin(bare.pid())?;
        machine::pin(ours.pid())?;
    }
    let body = serde_json::to_string(&Said::default())?;
    let (mut bare_times, mut our_times) = (vec![], vec![]);
    for turn in 0..=TURNS {
        let bares = times(&mut bare, || body.clone()).await?;
        let ourses = times(&mut ours, || run_message().to_text()).await?;
        // The first turn warms up.
        if turn > 0 {
            bare_times.extend(bares);
            our_times.extend(ourses);
        }
    }
    let (bare, ours) = (median(&mut bare_times), median(&mut our_times));
    Ok(vec![
        Row::note(format!("{place}: lambda_runtime, median"), show(bare)),
        Row::note(format!("{place}: Dacapo, median"), show(ours)),
        Row::new(format!("{place}: ratio"), ratio(ours.as_secs_f64(), bare.as_secs_f64()), "≤ 1.10×"),
    ])
}

async fn times(function: &mut Function, message: impl Fn() -> String) -> Result<Vec<Duration>, AnyError> {
    let mut times = vec![];
    for _ in 0..INVOCATIONS {
        let (took, answer) = function.invoke(batch(&message())).await?;
        if answer != r#"{"batchItemFailures":[]}"# {
            return Err(format!("the message was not handled: {answer}").into());
        }
        times.push(took);
    }
    Ok(times)
}

/// A new run's message, as its sender writes it.
fn run_message() -> Message {
    let clock = SystemClock;
    let new = NewRun::at(clock.new_id(), ECHO.name(), clock.now(), Trigger::Run);
    Message::Run(RunMessage::about(&RunRecord::create(new, &clock.decision_context()).record))
}

/// A message as an event source mapping brings it.
pub fn batch(message: &str) -> String {
    let record = json!({
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": message,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1545082649183",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1545082649185",
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:sample-bench-echo",
        "awsRegion": "eu-west-1",
    });
    json!({ "Records": [record] }).to_string()
}
