//! Runs: created once, then replaced by whoever has seen the last version.

use std::time::Duration;

use dacapo::port::{Created, Payloads, Saved};
use dacapo_domain::{State, days, seconds};
use futures::future::join_all;

use super::{
    Bench,
    fixture::{changed, create, due_run, ended_run, json, load, new_run, now, save, stored_run, version},
};

/// What was stored is there, also for whoever opens the store next.
pub async fn a_new_run_is_there_with_its_body(bench: &impl Bench) {
    let run = due_run(bench, &bench.unique("task"), now(bench) + seconds(60));
    let body = json(r#"{"name":"Ada"}"#);

    let created = bench.ports().store.create(&run, &body, None).await.unwrap();
    bench.reopen().await;

    assert_eq!(created, Created::New);
    let stored = load(bench, run.id).await.expect("the run is there");
    assert_eq!((stored.run, stored.body), (run, Some(body)));
    assert_eq!((stored.input, stored.result), (None, None));
}

/// An id that nobody used is no error.
pub async fn a_run_that_is_not_there_is_none(bench: &impl Bench) {
    assert_eq!(load(bench, bench.ports().clock.new_id()).await, None);
}

/// The second to create a run gets the first one's record, and changes nothing.
pub async fn a_run_is_created_once(bench: &impl Bench) {
    let first = new_run(bench, &bench.unique("task"));
    let second = changed(bench, &first, |run| run.tags = vec!["second".to_owned()]);
    bench.ports().store.create(&first, &json("1"), None).await.unwrap();

    let created = bench.ports().store.create(&second, &json("2"), None).await.unwrap();

    assert_eq!(created, Created::Exists(first.clone()));
    let stored = load(bench, first.id).await.expect("the run is there");
    assert_eq!((stored.run, stored.body), (first, Some(json("1"))));
}

/// A reply was lost and the call is made again: it is the same run, not another's.
pub async fn a_create_tried_again_finds_that_it_has_won(bench: &impl Bench) {
    let run = stored_run(bench, &bench.unique("task")).await;
    assert_eq!(bench.ports().store.create(&run, &json("{}"), None).await.unwrap(), Created::New);
}

/// Ten at once: one stores the run, nine get it.
pub async fn of_many_who_create_a_run_one_wins(bench: &impl Bench) {
    let first = new_run(bench, &bench.unique("task"));
    let takers: Vec<_> = (0..10).map(|_| changed(bench, &first, |_| ())).collect();
    let (store, body) = (bench.ports().store, json("{}"));

    let created = join_all(takers.iter().map(|run| store.create(run, &body, None))).await;

    let created: Vec<Created> = created.into_iter().map(Result::unwrap).collect();
    let winner = created.iter().position(|created| *created == Created::New).expect("one of them wins");
    for (place, created) in created.into_iter().enumerate().filter(|(place, _)| *place != winner) {
        assert_eq!(created, Created::Exists(takers[winner].clone()), "taker {place}");
    }
}

/// The whole record is replaced: what is set, what changes, what goes.
pub async fn a_save_replaces_the_record(bench: &impl Bench) {
    let run = stored_run(bench, &bench.unique("task")).await;
    let now = now(bench);
    let running = changed(bench, &run, |run| {
        run.state = State::Running;
        run.started_at = Some(now);
        run.tags = vec!["a".to_owned(), "b".to_owned()];
    });
    let waiting = changed(bench, &running, |run| {
        run.state = State::Waiting;
        run.tags = vec![];
        run.iteration = 2;
        run.watch_at = None;
    });

    assert_eq!(save(bench, &run, &running).await.run, running);
    assert_eq!(load(bench, run.id).await.expect("the run is there").run, running);
    assert_eq!(save(bench, &running, &waiting).await.run, waiting);
    bench.reopen().await;
    assert_eq!(load(bench, run.id).await.expect("the run is there").run, waiting);
}

/// Payloads that a save brings are stored with it; the others stay what they were.
pub async fn a_save_stores_the_payloads_it_brings(bench: &impl Bench) {
    let first = stored_run(bench, &bench.unique("task")).await;
    let second = changed(bench, &first, |run| run.iteration = 2);
    let third = changed(bench, &second, |run| run.iteration = 3);
    let fourth = changed(bench, &third, |run| run.state = State::Completed);
    let input = |text: &str| Payloads { input: Some(json(text)), result: None };
    let store = bench.ports().store;

    store.save(&first, &second, &input("1")).await.unwrap();
    assert_eq!(load(bench, first.id).await.unwrap().input, Some(json("1")));
    store.save(&second, &third, &input("2")).await.unwrap();
    assert_eq!(load(bench, first.id).await.unwrap().input, Some(json("2")));
    let result = Payloads { input: None, result: Some(json(r#""done""#)) };
    store.save(&third, &fourth, &result).await.unwrap();

    let stored = load(bench, first.id).await.unwrap();
    assert_eq!(stored.body, Some(json("{}")));
    assert_eq!(stored.input, Some(json("2")));
    assert_eq!(stored.result, Some(json(r#""done""#)));
}

/// What a save's reply gives of the payloads is what stands there; what it leaves out can be loaded.
pub async fn a_save_gives_the_payloads_as_far_as_they_are_at_hand(bench: &impl Bench) {
    let run = new_run(bench, &bench.unique("task"));
    bench.ports().store.create(&run, &json("[1]"), None).await.unwrap();
    let next = changed(bench, &run, |run| run.iteration = 2);
    let payloads = Payloads { input: Some(json("[2]")), result: None };

    let Saved::Done(stored) = bench.ports().store.save(&run, &next, &payloads).await.unwrap() else {
        panic!("nobody else has changed the record")
    };

    assert_eq!(stored.run, next);
    assert!(stored.body.is_none_or(|body| body == json("[1]")));
    assert!(stored.input.is_none_or(|input| input == json("[2]")));
    assert_eq!(stored.result, None);
}

/// Who has not seen the last version changes nothing and learns what stands there, from the same call.
pub async fn a_lost_save_gives_the_record_that_won(bench: &impl Bench) {
    let run = stored_run(bench, &bench.unique("task")).await;
    let winner = changed(bench, &run, |run| run.tags = vec!["winner".to_owned()]);
    let loser = changed(bench, &run, |run| run.tags = vec!["loser".to_owned()]);
    save(bench, &run, &winner).await;

    let payloads = Payloads { input: Some(json("1")), result: Some(json("2")) };
    let saved = bench.ports().store.save(&run, &loser, &payloads).await.unwrap();

    let Saved::Lost(Some(current)) = saved else { panic!("the second must lose, not {saved:?}") };
    assert_eq!(current.run, winner);
    let stored = load(bench, run.id).await.unwrap();
    assert_eq!((stored.run, stored.input, stored.result), (winner, None, None));
}

/// Ten at once: one writes, nine learn what it wrote.
pub async fn of_many_who_save_one_wins(bench: &impl Bench) {
    let run = stored_run(bench, &bench.unique("task")).await;
    let writers: Vec<_> = (0..10).map(|n| changed(bench, &run, |run| run.tags = vec![format!("writer {n}")])).collect();
    let (store, none) = (bench.ports().store, Payloads::default());

    let saved = join_all(writers.iter().map(|next| store.save(&run, next, &none))).await;

    let stands = load(bench, run.id).await.unwrap().run;
    let mut winners = 0;
    for (writer, saved) in writers.iter().zip(saved) {
        match saved.unwrap() {
            Saved::Done(stored) => {
                winners += 1;
                assert_eq!((&stored.run, writer), (&stands, &stands));
            }
            Saved::Lost(current) => assert_eq!(current.expect("the run is there").run, stands),
        }
    }
    assert_eq!(winners, 1);
}

/// A reply was lost and the call is made again: its own version is on the record, so it has won.
pub async fn a_save_tried_again_finds_that_it_has_won(bench: &impl Bench) {
    let run = stored_run(bench, &bench.unique("task")).await;
    let next = changed(bench, &run, |run| run.state = State::Completed);
    let payloads = Payloads { input: None, result: Some(json("42")) };
    bench.ports().store.save(&run, &next, &payloads).await.unwrap();

    let again = bench.ports().store.save(&run, &next, &payloads).await.unwrap();

    let Saved::Done(stored) = again else { panic!("it has won already, not {again:?}") };
    assert_eq!(stored.run, next);
}

/// A write that was overwritten by a later one doesn't come back when it is tried again.
pub async fn a_save_tried_again_too_late_is_lost(bench: &impl Bench) {
    let first = stored_run(bench, &bench.unique("task")).await;
    let second = changed(bench, &first, |run| run.iteration = 2);
    let third = changed(bench, &second, |run| run.iteration = 3);
    save(bench, &first, &second).await;
    save(bench, &second, &third).await;

    let again = bench.ports().store.save(&first, &second, &Payloads::default()).await.unwrap();

    let Saved::Lost(Some(current)) = again else { panic!("the later write stays, not {again:?}") };
    assert_eq!(current.run, third);
}

/// A save never makes a run out of nothing, nor out of a part of one.
pub async fn a_save_of_a_run_that_is_not_there_stores_nothing(bench: &impl Bench) {
    let run = new_run(bench, &bench.unique("task"));
    let next = changed(bench, &run, |run| run.state = State::Running);

    let saved = bench.ports().store.save(&run, &next, &Payloads::default()).await.unwrap();

    assert_eq!(saved, Saved::Lost(None));
    assert_eq!(load(bench, run.id).await, None);
}

/// Once its time is up a record is gone for everybody, whether or not the service has deleted it.
pub async fn an_expired_run_is_gone(bench: &impl Bench) {
    let run = stored_run(bench, &bench.unique("task")).await;
    let run = ended_run(bench, run, State::Completed, seconds(1)).await;
    assert!(load(bench, run.id).await.is_some());

    bench.pass(seconds(3)).await;

    assert_eq!(load(bench, run.id).await, None);
    let late = changed(bench, &run, |run| run.owes = false);
    let saved = bench.ports().store.save(&run, &late, &Payloads::default()).await.unwrap();
    assert_eq!(saved, Saved::Lost(None), "nobody saves what is gone");
    assert_eq!(load(bench, run.id).await, None);
}

/// A new run may stand where one has expired; nothing of the old one is left on it.
pub async fn an_expired_run_may_be_created_anew(bench: &impl Bench) {
    let run = stored_run(bench, &bench.unique("task")).await;
    let completed = changed(bench, &run, |run| {
        run.state = State::Completed;
        run.ttl = Some(run.created_at.as_second() + 1);
    });
    let payloads = Payloads { input: Some(json("1")), result: Some(json("2")) };
    bench.ports().store.save(&run, &completed, &payloads).await.unwrap();
    bench.pass(seconds(3)).await;

    let anew = dacapo_domain::Run { version: version(bench), ..run };
    let created = bench.ports().store.create(&anew, &json("3"), None).await.unwrap();

    assert_eq!(created, Created::New);
    let stored = load(bench, anew.id).await.expect("the new run is there");
    assert_eq!((stored.run, stored.body), (anew, Some(json("3"))));
    assert_eq!((stored.input, stored.result), (None, None));
}

/// A run that has not expired stays, however long ago it ended.
pub async fn a_run_is_kept_until_its_time_is_up(bench: &impl Bench) {
    let run = stored_run(bench, &bench.unique("task")).await;
    let run = ended_run(bench, run, State::Failed, days(1)).await;
    bench.pass(seconds(3)).await;
    assert_eq!(load(bench, run.id).await.expect("the run is there").run, run);
}

/// Payloads are text that is carried, not read: numbers beyond any machine type, white space, every character.
pub async fn payloads_pass_through_unchanged(bench: &impl Bench) {
    let texts = [
        r#"{"n":12345678901234567890123.45678901234567890,"e":1e400}"#,
        "[ 1,\n\t2 ]",
        r#""\u0000 \ud83d\ude00 \ufffe""#,
        "\"\u{1F600} \u{FFFE} \u{FFFF} ä\"",
        "null",
    ];
    for text in texts {
        let run = new_run(bench, &bench.unique("task"));
        bench.ports().store.create(&run, &json(text), None).await.unwrap();
        let body = load(bench, run.id).await.unwrap().body.expect("the body is there");
        assert_eq!(body.text(), text);
    }
}

/// The largest body, input and result fit, all at once.
pub async fn the_largest_payloads_fit(bench: &impl Bench) {
    let large = |bytes: usize| json(&format!("\"{}\"", "x".repeat(bytes - 2)));
    let (body, input, result) = (large(262_144), large(262_144), large(65_536));
    let run = new_run(bench, &bench.unique("task"));
    let next = changed(bench, &run, |run| run.iteration = 2);

    bench.ports().store.create(&run, &body, None).await.unwrap();
    let payloads = Payloads { input: Some(input.clone()), result: Some(result.clone()) };
    let saved = bench.ports().store.save(&run, &next, &payloads).await.unwrap();

    assert!(matches!(saved, Saved::Done(_)));
    let stored = load(bench, run.id).await.unwrap();
    assert!(stored.body == Some(body) && stored.input == Some(input) && stored.result == Some(result));
}

/// Times keep their milliseconds.
pub async fn times_keep_their_milliseconds(bench: &impl Bench) {
    let due_at = now(bench) + Duration::from_millis(3_600_123);
    let run = due_run(bench, &bench.unique("task"), due_at);
    create(bench, &run).await;
    let stored = load(bench, run.id).await.unwrap().run;
    assert_eq!((stored.due_at, stored.watch_at), (due_at, run.watch_at));
}
