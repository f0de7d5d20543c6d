//! The message of an attempt arrives, and the attempt ends or is found dead.

use dacapo_domain::{DeliveryInput, DeliveryPhase, DeliveryRecord, RetryHint, Subscription, Version, Work, days};

use super::{
    records::{
        Function, dead_letter, drop_with, failure, fresh, handler, handling, handling_again, hinted, on_timer, once,
        one, over, published, retry, retrying, send, steady, take, token,
    },
    tape::{Case, at, tape},
};

const NO_ANSWER: &str = "the process ended without an answer";
const NOT_TAKEN: &str = "the function could not take its message (does it start? see its logs)";

pub fn cases() -> Vec<Case<DeliveryRecord>> {
    [arrives(), dies(), fails_first(), ends(), several()].into_iter().flatten().collect()
}

fn arrives() -> Vec<Case<DeliveryRecord>> {
    let (one, three) = (one(), Function::of(vec![handler(steady(3, 10)); 3]));
    let later = DeliveryRecord::fresh(&published(1_000));
    vec![
        tape("an event's message received a second time takes a lease and counts no attempt", &fresh())
            .at(20)
            .gets(&DeliveryInput::Arrived { attempt: 1 }, one.subscribed())
            .stores(|next| take(next, 20, 1))
            .then(Work::CallHandler),
        tape("the lease of several handlers lasts for all of them", &fresh())
            .at(20)
            .gets(&DeliveryInput::Arrived { attempt: 1 }, three.subscribed())
            .stores(|next| take(next, 20, 3))
            .then(Work::CallHandler),
        tape("the message of the next attempt takes it", &retrying())
            .at(15)
            .gets(&DeliveryInput::Arrived { attempt: 2 }, one.subscribed())
            .stores(|next| take(next, 15, 1))
            .then(Work::CallHandler),
        tape("an early message waits in the queue", &retrying())
            .at(6)
            .gets(&DeliveryInput::Arrived { attempt: 2 }, one.subscribed())
            .keeps()
            .effect(send(9)),
        tape("a message much too early waits in a timer", &later)
            .at(10)
            .gets(&DeliveryInput::Arrived { attempt: 1 }, one.subscribed())
            .keeps()
            .effect(on_timer),
        tape("a message of a former attempt is dropped", &retrying())
            .at(15)
            .gets(&DeliveryInput::Arrived { attempt: 1 }, one.subscribed())
            .keeps(),
    ]
}

fn dies() -> Vec<Case<DeliveryRecord>> {
    let (one, once, none) = (one(), once(), Function::of(vec![]));
    let arrived = |attempt| DeliveryInput::Arrived { attempt };
    let not_taken = |attempt| DeliveryInput::Undelivered { attempt };
    vec![
        tape("a message under a live lease is dropped", &handling()).at(89).gets(&arrived(1), one.subscribed()).keeps(),
        tape("a message of another attempt finds none dead", &handling_again())
            .at(90)
            .gets(&arrived(1), one.subscribed())
            .keeps(),
        tape("a message under an ended lease finds the attempt dead, which counts", &handling())
            .at(90)
            .gets(&arrived(1), one.subscribed())
            .stores(|next| retry(next, 100, "CRASHED", NO_ANSWER))
            .effect(send(10)),
        tape("a last attempt found dead drops the delivery into the dead-letter queue", &handling())
            .at(90)
            .gets(&arrived(1), once.subscribed())
            .stores(|next| drop_with(next, 90, "CRASHED", NO_ANSWER))
            .effect(dead_letter(1)),
        tape("a message in the app's dead-letter queue counts as an attempt", &retrying())
            .at(20)
            .gets(&not_taken(2), one.subscribed())
            .stores(|next| retry(next, 30, "CRASHED", NOT_TAKEN))
            .effect(send(10)),
        tape("an event's own message in the app's dead-letter queue makes its record", &fresh())
            .at(20)
            .gets(&not_taken(1), one.subscribed())
            .stores(|next| retry(next, 30, "CRASHED", NOT_TAKEN))
            .effect(send(10)),
        tape("a last message in the app's dead-letter queue drops the delivery", &fresh())
            .at(20)
            .gets(&not_taken(1), once.subscribed())
            .stores(|next| drop_with(next, 20, "CRASHED", NOT_TAKEN))
            .effect(dead_letter(1)),
        tape("a message never taken of an event without handlers drops the delivery", &fresh())
            .at(20)
            .gets(&not_taken(1), none.subscribed())
            .stores(|next| drop_with(next, 20, "CRASHED", NOT_TAKEN)),
        tape("a message in the app's dead-letter queue of a former attempt is no news", &retrying())
            .at(20)
            .gets(&not_taken(1), one.subscribed())
            .keeps(),
        tape("a message in the app's dead-letter queue under a live lease is no news", &handling())
            .at(89)
            .gets(&not_taken(1), one.subscribed())
            .keeps(),
        tape("a message in the app's dead-letter queue under an ended lease counts", &handling())
            .at(90)
            .gets(&not_taken(1), one.subscribed())
            .stores(|next| retry(next, 100, "CRASHED", NOT_TAKEN))
            .effect(send(10)),
        tape("a last one under an ended lease drops the delivery", &handling())
            .at(90)
            .gets(&not_taken(1), once.subscribed())
            .stores(|next| drop_with(next, 90, "CRASHED", NOT_TAKEN))
            .effect(dead_letter(1)),
    ]
}

