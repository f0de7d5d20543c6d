//! The table of a run's life: what each input does in each phase.
//!
//! A cell names its transition, or says why the input is ignored. A transition may also find that the input is not
//! meant for the record (another attempt, a lost lease) and leave it as it is. [`diagram()`] draws the table.

use super::{FinalState, InputName, PhaseName, State};
use crate::diagram;

/// The meaning of an input in a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// It leads to this transition.
    Does(Transition),
    /// It is ignored, for this reason.
    Ignored(&'static str),
}

/// A transition, as its function is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transition {
    /// Takes the attempt that is due; one that is too late expires.
    TakeAttempt,
    /// Takes the attempt that the wait loop calls for; one that is too late expires.
    AnswerCall,
    /// Takes the next iteration: the time has passed until which the run waits for a signal.
    EndWait,
    /// Makes the next iteration due: the signal has come that the run waits for.
    Wake,
    /// Parks the run: its attempt waits for a permit.
    Park,
    /// Records that the process of an attempt died: retried by the policy, or the end.
    RecordCrash,
    /// Stores what came of the attempt that holds the lease.
    EndAttempt,
    /// Stores how far the attempt is.
    StoreProgress,
    /// Moves the end of the attempt's lease.
    MoveLease,
    /// Stores the run's own data as the attempt updates them.
    StoreUpdate,
    /// Sends the message afresh.
    SendAfresh,
    /// Gives an exhausted execution a successor.
    HandOver,
    /// Ends the run, carries on with another generation, or fails it, as the execution ended.
    FollowExecution,
    /// Keeps the record of the ended run longer.
    KeepLonger,
    /// Ends the run as aborted.
    Abort,
    /// Tells the attempt that executes of an abort.
    RequestAbort,
    /// Notes that an abort has reached the children.
    EndCascade,
    /// Holds the run where it stands.
    Pause,
    /// Lets the run go on.
    Resume,
    /// Moves the due time.
    Reschedule,
    /// Takes a later call over: its body, and the end of its delay.
    Debounce,
    /// Repairs what is overdue, and says when to look again.
    Reconcile,
    /// Takes the hooks of the end, where they are still pending and nothing runs them.
    RunEndHooks,
    /// Notes that the hooks of the end have run.
    FinishEndHooks,
    /// Fails the run: its task is gone.
    FailRemoved,
    /// Gives up the hooks of the end: their code is gone.
    DropEndHooks,
}

const HAS_STARTED: Cell = Cell::Ignored("only a run that has not started can be moved");
const NO_ATTEMPT: Cell = Cell::Ignored("no attempt holds the lease");
const NO_LOOP: Cell = Cell::Ignored("no wait loop calls a run that waits for a signal, or for a permit");
const NOT_OVER: Cell = Cell::Ignored("the run has not ended");
const OVER: Cell = Cell::Ignored("the run has ended");

