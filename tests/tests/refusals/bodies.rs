//! Bodies, at every way in.

use dacapo::{Client, Error, Json, prelude::*};
use dacapo_domain::limits;

use crate::both::{Both, PAID, REPORT, json};

/// Bodies that some reader of JSON refuses, or that are too large.
fn bodies() -> Vec<(&'static str, Json)> {
    vec![
        ("half a surrogate pair", json(r#"["\ud83d"]"#)),
        ("1e999", json("1e999")),
        ("-1e999", json("-1e999")),
        ("129 levels", json(&("[".repeat(129) + &"]".repeat(129)))),
        ("100,000 levels", json(&("[".repeat(100_000) + &"]".repeat(100_000)))),
        ("1,048,576 bytes", json(&format!("\"{}\"", "x".repeat(limits::MESSAGE_BYTES - 2)))),
    ]
}

#[tokio::test]
async fn body_that_can_t_be_used_is_refused_by_both_engines_alike() {
    let mut both = Both::new().await;
    for (given, body) in bodies() {
        let run = async |client: Client| client.run(REPORT, body.clone()).await;
        both.refuse(&format!("run with {given}"), run).await;
        let publish = async |client: Client| client.publish(PAID, body.clone()).await;
        both.refuse(&format!("publish with {given}"), publish).await;
        let put = async |client: Client| client.schedules().put("s", REPORT, every("1 day"), body.clone()).await;
        both.refuse(&format!("schedules().put with {given}"), put).await;
        let batch = async |client: Client| {
            let started: Vec<Result<_, Error>> = client.batch(REPORT, [body.clone()]).await?;
            started.into_iter().next().unwrap()
        };
        both.refuse(&format!("batch with {given}"), batch).await;
    }
    const RATIO: TaskRef<f64> = TaskRef::new("report");
    both.refuse("run with NaN", async |client| client.run(RATIO, f64::NAN).await).await;
    both.refuse("run with infinity", async |client| client.run(RATIO, f64::INFINITY).await).await;
    const BY_PLACE: TaskRef<std::collections::BTreeMap<(u8, u8), u8>> = TaskRef::new("report");
    let map = async |client: Client| client.run(BY_PLACE, [((1, 2), 3)].into()).await;
    both.refuse("run with a map whose keys are no texts", map).await;
    both.are("bodies");
}
