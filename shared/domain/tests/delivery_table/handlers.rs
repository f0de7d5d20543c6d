//! Several handlers of one event: one record and one next attempt, but each is retried, done and given up by itself.

use dacapo_domain::{
    DeliveryInput, DeliveryPhase, DeliveryRecord, HandlerFailure, HandlerState, Retry, RetryHint, Subscription, Work,
    days,
};

use super::{
    records::{
        COUNT, Function, GREET, NO_HANDLER, again_at, dead_letter, drop_with, failure, fresh, given_up, handler,
        hinted, note, on_timer, once, one, other, over, retry, send, steady, take, token, unsubscribed, waits,
    },
    tape::{Case, at, driven, tape},
};

pub fn cases() -> Vec<Case<DeliveryRecord>> {
    [first(), later(), deploys(), redrives()].into_iter().flatten().collect()
}

/// `greet` is tried up to five times, 2,000 s apart; `count` up to twice, 30 s apart, and wants a dead letter.
fn two() -> Function {
    let count = Subscription { dead_letter: true, ..other(steady(2, 30)) };
    Function::of(vec![handler(steady(5, 2_000)), count])
}

fn handled(failures: &[HandlerFailure]) -> DeliveryInput {
    DeliveryInput::Handled(failures.to_vec())
}

/// Both failed at 5: `count` is due at 35, `greet` at 2,005.
fn both_failed() -> DeliveryRecord {
    driven(&fresh(), 5, &handled(&[failure(GREET), failure(COUNT)]), two().subscribed())
}

/// `count` is called at 35, alone.
fn count_called() -> DeliveryRecord {
    driven(&both_failed(), 35, &DeliveryInput::Arrived { attempt: 2 }, two().subscribed())
}

/// `greet` waits until 2,005, `count` was given up at 40.
fn greet_waits() -> DeliveryRecord {
    let failed = DeliveryInput::AttemptEnded(token(&count_called()), vec![failure(COUNT)]);
    driven(&count_called(), 40, &failed, two().subscribed())
}

/// `greet` succeeded at the first try, `count` was given up.
fn count_dropped() -> DeliveryRecord {
    driven(&fresh(), 5, &handled(&[hinted(COUNT, "no", RetryHint::Never)]), two().subscribed())
}

fn first() -> Vec<Case<DeliveryRecord>> {
    let (policy, never) = (RetryHint::ByPolicy, RetryHint::Never);
    let aged = Function::of(vec![handler(steady(9, 10).age(days(1)))]);
    vec![
        tape("handlers that fail are tried again each at its own time", &fresh())
            .at(5)
            .gets(&handled(&[hinted(GREET, "no mail", policy), hinted(COUNT, "no disk", policy)]), two().subscribed())
            .stores(|next| {
                note(next, GREET, 1, waits(2_005, "ERROR", "no mail"));
                note(next, COUNT, 1, waits(35, "ERROR", "no disk"));
                again_at(next, 35);
            })
            .effect(send(30)),
        tape("a handler that succeeded is done, and the other's policy counts", &fresh())
            .at(5)
            .gets(&handled(&[failure(GREET)]), two().subscribed())
            .stores(|next| {
                note(next, GREET, 1, waits(2_005, "ERROR", "not yet"));
                note(next, COUNT, 1, HandlerState::Done);
                again_at(next, 2_005);
            })
            .effect(on_timer),
        tape("a time that one's error names is its own", &fresh())
            .at(5)
            .gets(&handled(&[failure(COUNT), hinted(GREET, "busy", RetryHint::At(at(500)))]), two().subscribed())
            .stores(|next| {
                note(next, GREET, 1, waits(500, "ERROR", "busy"));
                note(next, COUNT, 1, waits(35, "ERROR", "not yet"));
                again_at(next, 35);
            })
            .effect(send(30)),
        tape("a time that has passed is now", &fresh())
            .at(5)
            .gets(&handled(&[hinted(GREET, "busy", RetryHint::At(at(-500)))]), one().subscribed())
            .stores(|next| retry(next, 5, "ERROR", "busy"))
            .effect(send(0)),
        tape("a time beyond the age is none", &fresh())
            .at(5)
            .gets(&handled(&[hinted(GREET, "busy", RetryHint::At(jiff::Timestamp::MAX))]), one().subscribed())
            .stores(|next| drop_with(next, 5, "ERROR", "busy")),
        tape("a terminal failure asks for no next try, whatever its interval", &fresh())
            .at(5)
            .gets(&handled(&[failure(GREET), hinted(COUNT, "no", never)]), two().subscribed())
            .stores(|next| {
                note(next, GREET, 1, waits(2_005, "ERROR", "not yet"));
                note(next, COUNT, 1, given_up("ERROR", "no"));
                again_at(next, 2_005);
            })
            .effect(dead_letter(1))
            .effect(on_timer),
        tape("a delivery is dropped where the others are done", &fresh())
            .at(5)
            .gets(&handled(&[hinted(GREET, "no such user", never)]), two().subscribed())
            .stores(|next| {
                note(next, GREET, 1, given_up("ERROR", "no such user"));
                note(next, COUNT, 1, HandlerState::Done);
                over(next, DeliveryPhase::Dropped, 5);
            }),
        tape("handlers that are given up at once leave one letter", &fresh())
            .at(5)
            .gets(&handled(&[hinted(GREET, "no such user", never), hinted(COUNT, "no", never)]), two().subscribed())
            .stores(|next| {
                note(next, GREET, 1, given_up("ERROR", "no such user"));
                note(next, COUNT, 1, given_up("ERROR", "no"));
                over(next, DeliveryPhase::Dropped, 5);
            })
            .effect(dead_letter(1)),
        tape("a next try beyond the age drops the delivery", &fresh())
            .at(86_391)
            .gets(&handled(&[failure(GREET)]), aged.subscribed())
            .stores(|next| drop_with(next, 86_391, "ERROR", "not yet")),
    ]
}

