//! The conductor reconciles a delivery; a client sends it again.

use dacapo_domain::{DeliveryFacts, DeliveryInput, DeliveryPhase, DeliveryRecord, Json};

use super::{
    records::{Function, dead_letter, drop_with, dropped, handling, once, one, retry, retrying, send, unsubscribed},
    tape::{Case, at, driven, tape},
};

const NO_ANSWER: &str = "the process ended without an answer";

pub fn cases() -> Vec<Case<DeliveryRecord>> {
    [reconciles(), redrives()].into_iter().flatten().collect()
}

fn again(next: &mut DeliveryRecord, reconcile: i64) {
    next.reconcile_at = Some(at(reconcile));
    next.reconcile_count += 1;
}

fn reconciles() -> Vec<Case<DeliveryRecord>> {
    let (one, once, none) = (one(), once(), Function::of(vec![]));
    let (lost, busy) =
        (DeliveryInput::Reconciled(DeliveryFacts::NoBacklog), DeliveryInput::Reconciled(DeliveryFacts::Backlog));
    let twice = driven(&retrying(), 75, &busy, one.subscribed());
    vec![
        tape("a delivery whose message is lost is sent again", &retrying())
            .at(75)
            .gets(&lost, one.subscribed())
            .stores(|next| again(next, 135))
            .effect(send(0)),
        tape("a delivery in a queue with a backlog waits for its turn", &retrying())
            .at(75)
            .gets(&busy, one.subscribed())
            .stores(|next| again(next, 135)),
        tape("a delivery whose queue is still busy is reconciled ever later", &twice)
            .at(135)
            .gets(&busy, one.subscribed())
            .stores(|next| again(next, 255)),
        tape("a delivery that is not due is reconciled after it is", &retrying())
            .at(6)
            .gets(&lost, one.subscribed())
            .stores(|next| again(next, 75)),
        tape("a delivery that no handler wants any more is dropped", &retrying())
            .at(75)
            .gets(&lost, none.subscribed())
            .stores(|next| unsubscribed(next, 75)),
        tape("a delivery under a live lease is reconciled when the lease has ended", &handling())
            .at(25)
            .gets(&lost, one.subscribed())
            .stores(|next| again(next, 110)),
        tape("an attempt under an ended lease is dead", &handling())
            .at(110)
            .gets(&busy, one.subscribed())
            .stores(|next| {
                retry(next, 120, "CRASHED", NO_ANSWER);
                next.reconcile_at = Some(at(180));
            })
            .effect(send(10)),
        tape("a dead last attempt drops the delivery", &handling())
            .at(110)
            .gets(&busy, once.subscribed())
            .stores(|next| drop_with(next, 110, "CRASHED", NO_ANSWER))
            .effect(dead_letter(1)),
    ]
}

fn redrives() -> Vec<Case<DeliveryRecord>> {
    let one = one();
    let anew = |next: &mut DeliveryRecord| {
        next.phase = DeliveryPhase::Retrying;
        (next.attempt, next.redriven_at, next.due_at) = (1, Some(at(500)), at(500));
        (next.expires_at_s, next.reconcile_at) = (None, Some(at(560)));
        next.redriven_count += 1;
        next.handlers.clear();
    };
    vec![
        tape("a dropped delivery begins anew, with its age", &dropped())
            .at(500)
            .gets(&DeliveryInput::Redriven, one.subscribed())
            .stores(anew)
            .effect(send(0)),
        tape("a dropped delivery may be deleted", &dropped())
            .at(500)
            .gets(&DeliveryInput::Deleted, one.subscribed())
            .deletes(),
    ]
}

#[test]
fn redriven_delivery_gives_its_event_as_it_was_first_due_and_ages_anew() {
    let redriven = driven(&dropped(), 500, &DeliveryInput::Redriven, one().subscribed());
    let due_at = |delivery: &DeliveryRecord| delivery.event_message(Json::default()).due_at;
    assert_eq!(due_at(&redriven), due_at(&dropped()));
    assert_eq!((dropped().aged_from(), redriven.aged_from()), (dropped().first_due_at, at(500)));
}

#[test]
fn delivery_that_is_redriven_before_its_time_waits_for_it_and_ages_from_then() {
    let early = DeliveryRecord { first_due_at: at(900), due_at: at(900), ..dropped() };
    let redriven = driven(&early, 500, &DeliveryInput::Redriven, one().subscribed());
    assert_eq!((redriven.due_at, redriven.aged_from()), (at(900), at(900)));
}
