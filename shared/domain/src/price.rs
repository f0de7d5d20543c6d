//! AWS's list prices, and the price of what a run has used.

use std::time::Duration;

use crate::{
    FinalState, Index, Invoker, Json, Machine, Payload, Payloads, Phase, RunRecord, Trigger, limits, slot, until,
};

/// The region and the month of the list prices, in US dollars, free tiers left out.
pub const PRICES_OF: &str = "us-east-1, arm64, 2026-11";
/// A million requests of Lambda.
const LAMBDA_REQUESTS: f64 = 0.20;
/// A million GB-seconds of Lambda on arm64.
const LAMBDA_GB_SECONDS: f64 = 13.3334;
/// A million requests of a standard queue, each of up to 64 KB.
const SQS_REQUESTS: f64 = 0.40;
/// A million write request units of a table on demand, each of up to 1 KB.
const DYNAMODB_WRITES: f64 = 0.625;
/// A million read request units, each a strongly consistent read of up to 4 KB.
const DYNAMODB_READS: f64 = 0.125;
/// A GB-month in a table, and the same in its backups of any point in time.
const DYNAMODB_GB_MONTH: f64 = 0.25 + 0.20;
/// A million transitions of a standard state machine.
const TRANSITIONS: f64 = 25.0;
/// A million schedules that fire.
const SCHEDULER: f64 = 1.0;

/// The requests of a message, where none shares them: send, receive and delete.
const MESSAGE_REQUESTS: f64 = 3.0;
/// The months that a record is kept.
const KEPT_MONTHS: f64 = 14.0 / 30.4;
/// The bytes that DynamoDB adds to an item, and an entry of its list index with what DynamoDB adds to that: keys alone, as
/// `run/{26}`, `record`, `run/send-welcome/03`, `{26}` beside their four names.
const OVERHEAD_BYTES: f64 = 100.0 + 97.0 + 100.0;
/// The time that an attempt's two writes add to what Lambda bills, about.
const WRITES_OF_AN_ATTEMPT: Duration = Duration::from_millis(10);
const UNIT_BYTES: usize = 1024;

/// The use that one run makes of what AWS bills.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// DynamoDB's write units, those of the indexes included.
    pub write_units: f64,
    /// DynamoDB's reads, of up to 4 KB each.
    pub reads: f64,
    /// Bytes of the record that is left.
    pub record_bytes: f64,
    /// Messages in queues, each sent, received and deleted.
    pub messages: f64,
    /// Invocations of the function.
    pub invocations: f64,
    /// Time of the invocations times their memory.
    pub gb_seconds: f64,
    /// States that wait loops entered.
    pub transitions: f64,
    /// Schedules that fired.
    pub timers: f64,
}

impl Usage {
    /// The one invocation of 20 ms of handler in 128 MB, without its calls.
    pub const SHORT: Self = Self {
        write_units: 0.0,
        reads: 0.0,
        record_bytes: 0.0,
        messages: 0.0,
        invocations: 1.0,
        gb_seconds: 0.030 * 128.0 / 1024.0,
        transitions: 0.0,
        timers: 0.0,
    };

    /// The things that [`of_run`](Self::of_run) leaves out, in words.
    pub const LEFT_OUT: &str = "cold starts, reads, further attempts of iterations before the last, limits of queues, what \
        steps and tokens hold beyond 1 KB, and children, which have prices of their own";

    /// The usage of a run so far, estimated from its record and the payloads that were read with it. Where the memory of
    /// its function is unknown, its time is left out.
    #[must_use]
    pub fn of_run(run: &RunRecord, payloads: &Payloads, memory_mb: Option<u32>) -> Self {
        let (attempts, record_bytes) = (attempts(run), bytes(run, payloads));
        let loops = run.invoker.generation();
        let by_queue = match (loops, &run.invoker) {
            (0, _) => attempts.max(u32::from(!run.is_put_off())),
            (_, Invoker::WaitLoop { execution: Some(_), .. }) => 0,
            _ => 1,
        };
        let handler = Duration::from_millis(run.handler_ms) + WRITES_OF_AN_ATTEMPT * attempts;
        Self {
            write_units: write_units(run, payloads, attempts),
            reads: 0.0,
            record_bytes: record_bytes as f64,
            messages: by_queue.into(),
            invocations: attempts.into(),
            gb_seconds: handler.as_secs_f64() * f64::from(memory_mb.unwrap_or(0)) / 1024.0,
            // A round is three; an execution begins with a choice and has an end.
            transitions: f64::from(attempts.saturating_sub(by_queue)) * 3.0 * f64::from(loops.min(1))
                + 2.0 * f64::from(loops),
            timers: f64::from(u32::from(is_fired(run))),
        }
    }