fn later() -> Vec<Case<DeliveryRecord>> {
    let (count, greet) = (count_called(), greet_waits());
    vec![
        tape("a lease lasts for the handlers that are due", &both_failed())
            .at(35)
            .gets(&DeliveryInput::Arrived { attempt: 2 }, two().subscribed())
            .stores(|next| take(next, 35, 1))
            .then(Work::CallHandler),
        tape("a handler out of attempts is given up while the other waits", &count)
            .at(40)
            .gets(&DeliveryInput::AttemptEnded(token(&count), vec![failure(COUNT)]), two().subscribed())
            .stores(|next| {
                note(next, COUNT, 2, given_up("ERROR", "not yet"));
                again_at(next, 2_005);
            })
            .effect(dead_letter(2))
            .effect(on_timer),
        tape("a crash counts for the handlers that were due", &count)
            .at(200)
            .gets(&DeliveryInput::Arrived { attempt: 2 }, two().subscribed())
            .stores(|next| {
                note(next, COUNT, 2, given_up("CRASHED", "the process ended without an answer"));
                again_at(next, 2_005);
            })
            .effect(dead_letter(2))
            .effect(on_timer),
        tape("a last success doesn't undo that another was given up", &greet_taken())
            .at(2_010)
            .gets(&DeliveryInput::AttemptEnded(token(&greet_taken()), vec![]), two().subscribed())
            .stores(|next| {
                note(next, GREET, 2, HandlerState::Done);
                over(next, DeliveryPhase::Dropped, 2_010);
            }),
        tape("a handler's own number counts, not the delivery's", &greet)
            .at(2_005)
            .gets(&DeliveryInput::Undelivered { attempt: 3 }, two().subscribed())
            .stores(|next| {
                let cause = "the function could not take its message (does it start? see its logs)";
                note(next, GREET, 2, waits(4_005, "CRASHED", cause));
                again_at(next, 4_005);
            })
            .effect(on_timer),
    ]
}

fn greet_taken() -> DeliveryRecord {
    driven(&greet_waits(), 2_005, &DeliveryInput::Arrived { attempt: 3 }, two().subscribed())
}

