//! Runs that wait for their children, and aborts that reach them.

use app::{IMPORT_AIRPORTS, Import, Imported, Validation};
use chaos::{CHAOS, Chaos, Mischief};
use dacapo::State;
use dacapo_domain::{Index, Query, RunRecord};

use crate::app::{App, eventually, result};

#[tokio::test]
async fn import_waits_for_the_runs_that_validate_its_pages_without_an_execution() {
    let app = App::deployed().await;
    let import = Import { validation: Validation::Asked, pause_s: 0, ..Import::default() };
    let id = app.client.run(IMPORT_AIRPORTS, import).await.unwrap().id();
    let record = app.ended(id).await;
    assert_eq!(record.state, State::Completed, "{record:#?}");
    assert!(record.iteration >= 2, "{record:#?}");
    assert_eq!(result::<Imported>(&record).rows, 7_884);
    let execution = app.sfn.describe_execution().execution_arn(app.execution(id, 1).await).send().await;
    assert!(execution.is_err(), "what waits for children needs no wait loop");
}

#[tokio::test]
async fn abort_is_seen_by_the_handler_that_executes_and_reaches_its_child() {
    let app = App::deployed().await;
    let listen = Chaos { attempts: vec![Mischief::Listen], ..Chaos::default() };
    let id = app.client.run(CHAOS, listen).await.unwrap().id();
    let partitions = vec![RunRecord::partition_of_children(id)];
    let query = Query { index: Index::Parent, partitions, from: None, below: None, descending: false, limit: 10 };
    let child = eventually("the child is there", || async {
        let page = app.client.ports().records.query(&query).await.unwrap();
        let child = page.records.first().map(|stored| stored.header.key.id.parse().unwrap());
        child.ok_or_else(|| format!("{page:?}"))
    });
    let child = child.await;

    app.client.abort(id, "enough").await.unwrap();

    let record = app.ended(id).await;
    assert_eq!((record.state, record.attempt, record.message.as_deref()), (State::Aborted, 1, Some("enough")));
    let child = app.ended(child).await;
    assert_eq!(child.state, State::Aborted);
    assert_eq!(child.message, Some(format!("its parent, run {id}, was aborted: enough")));
}
