//! Executions: called once when due, told when to wait until, ended.

use dacapo_core::port::{Clock, ExecutionStatus, Loops};
use dacapo_domain::{CONDUCTOR, Ended, LoopCall, Message, seconds};

use super::Bench;
use crate::sqlite::{DueExecution, Ending};

fn call(bench: &Bench, round: u32) -> LoopCall {
    let (run, started) = (bench.clock.new_id(), bench.clock.now());
    LoopCall { run, function: "import".to_owned(), generation: 1, round, started, iteration: 2, attempt: 1 }
}

#[tokio::test]
async fn an_execution_is_called_once_when_its_wait_is_over() {
    let bench = Bench::new().await;
    let (database, call, start) = (&bench.database, call(&bench, 0), bench.clock.now());
    database.start("x", "import", &call, start + std::time::Duration::from_millis(4_001)).await.unwrap();
    bench.pass(std::time::Duration::from_millis(4_999));
    assert!(database.due_executions(10).await.unwrap().is_empty(), "whole seconds, rounded up");
    assert_eq!(database.next_due().await.unwrap(), Some(start + seconds(5)));

    bench.pass(std::time::Duration::from_millis(1));

    let due = DueExecution { name: "x".to_owned(), function: "import".to_owned(), call };
    assert_eq!(database.due_executions(10).await.unwrap(), [due]);
    assert!(database.due_executions(10).await.unwrap().is_empty(), "it is being called");
    assert_eq!(database.next_due().await.unwrap(), None);
    assert_eq!(database.status("x").await.unwrap(), ExecutionStatus::Running);
}

#[tokio::test]
async fn what_a_call_answers_is_the_next_wait() {
    let bench = Bench::new().await;
    let (database, first, second) = (&bench.database, call(&bench, 0), call(&bench, 1));
    database.start("x", "import", &first, bench.clock.now()).await.unwrap();
    database.due_executions(10).await.unwrap();

    assert!(database.set_execution("x", &second, bench.clock.now() + seconds(60)).await.unwrap());

    assert!(database.due_executions(10).await.unwrap().is_empty());
    bench.pass(seconds(60));
    assert_eq!(database.due_executions(10).await.unwrap()[0].call, second);
}

#[tokio::test]
async fn the_longest_overdue_are_called_first() {
    let bench = Bench::new().await;
    let (call, start) = (call(&bench, 0), bench.clock.now());
    for (name, wait) in [("b", 2), ("c", 3), ("a", 1)] {
        bench.database.start(name, "import", &call, start + seconds(wait)).await.unwrap();
    }
    bench.pass(seconds(9));
    let mut names = vec![];
    for _ in 0..3 {
        names.extend(bench.database.due_executions(1).await.unwrap().into_iter().map(|due| due.name));
    }
    assert_eq!(names, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_call_whose_engine_died_is_made_again() {
    let bench = Bench::new().await;
    bench.database.start("x", "import", &call(&bench, 0), bench.clock.now()).await.unwrap();
    bench.database.due_executions(10).await.unwrap();
    bench.database.recover().await.unwrap();
    assert_eq!(bench.database.due_executions(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_execution_that_was_stopped_while_it_called_stays_stopped() {
    let bench = Bench::new().await;
    bench.declare(CONDUCTOR).await;
    let (database, call) = (&bench.database, call(&bench, 0));
    database.start("x", "import", &call, bench.clock.now()).await.unwrap();
    database.due_executions(10).await.unwrap();

    database.stop("x", "aborted").await.unwrap();

    assert!(!database.set_execution("x", &call, bench.clock.now()).await.unwrap());
    assert!(!database.end_execution("x", Ending::Succeeded).await.unwrap());
    database.recover().await.unwrap();
    assert!(database.due_executions(10).await.unwrap().is_empty());
    let told = Ended {
        execution: "x".to_owned(),
        status: "ABORTED".to_owned(),
        error: None,
        cause: Some("aborted".to_owned()),
    };
    assert_eq!(bench.texts(CONDUCTOR).await, [Message::Ended(told).to_text()], "as AWS tells it, once");
}

#[tokio::test]
async fn the_conductor_hears_of_failures_and_not_of_successes() {
    let bench = Bench::new().await;
    bench.declare(CONDUCTOR).await;
    let (database, call) = (&bench.database, call(&bench, 0));
    for name in ["good", "bad"] {
        database.start(name, "import", &call, bench.clock.now()).await.unwrap();
    }
    assert!(database.end_execution("good", Ending::Succeeded).await.unwrap());
    let failed = Ending::Failed { error: "States.Timeout".to_owned(), cause: "too long".to_owned() };
    assert!(database.end_execution("bad", failed).await.unwrap());

    let told = bench.texts(CONDUCTOR).await;
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("FAILED") && told[0].contains("\"bad\"") && told[0].contains("too long"), "{told:?}");
    assert_eq!(database.status("bad").await.unwrap(), ExecutionStatus::Ended);
}