/// Handlers that a deploy adds and removes between two tries.
fn deploys() -> Vec<Case<DeliveryRecord>> {
    let count_alone = Function::of(vec![other(steady(2, 30))]);
    let greet_failed = driven(&fresh(), 5, &handled(&[failure(GREET)]), one().subscribed());
    let arrived = DeliveryInput::Arrived { attempt: 2 };
    let both = driven(&greet_failed, 15, &arrived, two().subscribed());
    let reordered = Function::of(two().handlers.into_iter().rev().collect());
    vec![
        tape("a handler that was deployed meanwhile is called with those that are due", &greet_failed)
            .at(15)
            .gets(&arrived, two().subscribed())
            .stores(|next| take(next, 15, 2))
            .then(Work::CallHandler),
        tape("its first attempt is the first", &both)
            .at(20)
            .gets(&DeliveryInput::AttemptEnded(token(&both), vec![failure(GREET), failure(COUNT)]), two().subscribed())
            .stores(|next| {
                note(next, GREET, 2, waits(2_020, "ERROR", "not yet"));
                note(next, COUNT, 1, waits(50, "ERROR", "not yet"));
                again_at(next, 50);
            })
            .effect(send(30)),
        tape("handlers in another order are the same", &count_called())
            .at(40)
            .gets(&DeliveryInput::AttemptEnded(token(&count_called()), vec![]), reordered.subscribed())
            .stores(|next| {
                note(next, COUNT, 2, HandlerState::Done);
                again_at(next, 2_005);
            })
            .effect(on_timer),
        tape("a handler that was removed is given up when it is due, the others go on", &both_failed())
            .at(35)
            .gets(&arrived, one().subscribed())
            .stores(|next| {
                note(next, COUNT, 1, given_up("ERROR", NO_HANDLER));
                again_at(next, 2_005);
            })
            .effect(on_timer),
        tape("a delivery whose last handler was removed is dropped", &greet_waits())
            .at(2_005)
            .gets(&DeliveryInput::Arrived { attempt: 3 }, count_alone.subscribed())
            .stores(|next| {
                note(next, GREET, 1, given_up("ERROR", NO_HANDLER));
                over(next, DeliveryPhase::Dropped, 2_005);
            }),
        tape("a message whose function handles the event no more drops the delivery", &both_failed())
            .at(35)
            .gets(&arrived, Function::of(vec![]).subscribed())
            .stores(|next| unsubscribed(next, 35)),
    ]
}

fn redrives() -> Vec<Case<DeliveryRecord>> {
    let redriven = driven(&count_dropped(), 500, &DeliveryInput::Redriven, two().subscribed());
    vec![
        tape("a redrive is for the handlers that were given up", &count_dropped())
            .at(500)
            .gets(&DeliveryInput::Redriven, two().subscribed())
            .stores(|next| {
                next.phase = DeliveryPhase::Retrying;
                next.handlers.retain(|known| known.handler == GREET);
                (next.attempt, next.redriven_at, next.due_at) = (1, Some(at(500)), at(500));
                (next.expires_at_s, next.reconcile_at) = (None, Some(at(560)));
                next.redriven_count += 1;
            })
            .effect(send(0)),
        tape("what was redriven calls them alone", &redriven)
            .at(500)
            .gets(&DeliveryInput::Arrived { attempt: 1 }, two().subscribed())
            .stores(|next| take(next, 500, 1))
            .then(Work::CallHandler),
    ]
}

/// A record of a former build names no handlers: all of them are called, with its number.
#[test]
fn record_that_names_no_handler_calls_all_with_its_own_attempt() {
    let former = DeliveryRecord { handlers: vec![], ..greet_waits() };
    assert_eq!((former.attempt_of(GREET, at(35)), former.attempt_of(COUNT, at(35))), (Some(3), Some(3)));
    let crashed = driven(&former, 2_005, &DeliveryInput::Undelivered { attempt: 3 }, once().subscribed());
    assert_eq!((crashed.handlers[0].attempts, crashed.phase), (3, DeliveryPhase::Dropped));
}

#[test]
fn last_error_joins_the_messages_of_those_that_are_not_done_each_once() {
    let failed = |failures: &[HandlerFailure]| driven(&fresh(), 5, &handled(failures), two().subscribed()).last_error();
    let policy = RetryHint::ByPolicy;
    let both = failed(&[hinted(GREET, "no mail", policy), hinted(COUNT, "no disk", policy)]).unwrap();
    assert_eq!((&*both.code, &*both.message), ("ERROR", "no mail; no disk"));
    assert_eq!(failed(&[failure(GREET), failure(COUNT)]).unwrap().message, "not yet");
    assert_eq!(failed(&[]), None);
    let never = Function::of(vec![handler(Retry::never())]);
    let dropped = driven(&fresh(), 5, &handled(&[failure(GREET)]), never.subscribed());
    assert_eq!(dropped.last_error().unwrap().message, "not yet");
}
