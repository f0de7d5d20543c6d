//! The end of a run.

use std::time::Duration;

use super::{Decision, Driver, Effect, Lease, Policy, Run, State};
use crate::{Failure, Json, Moment, code, limits};

/// Ends a run. Where hooks are owed, this process runs them and others leave the run alone for as long.
pub(super) fn finish(
    mut run: Run,
    state: State,
    message: Option<String>,
    policy: &Policy,
    moment: &Moment,
) -> Decision {
    let mut effects = vec![];
    if run.is_carried_by_schedule(moment.now) && run.state != State::Running {
        effects.push(Effect::Unschedule);
    }
    if run.driver == Driver::Loop && run.state != State::Running {
        effects.push(Effect::StopLoop);
    }
    run.state = state;
    run.ended_at = Some(moment.now);
    run.message = message.or(run.message);
    run.abort = None;
    run.lease = None;
    run.looks = 0;
    run.ttl = Some((moment.now + policy.history).as_second() + 1);
    run.owes = policy.has_end_hooks;
    if run.owes {
        let until = moment.now + limits::QUEUE_GRACE;
        run.lease = Some(Lease { token: moment.version(), since: moment.now, until });
        effects.push(Effect::Settle);
    }
    Decision::write(run, moment, effects)
}

/// The handler returned a value.
pub(super) fn complete(
    mut run: Run,
    result: Result<Json, String>,
    message: Option<String>,
    policy: &Policy,
    moment: &Moment,
) -> Decision {
    run.error = None;
    let (result, left_out) = match result {
        Ok(json) if json.bytes() <= limits::RESULT_BYTES => (Some(json), None),
        Ok(json) => {
            let (bytes, allowed) = (json.bytes(), limits::RESULT_BYTES);
            (None, Some(format!("the result has {bytes} bytes (kept: up to {allowed})")))
        }
        Err(cause) => (None, Some(format!("the result can't be serialized: {cause}"))),
    };
    run.result_left_out = left_out;
    Decision { result, ..finish(run, State::Completed, message, policy, moment) }
}

/// Whoever decided this has no code of the task at hand: a message brings the ended run to its function.
pub(super) fn settle_elsewhere(decision: Decision, moment: &Moment) -> Decision {
    if !decision.effects.contains(&Effect::Settle) {
        return decision;
    }
    let told = |effect| if effect == Effect::Settle { Effect::Send(Duration::ZERO) } else { effect };
    let effects = decision.effects.into_iter().map(told).collect();
    Decision::write(Run { lease: None, ..decision.run }, moment, effects)
}

/// Somebody asks to end the run. One that executes is told so; any other ends at once.
pub(super) fn abort(run: &Run, message: String, policy: &Policy, moment: &Moment) -> Decision {
    if run.state.is_final() {
        return Decision::stay(run, vec![]);
    }
    if run.state != State::Running {
        return finish(run.clone(), State::Aborted, Some(message), policy, moment);
    }
    if run.abort.is_some() {
        return Decision::stay(run, vec![]);
    }
    let mut run = run.clone();
    run.abort = Some(message);
    Decision::write(run, moment, vec![])
}

/// The hooks of the end have run: nobody needs to look at the record again.
pub(super) fn settled(run: &Run, moment: &Moment) -> Decision {
    if !run.owes {
        return Decision::stay(run, vec![]);
    }
    let mut run = run.clone();
    run.owes = false;
    run.lease = None;
    Decision::write(run, moment, vec![])
}

/// No function has the task any more. An attempt that still executes may end by itself.
pub(super) fn unknown_task(run: &Run, moment: &Moment) -> Decision {
    if run.state.is_final() {
        return settled(run, moment);
    }
    if run.is_held(moment.now) {
        return Decision::stay(run, vec![]);
    }
    let mut run = run.clone();
    let message = format!("no function has the task {:?} any more; its hooks did not run", run.name);
    run.error = Some(Failure::new(code::UNKNOWN_TASK, message));
    finish(run, State::Failed, None, &Policy::default(), moment)
}
