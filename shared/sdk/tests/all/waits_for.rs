//! The things that a waiting run is said to wait for.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::time::Duration;

use dacapo::{Id, WaitsFor, prelude::*};
use dacapo_test_kit::TestApp;

const WAIT: TaskRef<String> = TaskRef::new("wait");
const CHILD: TaskRef<u64> = TaskRef::new("child");
const PARENT: TaskRef<Option<u64>> = TaskRef::new("parent");

async fn wait(how: String, cx: TaskContext) -> Result<Outcome<String, ()>, TaskError> {
    let token = cx.token("approve");
    Ok(match &*how {
        "time" => Continue::after(hours(2), String::new()),
        "token" => Continue::when_told(token.await?, String::new()),
        "token for a day" => Continue::when_told(token.timeout(days(1)).await?, String::new()),
        _ => Done(()),
    })
}

async fn waits_for(how: &str) -> (TestApp, Id, Option<WaitsFor>) {
    let app = TestApp::new().with(task(WAIT, wait));
    let id = app.run(WAIT, how.to_owned()).await.unwrap().id();
    app.advance(seconds(1)).await;
    let awaited = app.state(id).await.unwrap().waits_for;
    (app, id, awaited)
}

#[tokio::test]
async fn waiting_run_says_what_it_waits_for_and_until_when() {
    let (app, id, awaited) = waits_for("time").await;
    let at = app.now() - seconds(1) + hours(2);
    assert_eq!(awaited, Some(WaitsFor::Time(at)));
    assert_eq!(app.state(id).await.unwrap().next_at(), Some(at));

    let (app, id, awaited) = waits_for("token for a day").await;
    let at = app.now() - seconds(1) + days(1);
    assert_eq!(awaited, Some(WaitsFor::Token { name: "approve".to_owned(), until: Some(at) }));
    app.client().pause(id).await.unwrap();
    let paused = app.state(id).await.unwrap();
    assert_eq!((paused.waits_for.clone(), paused.next_at()), (awaited, Some(at)), "its wait goes on");

    let (app, id, awaited) = waits_for("token").await;
    assert_eq!(awaited, Some(WaitsFor::Token { name: "approve".to_owned(), until: None }));
    assert_eq!(app.state(id).await.unwrap().next_at(), None);
    assert_eq!(app.run_of(WAIT).waits_for, awaited, "a list says the same");

    let (_, _, awaited) = waits_for("nothing").await;
    assert_eq!(awaited, None);
}

/// The children that a parent of so many waits for, and how many of them have ended, after each minute. The n-th child
/// ends after n minutes; the last starts a share of its own where there are 126.
#[tokio::test]
async fn parent_says_how_many_of_its_children_have_ended() {
    let child = async |minute: u64, _: TaskContext| {
        Ok::<_, TaskError>(if minute == 0 { Done(()) } else { Continue::after(minutes(minute), 0) })
    };
    let parent = async |children: Option<u64>, cx: TaskContext| {
        let Some(count) = children else { return Ok::<_, TaskError>(Done(())) };
        // The last is the first to end.
        let minutes = (0..count).map(|n| if n + 1 == count { 1 } else { n + 2 });
        let started = cx.batch(CHILD, minutes.collect::<Vec<_>>()).await?.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(Continue::when_done(started, None))
    };
    for count in [1, 2, 3, 125, 126, 127] {
        let app = TestApp::new().with(task(CHILD, child)).with(task(PARENT, parent));
        let id = app.run(PARENT, Some(count)).await.unwrap().id();
        app.advance(seconds(30)).await;
        for ended in 0..count.min(4) {
            let awaited = app.state(id).await.unwrap().waits_for;
            let (count, ended) = (usize::try_from(count).ok(), usize::try_from(ended).ok());
            assert_eq!(awaited, Some(WaitsFor::Children { count, ended }));
            app.advance(Duration::from_secs(60)).await;
        }
    }
}
