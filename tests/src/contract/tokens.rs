//! Tokens, and the runs that wait for them.

use dacapo_core::{
    ErrorKind,
    commit::{self, create},
    complete,
};
use dacapo_domain::{
    AttemptEnd, AttemptOutcome, Input, Json, Message, NewToken, Payload, Phase, Policy, RunMessage, RunRecord, Secret,
    Task, TokenInput, TokenRecord, TokenState, Wait, Work, limits, minutes, seconds, slot,
};
use futures::future::join_all;
use jiff::Timestamp;

use super::{
    Bench,
    fixture::{PATIENCE, deadline, json, new_run, now, stored_run},
};

async fn happen(bench: &impl Bench, run: &RunRecord, input: &Input) -> RunRecord {
    let (policy, seen) = (Policy::default(), commit::Seen::Stored(run.clone()));
    let committed = commit::commit(&bench.ports(), seen, input, Task::Known(&policy), deadline(bench)).await;
    committed.expect("runs can be committed").expect("the run is there").record
}

/// A run whose handler executes and has made a token.
async fn with_token(bench: &impl Bench, until: Option<Timestamp>) -> (RunRecord, TokenRecord) {
    let run = stored_run(bench, new_run(bench, &bench.function("task").await)).await;
    bench.receive_within(&run.function(), 1, PATIENCE).await;
    let run = happen(bench, &run, &Input::Delivered(run.purpose())).await;
    let cx = bench.ports().clock.decision_context();
    let expires_at_s = run.step_expires_at_s(&Policy::default());
    let new = NewToken { run: run.id, name: "approve/1", secret: Secret::new(cx.random.into()), until, expires_at_s };
    let made = TokenRecord::create(&new, &cx);
    create(&bench.ports(), &made, deadline(bench)).await.expect("a token can be made");
    (run, made.record)
}

/// The handler says that it waits for the token.
async fn waits(bench: &impl Bench, run: &RunRecord, token: &TokenRecord) -> RunRecord {
    let wait = Wait::Token { run: run.id, name: token.name.clone(), until: token.until };
    let outcome = AttemptOutcome::Continue { input: json("[2]"), wait };
    let token = run.lease().expect("an attempt executes").token;
    happen(bench, run, &Input::AttemptEnded(AttemptEnd::new(token, outcome, seconds(1)))).await
}

async fn read(bench: &impl Bench, run: &RunRecord) -> RunRecord {
    let found = commit::load::<RunRecord>(&bench.ports(), &RunRecord::key_of(run.id)).await;
    found.expect("runs can be read").expect("the run is there").record
}

/// A completed token brings the message of its run's next iteration, and a waiting run stands on no wait loop.
pub async fn completed_token_brings_the_message_of_the_run_that_waits(bench: &impl Bench) {
    let (run, token) = with_token(bench, None).await;
    let waiting = waits(bench, &run, &token).await;
    assert!(matches!(waiting.phase, Phase::Awaiting { until: None, .. }) && waiting.invoker.is_queue());

    complete(&bench.ports(), &token.text(), json("{\"granted\":1.50}")).await.expect("an open token is completed");

    let due = read(bench, &waiting).await;
    assert_eq!(due.phase, Phase::Queued);
    let messages = bench.receive_within(&run.function(), 1, PATIENCE).await;
    assert_eq!(messages, [Message::Run(RunMessage::about(&due))]);
}

/// The end of a wait comes by itself.
pub async fn token_that_is_not_completed_brings_the_message_of_its_run_in_time(bench: &impl Bench) {
    let (run, token) = with_token(bench, Some(now(bench) + seconds(5))).await;
    let waiting = waits(bench, &run, &token).await;
    let messages = bench.receive_within(&run.function(), 1, PATIENCE + seconds(10)).await;
    assert_eq!(messages, [Message::Run(RunMessage::about(&waiting))]);
    let policy = Policy::default();
    let seen = commit::Seen::Stored(waiting.clone());
    let arrives = Input::Delivered(waiting.purpose());
    let taken = commit::commit(&bench.ports(), seen, &arrives, Task::Known(&policy), deadline(bench)).await;
    assert_eq!(taken.unwrap().unwrap().work, Some(Work::CallHandler));
}

/// Ten completions at once: one is taken, the others are told so; the largest value is read back.
pub async fn ten_completions_of_one_token_at_once_store_one_value(bench: &impl Bench) {
    let (_, token) = with_token(bench, None).await;
    let value = |digit: usize| json(&format!("\"{}\"", digit.to_string().repeat(limits::MESSAGE_BYTES - 2)));
    let replies = {
        let (ports, text) = (bench.ports(), token.text());
        join_all((0..10).map(|digit| complete(&ports, &text, value(digit)))).await
    };
    let won: Vec<usize> = (0..10).filter(|digit| replies[*digit].is_ok()).collect();
    assert_eq!(won.len(), 1, "{replies:?}");
    assert!(replies.iter().flat_map(|reply| reply.as_ref().err()).all(|error| error.kind() == ErrorKind::Refused));
    bench.reopen().await;
    let key = TokenRecord::key_of(token.run, &token.name);
    let stored = commit::load::<TokenRecord>(&bench.ports(), &key).await.unwrap().expect("the token is there");
    assert!(matches!(stored.record.state, TokenState::Completed(_)));
    assert_eq!(stored.payloads.get(slot::VALUE), Payload::Here(&value(won[0])));
}

/// A completion and the end of a token's time in one moment: one wins, and the other is told so.
pub async fn completion_and_time_out_at_once_have_one_winner(bench: &impl Bench) {
    let (run, token) = with_token(bench, Some(now(bench) + minutes(1))).await;
    let (ports, key) = (bench.ports(), TokenRecord::key_of(run.id, &token.name));
    // As the run's own process sees it, whose clock is ahead.
    let cx = dacapo_domain::DecisionContext { now: now(bench) + minutes(2), random: ports.clock.random() };
    let over = dacapo_domain::Machine::decide(&token, &TokenInput::Asked, (), &cx).write().unwrap();
    let header = dacapo_domain::Machine::header(&token);
    let (text, value) = (token.text(), Json::default());
    let (timed_out, completed) = futures::join!(ports.records.save(&header, &over), complete(&ports, &text, value));
    let stored = commit::load::<TokenRecord>(&ports, &key).await.unwrap().expect("the token is there").record;
    match stored.state {
        TokenState::Completed(_) => {
            assert!(completed.is_ok() && matches!(timed_out, Ok(dacapo_domain::Saved::Lost(Some(_)))));
        }
        TokenState::TimedOut(_) => assert_eq!(completed.unwrap_err().kind(), ErrorKind::Refused),
        TokenState::Open => panic!("nobody has won"),
    }
}