    /// The same, where so many messages share each invocation: together they are received, deleted and worked on.
    ///
    /// ```
    /// use dacapo_domain::Usage;
    /// let run = Usage { write_units: 6.0, messages: 1.0, record_bytes: 690.0, ..Usage::SHORT };
    /// assert_eq!(format!("{:.2}", run.shared_by(10).price_of_a_million()), "4.46");
    /// ```
    #[must_use]
    pub fn shared_by(self, messages: u32) -> Self {
        let (shared, requests) = (f64::from(messages), MESSAGE_REQUESTS);
        Self {
            messages: self.messages * (1.0 + (requests - 1.0) / shared) / requests,
            invocations: self.invocations / shared,
            gb_seconds: self.gb_seconds / shared,
            ..self
        }
    }

    /// The price of a million of these in dollars, part by part.
    #[must_use]
    pub fn parts_of_a_million(&self) -> [(&'static str, f64); 8] {
        let gb_months = (self.record_bytes + OVERHEAD_BYTES) * 1e6 / 1e9 * KEPT_MONTHS;
        [
            ("DynamoDB writes", self.write_units * DYNAMODB_WRITES),
            ("DynamoDB reads", self.reads * DYNAMODB_READS),
            ("DynamoDB storage and backup, 14 days", gb_months * DYNAMODB_GB_MONTH),
            ("SQS send, receive, delete", self.messages * MESSAGE_REQUESTS * SQS_REQUESTS),
            ("Lambda requests", self.invocations * LAMBDA_REQUESTS),
            ("Lambda GB-seconds", self.gb_seconds * LAMBDA_GB_SECONDS),
            ("Step Functions", self.transitions * TRANSITIONS),
            ("EventBridge Scheduler", self.timers * SCHEDULER),
        ]
    }

    /// The price of a million of these in dollars.
    ///
    /// ```
    /// use dacapo_domain::Usage;
    /// let run = Usage { write_units: 6.0, messages: 1.0, record_bytes: 690.0, ..Usage::SHORT };
    /// assert_eq!(format!("{:.2}", run.price_of_a_million()), "5.40");
    /// ```
    #[must_use]
    pub fn price_of_a_million(&self) -> f64 {
        self.parts_of_a_million().iter().map(|(_, price)| price).sum()
    }
}

/// The attempts that a run has had, as far as its record knows of them.
fn attempts(run: &RunRecord) -> u32 {
    let has_last = match &run.phase {
        Phase::Running { .. } => true,
        Phase::Ended(end) => {
            run.started_at.is_some() && matches!(end.state, FinalState::Completed | FinalState::Failed)
        }
        _ => false,
    };
    let before = run.iteration.saturating_sub(1).saturating_add(run.attempt.saturating_sub(1));
    before.saturating_add(run.resumed_count).saturating_add(has_last.into())
}

/// The bytes of its item, about.
fn bytes(run: &RunRecord, payloads: &Payloads) -> usize {
    let payload_bytes: usize = payloads.iter().filter_map(|(_, value)| Some(value?.bytes())).sum();
    run.bytes_with(&Json::default()) + payload_bytes
}

/// The units of its writes: a unit for each KB begun, and one for each index entry that is made or removed.
fn write_units(run: &RunRecord, payloads: &Payloads, attempts: u32) -> f64 {
    let units = |run: &RunRecord, payloads: &Payloads| bytes(run, payloads).div_ceil(UNIT_BYTES).max(1) as f64;
    // Until the last write it was without what came of it.
    let body = match payloads.get(slot::BODY) {
        Payload::Here(body) => Payloads::none().with(slot::BODY, body.clone()),
        Payload::Apart | Payload::Absent => Payloads::none(),
    };
    let record = units(&RunRecord { error: None, ..run.clone() }, &body);
    let (last, attempts) = (units(run, payloads) - record, f64::from(attempts));
    let (mut places, mut failed) = (0.0, 0.0);
    for place in run.index() {
        match place.index {
            Index::Failed => failed = 1.0,
            Index::Due => {}
            _ => places += 1.0,
        }
    }
    // In a transaction everything is billed twice.
    let key = if run.key.is_some() { record + 2.0 } else { 0.0 };
    let create = record + places + 1.0 + key;
    let end = if run.phase.is_final() { 1.0 + failed } else { 0.0 };
    // Between two attempts it stands among those that are put off.
    let between = 2.0 * (attempts - 1.0).max(0.0);
    let steps = f64::from(run.steps.count) + 2.0 * f64::from(run.steps.tokens);
    let log = (run.logged.bytes as f64 / UNIT_BYTES as f64).ceil().max(f64::from(run.logged.entries));
    create + attempts * 2.0 * record + last + between + end + steps + log
}

/// Is true of a run that a schedule brought to its function, its own or one of the app's.
fn is_fired(run: &RunRecord) -> bool {
    let is_late = run.scheduled_at.is_some_and(|at| until(run.created_at, at) > limits::MAX_QUEUE_DELAY);
    is_late || run.trigger == Trigger::Schedule
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{DecisionContext, Id, NewRun, RecordedError, Steps, minutes, run::End};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    /// A run of one attempt of 20 ms that has ended.
    fn ended() -> RunRecord {
        let new = NewRun::at(Id::new(NOW, 7), "welcome", NOW, Trigger::Run);
        let mut run = RunRecord::create(new, &DecisionContext { now: NOW, random: 7 }).record;
        let (message, result_left_out, hooks_lease) = (None, None, None);
        let end =
            End { state: FinalState::Completed, at: NOW, message, result_left_out, hooks_pending: false, hooks_lease };
        (run.phase, run.started_at, run.handler_ms) = (Phase::Ended(end), Some(NOW), 20);
        run
    }

    fn usage(run: &RunRecord) -> Usage {
        Usage::of_run(run, &Payloads::none(), Some(128))
    }

    #[test]
    fn run_of_one_iteration_uses_what_is_counted_from_its_requests() {
        let usage = usage(&ended());
        assert_eq!((usage.write_units, usage.messages, usage.transitions), (6.0, 1.0, 0.0));
        assert_eq!((usage.invocations, usage.gb_seconds), (Usage::SHORT.invocations, Usage::SHORT.gb_seconds));
        assert!((5.0..5.5).contains(&usage.price_of_a_million()), "{}", usage.price_of_a_million());
    }

    #[test]
    fn run_that_did_more_uses_more() {
        let alone = usage(&ended());
        let more = |change: fn(&mut RunRecord)| {
            let mut run = ended();
            change(&mut run);
            usage(&run)
        };
        let retried = more(|run| run.attempt = 2);
        assert_eq!((retried.messages, retried.invocations), (2.0, 2.0));
        assert!(retried.write_units >= alone.write_units + 2.0);
        let rounds = more(|run| {
            run.iteration = 4;
            run.invoker = Invoker::WaitLoop { generation: 1, execution: None };
        });
        assert_eq!((rounds.messages, rounds.invocations, rounds.transitions), (1.0, 4.0, 3.0 * 3.0 + 2.0));
        let steps = more(|run| run.steps = Steps { count: 8, tokens: 1, ..run.steps });
        assert_eq!(steps.write_units, alone.write_units + 10.0);
        let logged = more(|run| (run.logged.entries, run.logged.bytes) = (3, 10_000));
        assert_eq!(logged.write_units, alone.write_units + 10.0);
        let tagged = more(|run| run.tags = vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(tagged.write_units, alone.write_units + 2.0);
        let failed = more(|run| {
            run.error = Some(RecordedError { code: "E".to_owned(), message: "e".repeat(3_000), stack: None });
        });
        assert_eq!(failed.write_units, alone.write_units + 3.0, "the last write alone is larger");
        let late = more(|run| run.scheduled_at = Some(NOW + minutes(20)));
        assert_eq!(late.timers, 1.0);
    }

    #[test]
    fn run_that_has_not_started_uses_no_function() {
        let run = RunRecord { started_at: None, phase: Phase::Queued, handler_ms: 0, ..ended() };
        let usage = usage(&run);
        assert_eq!((usage.invocations, usage.gb_seconds, usage.write_units), (0.0, 0.0, 3.0));
    }

    #[test]
    fn function_of_unknown_memory_is_priced_without_its_time() {
        assert_eq!(Usage::of_run(&ended(), &Payloads::none(), None).gb_seconds, 0.0);
    }
}
