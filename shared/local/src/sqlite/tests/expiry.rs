//! What has expired gives its space back.

use std::time::Duration;

use dacapo_core::port::{Clock, Created, LogEntry, LogLevel, Loops, Payloads, Store};
use dacapo_domain::{Json, LoopCall, NewRun, Run, Trigger, days, seconds};

use super::Bench;
use crate::sqlite::Ending;

fn run(bench: &Bench) -> Run {
    let new = NewRun {
        id: bench.clock.new_id(),
        name: "task".to_owned(),
        due_at: bench.clock.now(),
        trigger: Trigger::Run,
        parent_id: None,
        hops: 0,
        tags: vec![],
        key: Some("key".to_owned()),
        schedule: None,
        ttl: None,
        execution: None,
    };
    Run::create(new, &bench.clock.moment()).run
}

#[tokio::test]
async fn an_expired_run_is_deleted_with_its_logs_and_its_key() {
    let bench = Bench::new().await;
    let (database, run, now) = (&bench.database, run(&bench), bench.clock.now());
    database.create(&run, &Json::default(), Some(now)).await.unwrap();
    let (level, message) = (LogLevel::Info, "hello".to_owned());
    let entry = LogEntry { iteration: 1, attempt: 1, number: 1, time: now, level, message, data: None, error: None };
    database.log(run.id, &[entry]).await.unwrap();
    let ended = Run { version: bench.clock.moment().version(), ttl: Some(now.as_second() + 10), ..run.clone() };
    database.save(&run, &ended, &Payloads::default()).await.unwrap();

    bench.pass(seconds(9));
    assert_eq!(database.delete_expired(100).await.unwrap(), 0);
    bench.pass(seconds(1));
    assert!(database.logs(run.id, None, 10).await.unwrap().is_empty(), "hidden before it is deleted");
    assert_eq!(database.delete_expired(100).await.unwrap(), 1);

    assert_eq!(database.create(&run, &Json::default(), None).await.unwrap(), Created::New);
    assert!(database.logs(run.id, None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn messages_and_names_of_executions_go_when_nobody_can_ask_for_them() {
    let bench = Bench::new().await;
    let (database, now) = (&bench.database, bench.clock.now());
    bench.send("forgotten", Duration::ZERO).await;
    let run = run(&bench).id;
    let call = LoopCall {
        run,
        function: "import".to_owned(),
        generation: 1,
        round: 0,
        started: now,
        iteration: 2,
        attempt: 1,
    };
    database.start("ended", "import", &call, now).await.unwrap();
    database.end_execution("ended", Ending::Succeeded).await.unwrap();
    database.start("waits", "import", &call, now + days(300)).await.unwrap();

    bench.pass(days(14) - seconds(1));
    assert_eq!(database.delete_expired(100).await.unwrap(), 0);
    bench.pass(seconds(1));
    assert_eq!(database.delete_expired(100).await.unwrap(), 1, "the message");
    bench.pass(days(76));
    assert_eq!(database.delete_expired(100).await.unwrap(), 1, "the name of the one that ended");
    bench.pass(days(210));
    assert_eq!(database.due_executions(10).await.unwrap().len(), 1);
}
