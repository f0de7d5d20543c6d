//! Executions of the wait loop that end from outside.

use super::*;

/// A run of a task that an execution of a foreign name calls, as `start-execution` makes one, and that execution's end
/// as the service tells it.
async fn started_by_hand(app: &TestApp, execution: &str) -> (Id, ExecutionEnded) {
    let start = Start {
        task: COUNT.name().to_owned(),
        body: Json::of(&0).unwrap(),
        execution: execution.to_owned(),
        started: app.now(),
    };
    let ended = ExecutionEnded {
        execution: execution.to_owned(),
        status: "ABORTED".to_owned(),
        error: None,
        cause: None,
        started: Some(start.started),
    };
    let conductor = Conductor::new(ports(app).clone(), None);
    conductor.invoke(Json::of(&Invocation::Start(start)).unwrap()).await.unwrap();
    (app.run_of(COUNT).id, ended)
}

/// A task that counts and goes on an hour later, ten times.
fn hourly(calls: &Calls) -> impl Function + use<> {
    let calls = calls.clone();
    task(COUNT, move |n: u32, _: TaskContext| {
        calls.next();
        async move { Ok(if n < 10 { Continue::after(hours(1), n + 1) } else { Done(n) }) }
    })
}

#[tokio::test]
async fn execution_that_was_started_by_hand_and_ends_from_outside_ends_its_run() -> Tested {
    for (status, error, state, calls_made) in [
        ("ABORTED", None, State::Aborted, 0),
        ("FAILED", Some("States.DataLimitExceeded"), State::Failed, 0),
        ("FAILED", Some("States.Runtime"), State::Completed, 11),
    ] {
        let calls = Calls::default();
        let app = TestApp::new().with(hourly(&calls));
        let (id, ended) = started_by_hand(&app, "6b1a3a5e-0000-4000-8000-000000000000").await;
        let ended = ExecutionEnded { status: status.to_owned(), error: error.map(str::to_owned), ..ended };
        Conductor::new(ports(&app).clone(), None).deliver(&Message::ExecutionEnded(ended).to_text()).await?;
        let at_once = app.client().state(id).await?.state;
        assert!(at_once == state || state == State::Completed, "{status} {error:?}: {at_once}");
        app.advance(days(3)).await;
        assert_eq!((app.client().state(id).await?.state, calls.so_far()), (state, calls_made), "{status} {error:?}");
    }
    Ok(())
}

#[tokio::test]
async fn run_whose_execution_was_stopped_is_aborted_though_the_event_was_lost() -> Tested {
    let calls = Calls::default();
    let app = TestApp::new().with(hourly(&calls));
    let name = "6b1a3a5e-0000-4000-8000-000000000000";
    let (by_hand, _) = started_by_hand(&app, name).await;
    let record = load::<RunRecord>(ports(&app), &RunRecord::key_of(by_hand)).await?.ok_or("no run")?.record;
    let (call, until) = (WaitLoopCall::first(&record, app.now()), app.now() + minutes(1));
    ports(&app).outbox.post(&Effect::StartWaitLoop { execution: name.to_owned(), call, until }).await?;
    let waiting = app.run(COUNT, 0).await?.id();
    app.advance(minutes(90)).await;
    assert_eq!((app.client().state(waiting).await?.state, calls.so_far()), (State::Waiting, 4));

    for execution in [name.to_owned(), format!("{waiting}-1")] {
        app.database.end_execution(&execution, Ending::Aborted { cause: "by hand".to_owned() }).await?;
        let [event] = &app.database.receive(CONDUCTOR, 10).await?[..] else { panic!("an event") };
        app.database.acknowledge(event.receipt).await?;
    }
    app.advance(days(3)).await;
    for id in [by_hand, waiting] {
        assert_eq!(app.client().state(id).await?.state, State::Aborted);
    }
    assert_eq!(calls.so_far(), 4);
    Ok(())
}

#[tokio::test]
async fn crash_in_an_execution_whose_history_is_full_is_answered_with_a_successor() -> Tested {
    for (tries, is_full) in [(0, false), (6_600, true)] {
        let app = TestApp::new().with(hourly(&Calls::default()));
        let (id, _) = started_by_hand(&app, "6b1a3a5e-0000-4000-8000-000000000000").await;
        let record = load::<RunRecord>(ports(&app), &RunRecord::key_of(id)).await?.ok_or("no run")?.record;
        let call = WaitLoopCall { tries, ..WaitLoopCall::first(&record, app.now()) };
        let crash = Invocation::Crash(CrashReport { call, cause: "out of memory".to_owned(), retries: 3 });
        let answer = Conductor::new(ports(&app).clone(), None).invoke(Json::of(&crash)?).await?;
        match answer.parse()? {
            WaitLoopAnswer::Wait { call, .. } => assert_eq!((is_full, call.tries), (false, 137)),
            WaitLoopAnswer::Handover { call, .. } => {
                assert_eq!((is_full, call.tries, call.generation), (true, 0, 2));
            }
            WaitLoopAnswer::Stop { .. } => panic!("it goes on"),
        }
    }
    Ok(())
}