/// The meaning of an input in a phase.
#[must_use]
pub const fn cell(phase: PhaseName, input: InputName) -> Cell {
    use Cell::{Does, Ignored};
    use InputName as I;
    use PhaseName::{Awaiting, Ended, Parked, Queued, Running, Waiting};
    use Transition as T;

    match (input, phase) {
        (I::Delivered, Queued | Parked) => Does(T::TakeAttempt),
        (I::Delivered, Running) => Does(T::RecordCrash),
        (I::Delivered, Waiting) => Ignored("the wait loop calls for the next iteration"),
        (I::Delivered, Awaiting) => Does(T::EndWait),
        (I::Delivered, Ended) => Does(T::RunEndHooks),

        (I::Undelivered, Queued | Parked | Running | Awaiting) => Does(T::SendAfresh),
        (I::Undelivered, Waiting) => Ignored("the wait loop calls for the next iteration"),
        (I::Undelivered, Ended) => OVER,

        (I::WaitLoopCalled, Queued | Waiting) => Does(T::AnswerCall),
        (I::WaitLoopCalled, Running) => Does(T::RecordCrash),
        (I::WaitLoopCalled, Awaiting | Parked) => NO_LOOP,
        (I::WaitLoopCalled, Ended) => Does(T::RunEndHooks),

        (I::WaitLoopAnswered, Queued | Waiting) => Does(T::HandOver),
        (I::WaitLoopAnswered, Running) => Ignored("it is answered with the end of the lease"),
        (I::WaitLoopAnswered, Awaiting | Parked) => NO_LOOP,
        (I::WaitLoopAnswered, Ended) => OVER,

        (I::WaitLoopCrashed, Queued | Running | Waiting) => Does(T::RecordCrash),
        (I::WaitLoopCrashed, Awaiting | Parked) => NO_LOOP,
        (I::WaitLoopCrashed, Ended) => OVER,

        (I::ExecutionEnded, Queued | Running | Waiting) => Does(T::FollowExecution),
        (I::ExecutionEnded, Awaiting | Parked) => NO_LOOP,
        (I::ExecutionEnded, Ended) => OVER,

        (I::Parked, Queued | Waiting) => Does(T::Park),
        (I::Parked, Running | Awaiting | Parked) => Ignored("it is no attempt that is due and has no permit"),
        (I::Parked, Ended) => OVER,

        (I::AttemptEnded, Running) => Does(T::EndAttempt),
        (I::Progressed, Running) => Does(T::StoreProgress),
        (I::Extended, Running) => Does(T::MoveLease),
        (I::Updated, Running) => Does(T::StoreUpdate),
        (I::AttemptEnded | I::Progressed | I::Extended | I::Updated, Queued | Parked | Waiting | Awaiting | Ended) => {
            NO_ATTEMPT
        }

        (I::Signalled, Queued | Parked | Running | Waiting) => {
            Ignored("it looks for the signal itself when it comes to wait for it")
        }
        (I::Signalled, Awaiting) => Does(T::Wake),
        (I::Signalled, Ended) => OVER,

        (I::AbortRequested, Queued | Parked | Waiting | Awaiting) => Does(T::Abort),
        (I::Needed, Ended) => Does(T::KeepLonger),
        (I::Needed, _) => NOT_OVER,

        (I::AbortRequested, Running) => Does(T::RequestAbort),
        (I::AbortRequested, Ended) => OVER,

        (I::ChildrenAborted, Running | Ended) => Does(T::EndCascade),
        (I::ChildrenAborted, Queued | Parked | Waiting | Awaiting) => Ignored("no abort is on its way to the children"),
        (I::PauseRequested, Queued | Parked | Running | Waiting | Awaiting) => Does(T::Pause),
        (I::PauseRequested, Ended) => OVER,

        (I::ResumeRequested, Parked) => Ignored("a pause has taken it out of the line"),
        (I::ResumeRequested, Queued | Running | Waiting | Awaiting) => Does(T::Resume),
        (I::ResumeRequested, Ended) => OVER,

        (I::Rescheduled, Queued | Parked) => Does(T::Reschedule),
        (I::Debounced, Queued | Parked) => Does(T::Debounce),
        (I::Rescheduled | I::Debounced, Running | Waiting | Awaiting | Ended) => HAS_STARTED,

        (I::Reconciled, Queued | Parked | Running | Waiting | Awaiting | Ended) => Does(T::Reconcile),

        (I::EndHooksDone, Ended) => Does(T::FinishEndHooks),
        (I::EndHooksDone, Queued | Parked | Running | Waiting | Awaiting) => NOT_OVER,

        (I::TaskRemoved, Queued | Parked | Running | Waiting | Awaiting) => Does(T::FailRemoved),
        (I::TaskRemoved, Ended) => Does(T::DropEndHooks),
    }
}

impl Transition {
    /// The phases that it may lead to from this one; none where it always stays.
    #[must_use]
    pub const fn leads_to(self, from: PhaseName) -> &'static [PhaseName] {
        use PhaseName::{Awaiting, Ended, Parked, Queued, Running, Waiting};
        match self {
            Self::TakeAttempt => match from {
                Parked => &[Running, Ended],
                _ => &[Queued, Running, Ended], // What arrives before its time is sent again.
            },
            Self::Park => &[Parked],
            Self::AnswerCall => match from {
                Queued => &[Queued, Running, Ended],
                _ => &[Running, Queued], // Expiry is of what never started; what is paused is held.
            },
            Self::EndWait => &[Awaiting, Running, Queued], // The same; of a paused run it is held.
            Self::Wake => &[Queued],
            Self::RecordCrash => &[Queued, Ended],
            Self::EndAttempt => &[Queued, Waiting, Awaiting, Ended],
            Self::Reconcile => match from {
                Queued => &[Queued, Ended],
                Parked => &[Parked, Ended],
                Running => &[Running, Queued, Ended],
                Waiting => &[Waiting, Ended],
                Awaiting => &[Awaiting, Queued, Ended],
                Ended => &[],
            },
            Self::FollowExecution => match from {
                Running => &[Running, Ended],
                Waiting => &[Waiting, Queued, Ended],
                _ => &[Queued, Ended],
            },
            Self::Abort | Self::FailRemoved => &[Ended],
            // It asks for a permit anew.
            Self::Pause | Self::Reschedule if matches!(from, Parked) => &[Queued],
            Self::Debounce if matches!(from, Parked) => &[Parked, Queued],
            Self::StoreProgress
            | Self::MoveLease
            | Self::StoreUpdate
            | Self::SendAfresh
            | Self::HandOver
            | Self::RequestAbort
            | Self::EndCascade
            | Self::KeepLonger
            | Self::Pause
            | Self::Resume
            | Self::Reschedule
            | Self::Debounce
            | Self::RunEndHooks
            | Self::FinishEndHooks
            | Self::DropEndHooks => &[],
        }
    }

    /// The final states that it may end a run of this phase in.
    #[must_use]
    pub const fn ends_as(self, from: PhaseName) -> &'static [FinalState] {
        use FinalState::{Aborted, Completed, Expired, Failed};
        match (self, from) {
            (_, PhaseName::Ended) => &[],
            (Self::TakeAttempt | Self::AnswerCall, PhaseName::Queued | PhaseName::Parked) => &[Expired],
            (Self::EndAttempt, _) => &[Completed, Failed, Aborted],
            (Self::Reconcile, PhaseName::Queued | PhaseName::Parked) => &[Failed, Expired],
            (Self::Reconcile, PhaseName::Waiting | PhaseName::Awaiting) | (Self::FailRemoved, _) => &[Failed],
            (Self::RecordCrash | Self::FollowExecution | Self::Reconcile, _) => &[Failed, Aborted],
            (Self::Abort, _) => &[Aborted],
            _ => &[],
        }
    }
}

