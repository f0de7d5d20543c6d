//! Names and ids.

use dacapo::{Client, ListFilter, prelude::*};
use dacapo_domain::{DeliveryFilter, Id};

use crate::both::{Both, GONE, HIDDEN, REPORT, json};

#[tokio::test]
async fn name_or_id_that_is_none_is_refused_by_both_engines_alike() {
    let mut both = Both::new().await;
    let long = "x".repeat(65);
    for name in ["", "reports", "REPORT", "report ", "order.paid", "\u{202e}\u{0}", "dacapo.bulk", &long, "hidden"] {
        let run = async |client: Client| client.run_by_name(name, json("1")).await;
        both.refuse(&format!("run_by_name({name:?})"), run).await;
    }
    both.refuse("run(GONE), which isn't deployed", async |client| client.list(of_task("gone")).await).await;
    for name in ["", "task.completed:report", &"e".repeat(129)] {
        let publish = async |client: Client| client.publish_by_name(name, json("1")).await;
        both.refuse(&format!("publish_by_name({name:?})"), publish).await;
    }
    schedules(&mut both).await;
    for name in ["", "lables", "task.gone", &"q".repeat(300)] {
        both.refuse(&format!("queues().pause({name:?})"), async |client| client.queues().pause(name).await).await;
    }
    both.refuse("queues().resume(\"lables\")", async |client| client.queues().resume("lables").await).await;
    ids(&mut both).await;
    both.are("names");
}

fn of_task(task: &str) -> ListFilter {
    ListFilter { task: Some(task.to_owned()), ..ListFilter::default() }
}

async fn schedules(both: &mut Both) {
    let daily = || every("1 day");
    for name in ["", &"s".repeat(257)] {
        let put = async |client: Client| client.schedules().put(name, REPORT, daily(), json("1")).await;
        both.refuse(&format!("schedules().put({name:?})"), put).await;
    }
    both.refuse("schedules().put of a task that isn't deployed", async |client| {
        client.schedules().put("s", GONE, daily(), json("1")).await
    })
    .await;
    both.refuse("schedules().put_by_name(\"reports\")", async |client| {
        client.schedules().put_by_name("s", "reports", daily(), json("1")).await
    })
    .await;
    both.refuse("schedules().put_by_name of a private task", async |client| {
        client.schedules().put_by_name("s", HIDDEN.name(), daily(), json("1")).await
    })
    .await;
    for name in ["", "nightly"] {
        both.refuse(&format!("schedules().get({name:?})"), async |client| client.schedules().get(name).await).await;
        both.refuse(&format!("schedules().pause({name:?})"), async |client| client.schedules().pause(name).await).await;
        both.refuse(&format!("schedules().delete({name:?})"), async |client| client.schedules().delete(name).await)
            .await;
    }
    both.refuse("schedules().upcoming(\"nightly\", 1001)", async |client| {
        client.schedules().upcoming("nightly", 1_001).await
    })
    .await;
    let declared = async |client: &Client| client.schedules().list().await.unwrap()[0].name.clone();
    both.refuse("schedules().put of one that is declared", async |client| {
        client.schedules().put(&declared(&client).await, REPORT, daily(), json("1")).await
    })
    .await;
    both.refuse("schedules().delete of one that is declared", async |client| {
        client.schedules().delete(&declared(&client).await).await
    })
    .await;
}

async fn ids(both: &mut Both) {
    let id: Id = "01KDVJ29Q0Q0B9FME0N1VT25N3".parse().unwrap();
    both.refuse("state of a run that isn't there", async |client| client.state(id).await).await;
    both.refuse("abort of a run that isn't there", async |client| client.abort(id, "no").await).await;
    both.refuse("pause of a run that isn't there", async |client| client.pause(id).await).await;
    both.refuse("resume of a run that isn't there", async |client| client.resume(id).await).await;
    both.refuse("reschedule of a run that isn't there", async |client| client.reschedule(id, "1 day").await).await;
    both.refuse("replay of a run that isn't there", async |client| client.replay(id, None).await).await;
    both.refuse("wait for a run that isn't there", async |client| client.wait_for(id).await).await;
    both.refuse("logs of a run that isn't there", async |client| client.logs(id).await).await;
    both.refuse("steps of a run that isn't there", async |client| client.steps(id).await).await;
    both.refuse("usage of a run that isn't there", async |client| client.usage(id).await).await;
    for given in ["", "1", "../1", &"d".repeat(3_000)] {
        both.refuse(&format!("deliveries().get({given:?})"), async |client| client.deliveries().get(given).await).await;
    }
    both.refuse("deliveries().redrive(\"1\")", async |client| client.deliveries().redrive("1").await).await;
    both.refuse("deliveries().delete(\"1\")", async |client| client.deliveries().delete("1").await).await;
    for (function, event) in [(Some("event-1"), None), (None, Some("order.payed"))] {
        let (function, event) = (function.map(str::to_owned), event.map(str::to_owned));
        let filter = DeliveryFilter { function, event, ..DeliveryFilter::default() };
        let given = format!("deliveries().list of function {:?}, event {:?}", filter.function, filter.event);
        both.refuse(&given, async |client| client.deliveries().list(filter.clone()).await).await;
    }
    for token in ["", "abc", "!", &"A".repeat(2_000), &"A".repeat(64)] {
        both.refuse(&format!("complete({token:?})"), async |client| client.complete(token, 1).await).await;
    }
}
