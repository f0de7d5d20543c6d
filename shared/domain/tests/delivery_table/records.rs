//! Deliveries in each phase, driven there by the machine, and the changes that are expected of them.

use dacapo_domain::{
    AttemptError, DeliveryFacts, DeliveryInput, DeliveryMessage, DeliveryPhase, DeliveryRecord, Effect, EventMessage,
    HandlerFailure, HandlerRecord, HandlerState, Id, Json, Lease, Message, RecordedError, Retry, RetryHint, Subscribed,
    Subscription, Version, delivery::DeliveryInputName, limits,
};

use crate::tape::{RANDOM, Taped, at, driven, json, s};

impl Taped for DeliveryRecord {
    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn phase_name(&self) -> String {
        format!("{:?}", self.phase.name())
    }

    fn input_name(input: &DeliveryInput) -> String {
        format!("{:?}", input.name())
    }
}

/// The names of the handlers.
pub const GREET: &str = "send_welcome::greet";
pub const COUNT: &str = "send_welcome::count";

/// The function's handlers, and the event's body.
pub struct Function {
    pub handlers: Vec<Subscription>,
    pub body: Json,
}

impl Function {
    pub fn of(handlers: Vec<Subscription>) -> Self {
        Self { handlers, body: json(r#"{"user":7}"#) }
    }

    pub fn subscribed(&self) -> Subscribed<'_> {
        Subscribed { handlers: &self.handlers, body: &self.body }
    }
}

pub fn handler(retry: Retry) -> Subscription {
    let (event, handler) = ("user.joined".to_owned(), GREET.to_owned());
    Subscription { event, handler, timeout: s(5), retry, dead_letter: false }
}

/// Another one of the same event.
pub fn other(retry: Retry) -> Subscription {
    Subscription { handler: COUNT.to_owned(), ..handler(retry) }
}

pub fn steady(attempts: u32, wait: u64) -> Retry {
    Retry::attempts(attempts).min(s(wait)).max(s(wait)).factor(1.0).jitter(false)
}

/// One handler: three attempts, 10 s apart. Its lease is of 70 s.
pub fn one() -> Function {
    Function::of(vec![handler(steady(3, 10))])
}

/// One handler that is tried once and wants what is dropped in its dead-letter queue.
pub fn once() -> Function {
    Function::of(vec![Subscription { dead_letter: true, ..handler(Retry::never()) }])
}

pub fn published(due: i64) -> EventMessage {
    let event = EventMessage::at(Id::new(at(0), 9), "user.joined", json(r#"{"user":7}"#), at(0));
    EventMessage { function: "send-welcome".to_owned(), due_at: at(due), hops: 1, ..event }
}

/// Never stored.
pub fn fresh() -> DeliveryRecord {
    DeliveryRecord::fresh(&published(0))
}

/// Failed at 5: the second attempt is due at 15.
pub fn retrying() -> DeliveryRecord {
    driven(&fresh(), 5, &DeliveryInput::Handled(vec![failure(GREET)]), one().subscribed())
}

/// The event's message was received a second time at 20: the lease ends at 90.
pub fn handling() -> DeliveryRecord {
    driven(&fresh(), 20, &DeliveryInput::Arrived { attempt: 1 }, one().subscribed())
}

/// The second attempt, taken at 15: its lease ends at 85.
pub fn handling_again() -> DeliveryRecord {
    driven(&retrying(), 15, &DeliveryInput::Arrived { attempt: 2 }, one().subscribed())
}

/// All handlers are done.
pub fn delivered() -> DeliveryRecord {
    driven(&handling(), 30, &DeliveryInput::AttemptEnded(token(&handling()), vec![]), one().subscribed())
}

pub fn dropped() -> DeliveryRecord {
    driven(&fresh(), 5, &DeliveryInput::Handled(vec![failure(GREET)]), once().subscribed())
}

pub fn all() -> [DeliveryRecord; 6] {
    [fresh(), retrying(), handling(), handling_again(), delivered(), dropped()]
}

pub fn token(delivery: &DeliveryRecord) -> Version {
    match &delivery.phase {
        DeliveryPhase::Handling(lease) => lease.token,
        _ => Version(1),
    }
}

pub fn failure(handler: &str) -> HandlerFailure {
    hinted(handler, "not yet", RetryHint::ByPolicy)
}

pub fn hinted(handler: &str, message: &str, retry: RetryHint) -> HandlerFailure {
    let error = AttemptError { retry, ..AttemptError::retryable("ERROR", message) };
    HandlerFailure { handler: handler.to_owned(), error }
}

pub fn sample(name: DeliveryInputName, delivery: &DeliveryRecord) -> DeliveryInput {
    let attempt = delivery.attempt;
    match name {
        DeliveryInputName::Arrived => DeliveryInput::Arrived { attempt },
        DeliveryInputName::Handled => DeliveryInput::Handled(vec![failure(GREET)]),
        DeliveryInputName::AttemptEnded => DeliveryInput::AttemptEnded(token(delivery), vec![failure(GREET)]),
        DeliveryInputName::Undelivered => DeliveryInput::Undelivered { attempt },
        DeliveryInputName::Reconciled => DeliveryInput::Reconciled(DeliveryFacts::NoBacklog),
        DeliveryInputName::Redriven => DeliveryInput::Redriven,
        DeliveryInputName::Deleted => DeliveryInput::Deleted,
    }
}

/// The lease that a case's decision takes, for so many handlers.
pub fn take(next: &mut DeliveryRecord, now: i64, handlers: i64) {
    let lease = Lease { token: Version(RANDOM), since: at(now), until: at(now + 60 * handlers + 10) };
    next.phase = DeliveryPhase::Handling(lease);
    let reconcile = at(now + 60 * handlers + 30);
    next.reconcile_at = Some(next.reconcile_at.map_or(reconcile, |former| former.min(reconcile)));
}

/// The fate of a handler; one that was noted before is in its place.
pub fn note(next: &mut DeliveryRecord, handler: &str, attempts: u32, state: HandlerState) {
    next.handlers.retain(|known| known.handler != handler);
    next.handlers.push(HandlerRecord { handler: handler.to_owned(), attempts, state });
    next.handlers.sort_by_key(|known| known.handler != GREET); // In the order of their definition.
}

pub fn waits(due: i64, code: &str, message: &str) -> HandlerState {
    HandlerState::Retrying { due_at: at(due), error: RecordedError::new(code, message) }
}

pub fn given_up(code: &str, message: &str) -> HandlerState {
    HandlerState::GivenUp { error: RecordedError::new(code, message) }
}

/// The next attempt of the delivery, due then.
pub fn again_at(next: &mut DeliveryRecord, due: i64) {
    next.phase = DeliveryPhase::Retrying;
    next.attempt += 1;
    next.due_at = at(due);
    let reconcile = at(due + 60);
    next.reconcile_at = Some(next.reconcile_at.map_or(reconcile, |former| former.min(reconcile)));
}

/// The one handler failed in this attempt: its next one is due then.
pub fn retry(next: &mut DeliveryRecord, due: i64, code: &str, message: &str) {
    let attempts = next.attempt;
    again_at(next, due);
    note(next, GREET, attempts, waits(due, code, message));
}

pub fn over(next: &mut DeliveryRecord, phase: DeliveryPhase, now: i64) {
    next.phase = phase;
    next.reconcile_at = None;
    next.expires_at_s = Some((at(now) + limits::HISTORY).as_second() + 1);
}

/// The one handler failed in this attempt, and is given up.
pub fn drop_with(next: &mut DeliveryRecord, now: i64, code: &str, message: &str) {
    let attempts = next.attempt;
    note(next, GREET, attempts, given_up(code, message));
    over(next, DeliveryPhase::Dropped, now);
}

/// The function handles the event no more.
pub fn unsubscribed(next: &mut DeliveryRecord, now: i64) {
    next.error = Some(RecordedError::new("ERROR", NO_HANDLER));
    over(next, DeliveryPhase::Dropped, now);
}

pub const NO_HANDLER: &str = "send-welcome has no handler of \"user.joined\" any more";

fn message(delivery: &DeliveryRecord) -> Json {
    let delivery_id = format!("{}/send-welcome/user.joined", delivery.event);
    Message::Delivery(DeliveryMessage { delivery: delivery_id, attempt: delivery.attempt }).to_json()
}

pub fn send(delay: u64) -> impl FnOnce(&DeliveryRecord) -> Effect {
    move |delivery| Effect::Send { to: "send-welcome".to_owned(), message: message(delivery), delay: s(delay) }
}

pub fn on_timer(delivery: &DeliveryRecord) -> Effect {
    let timer = format!("delivery-{:032x}", dacapo_domain::hash128(&delivery.record_id()));
    Effect::SendAt { timer, to: "send-welcome".to_owned(), message: message(delivery), at: delivery.due_at }
}

/// The event's own message goes to the function's dead-letter queue.
pub fn dead_letter(attempt: u32) -> impl FnOnce(&DeliveryRecord) -> Effect {
    move |_| {
        let text = Message::Event(EventMessage { attempt, ..published(0) }).to_text();
        Effect::DeadLetter { function: "send-welcome".to_owned(), text }
    }
}
