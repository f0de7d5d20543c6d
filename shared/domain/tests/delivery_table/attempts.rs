//! The message of an attempt arrives, and the attempt ends or is found dead.

use dacapo_domain::{DeliveryInput, DeliveryPhase, DeliveryRecord, HandlerState, Version, Work};

use super::{
    records::{
        Function, GREET, dead_letter, drop_with, failure, fresh, handler, handling, handling_again, note, on_timer,
        once, one, other, over, published, retry, retrying, send, steady, take, token, unsubscribed,
    },
    tape::{Case, tape},
};

const NO_ANSWER: &str = "the process ended without an answer";
const NOT_TAKEN: &str = "the function could not take its message (does it start? see its logs)";

pub fn cases() -> Vec<Case<DeliveryRecord>> {
    [arrives(), dies(), fails_first(), ends()].into_iter().flatten().collect()
}

fn arrives() -> Vec<Case<DeliveryRecord>> {
    let (one, two) = (one(), Function::of(vec![handler(steady(3, 10)), other(steady(3, 10))]));
    let later = DeliveryRecord::fresh(&published(1_000));
    vec![
        tape("an event's message received a second time takes a lease and counts no attempt", &fresh())
            .at(20)
            .gets(&DeliveryInput::Arrived { attempt: 1 }, one.subscribed())
            .stores(|next| take(next, 20, 1))
            .then(Work::CallHandler),
        tape("the lease of several handlers lasts for all of them", &fresh())
            .at(20)
            .gets(&DeliveryInput::Arrived { attempt: 1 }, two.subscribed())
            .stores(|next| take(next, 20, 2))
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
            .stores(|next| unsubscribed(next, 20)),
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
    let failed = DeliveryInput::Handled(vec![failure(GREET)]);
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
    let failed = |delivery: &DeliveryRecord| DeliveryInput::AttemptEnded(token(delivery), vec![failure(GREET)]);
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
            .gets(&DeliveryInput::AttemptEnded(Version(1), vec![failure(GREET)]), one.subscribed())
            .keeps(),
        tape("a success is remembered for its history", &handling_again())
            .at(20)
            .gets(&DeliveryInput::AttemptEnded(token(&handling_again()), vec![]), one.subscribed())
            .stores(|next| {
                note(next, GREET, 2, HandlerState::Done);
                over(next, DeliveryPhase::Delivered, 20);
            }),
        tape("a success without the lease is refused", &handling())
            .at(30)
            .gets(&DeliveryInput::AttemptEnded(Version(1), vec![]), one.subscribed())
            .keeps(),
        tape("a success of an event whose id was chosen is remembered", &fresh())
            .at(5)
            .gets(&DeliveryInput::Handled(vec![]), one.subscribed())
            .stores(|next| {
                note(next, GREET, 1, HandlerState::Done);
                over(next, DeliveryPhase::Delivered, 5);
            }),
        tape("a first success of an event that has a record is a duplicate's", &retrying())
            .at(15)
            .gets(&DeliveryInput::Handled(vec![]), one.subscribed())
            .keeps(),
    ]
}
