//! Long runs: the loop waits and calls again.

use app::{IMPORT_AIRPORTS, Import, Imported};
use aws_sdk_dynamodb::types::{AttributeValue, TimeToLiveStatus};
use aws_sdk_sfn::types::{ExecutionStatus, HistoryEventType};
use dacapo::{State, Trigger, days};

use crate::app::{App, eventually, result};

#[tokio::test]
async fn import_airports_goes_to_its_end_through_rounds_of_the_loop() {
    let app = App::deployed().await;
    let import = Import { rows_per_page: 2_000, pause_s: 1, ..Import::default() };

    let id = app.client.run(IMPORT_AIRPORTS, import).await.unwrap().id();
    let record = app.ended(id).await;

    let imported: Imported = result(&record);
    assert_eq!(imported.rows, 7_884);
    assert_eq!(imported.northernmost.unwrap().name, "Alert Airport");
    assert_eq!((record.iteration, record.attempt, record.trigger), (4, 1, Trigger::Run));
    assert_eq!(record.progress_message.as_deref(), Some("7884 of 7884 airports"));
    assert_eq!(record.progress_percent, Some(1.0));
    assert!(record.completed_at > record.started_at && record.started_at >= Some(record.created_at), "{record:#?}");

    // One execution drove it, named after run and generation, and waited before each of its rounds.
    let execution = app.execution(id, 1).await;
    let ended = eventually("the execution has ended", || async {
        let reply = app.sfn.describe_execution().execution_arn(&execution).send().await.unwrap();
        if reply.status() == &ExecutionStatus::Running { Err(format!("{reply:?}")) } else { Ok(reply) }
    });
    let ended = ended.await;
    assert_eq!(ended.status(), &ExecutionStatus::Succeeded, "{ended:?}");
    let output: serde_json::Value = serde_json::from_str(ended.output().unwrap()).unwrap();
    assert_eq!(output, serde_json::json!({ "id": id, "state": "completed" }));
    let history = app.sfn.get_execution_history().execution_arn(&execution).into_paginator().items().send();
    let history = history.collect::<Result<Vec<_>, _>>().await.unwrap();
    // A call that is early by the function's own clock is answered with the rest: one more wait, and no iteration.
    let states: Vec<&HistoryEventType> = history.iter().map(|event| event.r#type()).collect();
    let waits = states.iter().filter(|state| ***state == HistoryEventType::WaitStateEntered).count();
    assert!(waits >= 3, "{states:?}");
}

#[tokio::test]
async fn an_ended_run_is_kept_in_dynamodb_with_its_logs_until_its_time_is_over() {
    let app = App::deployed().await;
    let table = app.localstack.prefix();
    let time_to_live = app.dynamodb.describe_time_to_live().table_name(&table).send().await.unwrap();
    let time_to_live = time_to_live.time_to_live_description().unwrap();
    assert_eq!(time_to_live.attribute_name(), Some("expiresAtS"));
    assert_eq!(time_to_live.time_to_live_status(), Some(&TimeToLiveStatus::Enabled));

    // It waits long enough to be seen waiting on a busy machine.
    let import = Import { rows_per_page: 4_000, pause_s: 20, ..Import::default() };
    let id = app.client.run(IMPORT_AIRPORTS, import).await.unwrap().id();
    let waiting = app.is(id, State::Waiting).await;
    assert_eq!(waiting.expires_at_s, None, "a record never expires while its run is unfinished");
    let record = app.ended(id).await;

    // The task keeps its history for 30 days; TTL is in whole seconds, rounded up.
    let kept_until = (record.completed_at.unwrap() + days(30)).as_second() + 1;
    assert_eq!(record.expires_at_s, Some(kept_until));
    let logs = app.client.logs(id).await.unwrap();
    let logs: Vec<(u32, &str)> = logs.iter().map(|entry| (entry.iteration, &*entry.message)).collect();
    assert_eq!(logs, [(1, "read 4000 of 7884 airports"), (2, "read 7884 of 7884 airports")]);
    // What is stored beside the record gets its time once the record has its own.
    eventually("all that is kept of the run ends with it", || async {
        let query = app.dynamodb.query().table_name(&table).key_condition_expression("pk = :run");
        let query = query.expression_attribute_values(":run", AttributeValue::S(format!("run/{id}")));
        let items = query.consistent_read(true).send().await.unwrap().items.unwrap();
        let item = items.iter().find(|item| item["sk"] == AttributeValue::S("record".to_owned())).unwrap();
        assert!(item["doc"].as_s().unwrap().contains("completed"), "{item:#?}");
        let kept_until = AttributeValue::N(kept_until.to_string());
        if items.iter().all(|item| item["expiresAtS"] == kept_until) { Ok(()) } else { Err(format!("{items:#?}")) }
    })
    .await;
}

#[tokio::test]
async fn abort_while_waiting_stops_the_execution() {
    let app = App::deployed().await;
    let import = Import { rows_per_page: 1_000, pause_s: 3_600, ..Import::default() };
    let id = app.client.run(IMPORT_AIRPORTS, import).await.unwrap().id();
    app.is(id, State::Waiting).await;
    let execution = app.execution(id, 1).await;
    eventually("the execution is running", || async {
        match app.sfn.describe_execution().execution_arn(&execution).send().await {
            Ok(reply) if reply.status() == &ExecutionStatus::Running => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;

    let record = app.client.abort(id, "not needed any more").await.unwrap();

    assert_eq!(record.state, State::Aborted);
    assert_eq!(record.message.as_deref(), Some("not needed any more"));
    eventually("the execution is stopped", || async {
        let reply = app.sfn.describe_execution().execution_arn(&execution).send().await.unwrap();
        if reply.status() == &ExecutionStatus::Aborted { Ok(()) } else { Err(format!("{reply:?}")) }
    })
    .await;
    assert_eq!(app.ended(id).await.iteration, record.iteration, "no iteration follows an abort");
}
