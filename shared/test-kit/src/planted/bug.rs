//! The bugs by name, each with the promise that it breaks.

/// A bug of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// The conductor finds nothing that is overdue.
    ConductorBlind,
    /// A run is stored whatever version was seen.
    LateOutcomeCounts,
    /// A run that has ended is stored anew by one that has not seen it.
    FinalStateChanges,
    /// A process judges by a clock that is ten minutes ahead.
    ClockAhead,
    /// A message to a subscriber is lost.
    EventLost,
    /// The final write forgets that hooks follow.
    EndHooksForgotten,
    /// A save leaves no time at which the conductor reconciles the run.
    Unwatched,
    /// Any message about a run calls for whatever comes next.
    PurposeIgnored,
    /// A read gives what stood there a moment ago.
    OldCopyRead,
    /// A write that is tried again takes its own version for another's.
    LostReplyIsLostRace,
    /// An abort that came meanwhile is written over.
    AbortOverwritten,
    /// A new run takes the place of one that is there.
    CreateOverwrites,
    /// A run's message is not sent.
    MessageLost,
    /// A message is acknowledged whatever came of it.
    AcknowledgedUnsaved,
    /// A retry has the number of the attempt before.
    RetryNotCounted,
    /// The input of `continue` is not stored.
    InputForgotten,
    /// An execution is not started.
    ExecutionNotStarted,
    /// Every execution is said to be running.
    ExecutionBelieved,
    /// A wait loop is told to stop where it is to wait.
    AnswerIsStop,
    /// A one-time schedule is not made.
    TimerLost,
    /// An event that is due later is not stored.
    DeferredEventForgotten,
    /// A run of a fire is named by the time of its delivery.
    FireNamedAnew,
    /// The pause of a schedule is not stored.
    PauseForgotten,
    /// The ticket of a run that waits for a permit is not stored.
    TicketForgotten,
    /// The record of a delivery that failed is not stored.
    FailureUnrecorded,
    /// The record of a delivery forgets which handlers are done.
    DoneHandlerForgotten,
    /// A new run doesn't take its idempotency key.
    KeyIgnored,
    /// A child is not told who waits for it.
    WaiterUntold,
    /// An attempt's lease ends while it may execute.
    LeaseEndsEarly,
    /// A pool is stored whatever version was seen.
    PermitGivenTwice,
    /// The value of a step is written over by that of another attempt.
    StepOverwritten,
    /// The call of an execution that was replaced is answered as if it were the current one's.
    OldExecutionAnswered,
    /// A batch is acknowledged whole where one of it is done.
    BatchAcknowledgedWhole,
    /// The conductor reconciles a run hours after the time at which it could need that.
    WatchedTooLate,
}

impl Bug {
    /// All bugs, each with the promise that it breaks: one of the six guarantees, or a rule of the way of a run.
    pub const ALL: [(Self, &str); 34] = [
        (Self::ConductorBlind, "guarantee 1: a run ends, whatever process, message or call fails"),
        (Self::LateOutcomeCounts, "guarantee 2: no late attempt is recorded"),
        (Self::FinalStateChanges, "guarantee 3: a final state never changes"),
        (Self::ClockAhead, "guarantee 4: no handler starts before its time"),
        (Self::EventLost, "guarantee 5: an event is delivered to each subscriber"),
        (Self::EndHooksForgotten, "guarantee 6: `on_complete` runs for each final run"),
        (Self::Unwatched, "watched until settled"),
        (Self::OldCopyRead, "write, then look: strongly consistent"),
        (Self::LostReplyIsLostRace, "a lost reply is not a lost race"),
        (Self::AbortOverwritten, "one driver: an abort wins over every outcome but done"),
        (Self::CreateOverwrites, "a new record is stored on the condition that there is none"),
        (Self::KeyIgnored, "a run and its key are one write"),
        (Self::MessageLost, "a record is followed by its message"),
        (Self::AcknowledgedUnsaved, "a message is acknowledged once the record says what came of it"),
        (Self::ExecutionNotStarted, "`continue` starts an execution"),
        (Self::AnswerIsStop, "the answer to a loop is a function of the record"),
        (Self::TimerLost, "due beyond 15 minutes: a one-time schedule"),
        (Self::DeferredEventForgotten, "an event that is due later is a record"),
        (Self::PauseForgotten, "the pause of a schedule is stored"),
        (Self::TicketForgotten, "who finds no permit parks, and has a ticket first"),
        (Self::FailureUnrecorded, "a delivery that fails is recorded"),
        (Self::DoneHandlerForgotten, "the record of a delivery says which handlers are done"),
        (Self::PurposeIgnored, "a message calls for one attempt alone"),
        (Self::WaiterUntold, "who waits for a run is told of its end"),
        (Self::RetryNotCounted, "an attempt has a number of its own"),
        (Self::InputForgotten, "`continue` records the new input"),
        (Self::ExecutionBelieved, "the conductor describes before it believes"),
        (Self::LeaseEndsEarly, "an ended lease means a dead attempt"),
        (Self::PermitGivenTwice, "a permit is given out on the condition of the pool that was seen"),
        (Self::StepOverwritten, "the first value of a step counts"),
        (Self::OldExecutionAnswered, "one driver: a call of another generation is answered \"stop\""),
        (Self::BatchAcknowledgedWhole, "failures are reported per message, never per batch"),
        (Self::WatchedTooLate, "a record is watched no later than it could need repair"),
        (Self::FireNamedAnew, "a fire makes one run, named by its schedule and time"),
    ];
}