/// The moves that a run can make, as it is told of them: from each state to those that may come next. Staying, as for
/// another attempt, is no move.
#[must_use]
pub fn moves() -> Vec<(State, Vec<State>)> {
    let moves = |from: State| {
        let cells = from.phases().iter().flat_map(|phase| InputName::ALL.map(|input| (*phase, cell(*phase, input))));
        let done = cells.filter_map(|(phase, cell)| match cell {
            Cell::Does(transition) => Some((phase, transition)),
            Cell::Ignored(_) => None,
        });
        let next = done.flat_map(|(phase, transition)| {
            let ends = transition.ends_as(phase).iter().copied().map(State::from);
            let stays = transition.leads_to(phase).iter().filter_map(|to| to.state());
            match (from, transition) {
                (_, Transition::Pause) => vec![State::Paused],
                (State::Paused, Transition::Resume) => phase.state().into_iter().collect(),
                (State::Paused, Transition::Abort | Transition::FailRemoved) => ends.collect(),
                (State::Paused, _) => vec![],
                _ => ends.chain(stays).collect(),
            }
        });
        // It becomes due, or is moved to a later time.
        let by_time = match from {
            State::Scheduled => vec![State::Submitted, State::Created],
            State::Submitted => vec![State::Scheduled, State::Created],
            State::Created | State::Paused => vec![State::Scheduled],
            _ => vec![],
        };
        let next: Vec<State> = next.chain(by_time).collect();
        State::ALL.into_iter().filter(|to| *to != from && next.contains(to)).collect()
    };
    State::ALL.into_iter().map(|from| (from, moves(from))).collect()
}

impl PhaseName {
    /// The state that a run in this phase is told as once it is due, unless it is over.
    const fn state(self) -> Option<State> {
        match self {
            Self::Queued | Self::Parked => Some(State::Submitted),
            Self::Running => Some(State::Running),
            Self::Waiting | Self::Awaiting => Some(State::Waiting),
            Self::Ended => None,
        }
    }
}

impl State {
    /// The phases of a run that is told so, unless it is over.
    const fn phases(self) -> &'static [PhaseName] {
        match self {
            Self::Scheduled => &[PhaseName::Queued],
            Self::Created => &[PhaseName::Parked],
            Self::Submitted => &[PhaseName::Queued, PhaseName::Parked],
            Self::Running => &[PhaseName::Running],
            Self::Waiting => &[PhaseName::Waiting, PhaseName::Awaiting],
            Self::Paused => &[PhaseName::Queued, PhaseName::Waiting, PhaseName::Awaiting],
            Self::Completed | Self::Failed | Self::Aborted | Self::Expired => &[],
        }
    }
}

/// The table as a Mermaid state diagram: what stores a changed run, or sends, and where it leads.
#[must_use]
pub fn diagram() -> String {
    let arrows = PhaseName::ALL.into_iter().flat_map(|from| {
        InputName::ALL.into_iter().flat_map(move |input| match cell(from, input) {
            Cell::Does(transition) => diagram::arrows(from, input, transition.leads_to(from)),
            Cell::Ignored(_) => vec![],
        })
    });
    diagram::draw(PhaseName::Queued, &[PhaseName::Ended], arrows)
}