fn fails_first() -> Vec<Case<DeliveryRecord>> {
    let (one, once) = (one(), once());
    let failed = DeliveryInput::FirstFailed(vec![failure(0)]);
    vec![
        tape("an event's first failure makes its record", &fresh())
            .at(5)
            .gets(&failed, one.subscribed())
            .stores(|next| retry(next, 15, "ERROR", "not yet"))
            .effect(send(10)),
        tape("an event's only failure drops it", &fresh())
            .at(5)
            .gets(&failed, once.subscribed())
            .stores(|next| drop_with(next, 5, "ERROR", "not yet"))
            .effect(dead_letter(1)),
        tape("a first failure of an event that has a record is a duplicate's", &retrying())
            .at(15)
            .gets(&failed, one.subscribed())
            .keeps(),
    ]
}

fn ends() -> Vec<Case<DeliveryRecord>> {
    let (one, once) = (one(), once());
    let failed = |delivery: &DeliveryRecord| DeliveryInput::Failed(token(delivery), vec![failure(0)]);
    vec![
        tape("a failed attempt is tried again", &handling_again())
            .at(20)
            .gets(&failed(&handling_again()), one.subscribed())
            .stores(|next| retry(next, 30, "ERROR", "not yet"))
            .effect(send(10)),
        tape("a failed last attempt drops the delivery", &handling_again())
            .at(20)
            .gets(&failed(&handling_again()), once.subscribed())
            .stores(|next| drop_with(next, 20, "ERROR", "not yet"))
            .effect(dead_letter(2)),
        tape("a failure without the lease is refused", &handling())
            .at(20)
            .gets(&DeliveryInput::Failed(Version(1), vec![failure(0)]), one.subscribed())
            .keeps(),
        tape("a success is remembered for its history", &handling_again())
            .at(20)
            .gets(&DeliveryInput::Handled(token(&handling_again())), one.subscribed())
            .stores(|next| {
                next.error = None;
                over(next, DeliveryPhase::Delivered, 20);
            }),
        tape("a success without the lease is refused", &handling())
            .at(30)
            .gets(&DeliveryInput::Handled(Version(1)), one.subscribed())
            .keeps(),
    ]
}

/// Several handlers of one event: one record, one next attempt.
fn several() -> Vec<Case<DeliveryRecord>> {
    let slow = Subscription { dead_letter: true, ..handler(steady(2, 30)) };
    let two = Function::of(vec![handler(steady(5, 2_000)), slow]);
    let aged = Function::of(vec![handler(steady(9, 10).age(days(1)))]);
    let first = |failures: &[dacapo_domain::HandlerFailure]| DeliveryInput::FirstFailed(failures.to_vec());
    let (policy, never) = (RetryHint::ByPolicy, RetryHint::Never);
    vec![
        tape("two failures are one error with both messages, tried again at the sooner time", &fresh())
            .at(5)
            .gets(&first(&[hinted(0, "no mail", policy), hinted(1, "no disk", policy)]), two.subscribed())
            .stores(|next| retry(next, 35, "ERROR", "no mail; no disk"))
            .effect(send(30)),
        tape("the same message twice is said once", &fresh())
            .at(5)
            .gets(&first(&[failure(0), failure(1)]), two.subscribed())
            .stores(|next| retry(next, 35, "ERROR", "not yet"))
            .effect(send(30)),
        tape("the handler that failed alone is the one whose policy counts", &fresh())
            .at(5)
            .gets(&first(&[failure(0)]), two.subscribed())
            .stores(|next| retry(next, 2_005, "ERROR", "not yet"))
            .effect(on_timer),
        tape("a time that one error names comes before the policy of another", &fresh())
            .at(5)
            .gets(&first(&[failure(1), hinted(0, "busy", RetryHint::At(at(500)))]), two.subscribed())
            .stores(|next| retry(next, 500, "ERROR", "not yet; busy"))
            .effect(send(495)),
        tape("a time that has passed is now", &fresh())
            .at(5)
            .gets(&first(&[hinted(0, "busy", RetryHint::At(at(-500)))]), two.subscribed())
            .stores(|next| retry(next, 5, "ERROR", "busy"))
            .effect(send(0)),
        tape("failures that are all terminal drop the delivery", &fresh())
            .at(5)
            .gets(&first(&[hinted(0, "no such user", never)]), two.subscribed())
            .stores(|next| drop_with(next, 5, "ERROR", "no such user")),
        tape("a drop goes to the dead-letter queue where one failing handler wants it", &fresh())
            .at(5)
            .gets(&first(&[hinted(0, "no such user", never), hinted(1, "no", never)]), two.subscribed())
            .stores(|next| drop_with(next, 5, "ERROR", "no such user; no"))
            .effect(dead_letter(1)),
        tape("a next try beyond the age drops the delivery", &fresh())
            .at(86_391)
            .gets(&first(&[failure(0)]), aged.subscribed())
            .stores(|next| drop_with(next, 86_391, "ERROR", "not yet")),
    ]
}
