//! Executions: called once when due, told when to wait until, ended.

use std::collections::BTreeMap;

use dacapo_core::port::{Clock, ExecutionStatus, Probe};
use dacapo_domain::{CONDUCTOR, Effect, ExecutionEnded, Message, WaitLoopCall, run::ExecutionEnd, seconds};

use super::Bench;
use crate::sqlite::{DueExecution, Ending, Rooms};

#[tokio::test]
async fn execution_is_called_once_when_its_wait_is_over() {
    let bench = Bench::new().await;
    let (database, call, start) = (&bench.database, bench.call(0), bench.clock.now());
    bench.start("x", &call, start + std::time::Duration::from_millis(4_001)).await;
    bench.pass(std::time::Duration::from_millis(4_999));
    assert!(bench.due_executions().await.is_empty(), "whole seconds, rounded up");
    assert_eq!(bench.next_due().await, Some(start + seconds(5)));

    bench.pass(std::time::Duration::from_millis(1));

    let due = DueExecution { name: "x".to_owned(), function: "import".to_owned(), call };
    assert_eq!(bench.due_executions().await, [due]);
    assert!(bench.due_executions().await.is_empty(), "it is being called");
    assert_eq!(bench.next_due().await, None);
    assert_eq!(database.execution_status("x").await.unwrap(), ExecutionStatus::Running);
}

#[tokio::test]
async fn answer_of_a_call_is_the_next_wait() {
    let bench = Bench::new().await;
    let (database, first, second) = (&bench.database, bench.call(0), bench.call(1));
    bench.start("x", &first, bench.clock.now()).await;
    bench.due_executions().await;

    assert!(database.set_execution("x", &second, bench.clock.now() + seconds(60)).await.unwrap());

    assert!(bench.due_executions().await.is_empty());
    bench.pass(seconds(60));
    assert_eq!(bench.due_executions().await[0].call, second);
}

#[tokio::test]
async fn executions_are_called_the_longest_overdue_first() {
    let bench = Bench::new().await;
    let (call, start) = (bench.call(0), bench.clock.now());
    for (name, wait) in [("b", 2), ("c", 3), ("a", 1)] {
        bench.start(name, &call, start + seconds(wait)).await;
    }
    bench.pass(seconds(9));
    let mut names = vec![];
    for _ in 0..3 {
        names.extend(bench.due(1).await.executions.into_iter().map(|due| due.name));
    }
    assert_eq!(names, ["a", "b", "c"]);
}

#[tokio::test]
async fn call_whose_engine_died_is_made_again() {
    let bench = Bench::new().await;
    bench.start("x", &bench.call(0), bench.clock.now()).await;
    bench.due_executions().await;
    bench.database.recover().await.unwrap();
    assert_eq!(bench.due_executions().await.len(), 1);
}

#[tokio::test]
async fn execution_that_was_stopped_while_it_called_stays_stopped() {
    let bench = Bench::new().await;
    bench.declare(CONDUCTOR).await;
    let (database, call) = (&bench.database, bench.call(0));
    bench.start("x", &call, bench.clock.now()).await;
    bench.due_executions().await;

    bench.post(Effect::StopWaitLoop { execution: "x".to_owned(), cause: "aborted".to_owned() }).await;

    assert!(!database.set_execution("x", &call, bench.clock.now()).await.unwrap());
    assert!(!database.end_execution("x", Ending::Succeeded).await.unwrap());
    database.recover().await.unwrap();
    assert!(bench.due_executions().await.is_empty());
    let told = ExecutionEnded {
        execution: "x".to_owned(),
        status: "ABORTED".to_owned(),
        error: None,
        cause: Some("aborted".to_owned()),
        started: None,
    };
    assert_eq!(bench.texts(CONDUCTOR).await, [Message::ExecutionEnded(told).to_text()], "as AWS tells it, once");
}

#[tokio::test]
async fn conductor_hears_of_failures_and_not_of_successes() {
    let bench = Bench::new().await;
    bench.declare(CONDUCTOR).await;
    let (database, call) = (&bench.database, bench.call(0));
    for name in ["good", "bad"] {
        bench.start(name, &call, bench.clock.now()).await;
    }
    assert!(database.end_execution("good", Ending::Succeeded).await.unwrap());
    let failed = Ending::Failed { error: "States.Timeout".to_owned(), cause: "too long".to_owned() };
    assert!(database.end_execution("bad", failed).await.unwrap());

    let told = bench.texts(CONDUCTOR).await;
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("FAILED") && told[0].contains("\"bad\"") && told[0].contains("too long"), "{told:?}");
    assert_eq!(database.execution_status("good").await.unwrap(), ExecutionStatus::Ended(None));
    let how = ExecutionEnd::of("FAILED", Some("States.Timeout"), None);
    assert_eq!(database.execution_status("bad").await.unwrap(), ExecutionStatus::Ended(how));
}

#[tokio::test]
async fn executions_of_a_function_without_room_hold_up_no_others() {
    let bench = Bench::new().await;
    let call = |function: &str| WaitLoopCall { function: function.to_owned(), ..bench.call(0) };
    for (name, function) in [("a", "busy"), ("b", "busy"), ("c", "other"), ("d", "gone")] {
        bench.start(name, &call(function), bench.clock.now()).await;
    }
    let rooms = |busy| Rooms {
        executions: BTreeMap::from([("busy".to_owned(), busy), ("other".to_owned(), 1)]),
        orphans: 1,
        ..Rooms::default()
    };
    let taken = async |busy| -> Vec<String> {
        bench.database.take_due(rooms(busy)).await.unwrap().executions.into_iter().map(|due| due.name).collect()
    };

    assert_eq!(taken(0).await, ["d", "c"]);
    assert_eq!(bench.next_due().await, Some(bench.clock.now()), "what found no room is due");
    assert_eq!(taken(1).await, ["a"]);
    assert_eq!(taken(9).await, ["b"]);
}

#[tokio::test]
async fn execution_whose_call_can_not_be_read_ends_and_stops_nothing() {
    let bench = Bench::new().await;
    bench.declare(CONDUCTOR).await;
    let call = bench.call(0);
    for name in ["broken", "good"] {
        bench.start(name, &call, bench.clock.now()).await;
    }
    bench.spoil("UPDATE executions SET call = '{\"run\":7}' WHERE name = 'broken'").await;
    bench.send("beside it", std::time::Duration::ZERO).await;

    let rooms = Rooms { messages: BTreeMap::from([("greet".to_owned(), 1)]), orphans: 9, ..Rooms::default() };
    let due = bench.database.take_due(rooms).await.unwrap();

    assert_eq!(due.executions.iter().map(|due| &*due.name).collect::<Vec<_>>(), ["good"]);
    assert_eq!(due.messages.len(), 1, "what is due beside it is taken");
    let [said] = &due.unreadable[..] else { panic!("{due:?}") };
    assert!(said.starts_with("the wait loop broken ends, and its run goes on in another: its call in the"), "{said}");
    let told = bench.texts(CONDUCTOR).await;
    assert!(told[0].contains("States.Runtime") && told[0].contains("\"broken\""), "{told:?}");
    assert!(bench.due(9).await.unreadable.is_empty(), "it is said once");
}
