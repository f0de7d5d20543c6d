//! The six guarantees, and what else was promised, once all is over.

use std::collections::{BTreeMap, BTreeSet};

use dacapo::{RunView, State};
use jiff::Timestamp;

use super::{
    functions::{CHILD, KID, TICK, WORK},
    history::{Outside, tick},
    seen::Seen,
};

/// Tells the breaches of a history.
pub async fn judge(outside: &Outside<'_>) -> Vec<String> {
    let app = &outside.app;
    let (runs, children) = (app.runs_of(WORK), [app.runs_of(CHILD), app.runs_of(KID)].concat());
    let mut broken = outside.broken.clone();
    let ticks = app.runs_of(TICK);
    fires(outside, &ticks, &mut broken).await;
    let seen = outside.seen.seen();
    ends(outside, &seen, &runs, &mut broken);
    calls(outside, &seen, &mut broken);
    lives(&seen, runs.iter().chain(&children), &mut broken);
    data(&seen, &runs, &mut broken);
    events(outside, &seen, &mut broken);
    broken
        .extend(children.iter().filter(|run| !run.state.is_final()).map(|run| format!("child {run:?} has not ended")));
    broken
}

/// Guarantees 1, 3 and 6.
fn ends(outside: &Outside<'_>, seen: &Seen, runs: &[RunView], broken: &mut Vec<String>) {
    for id in outside.started.keys() {
        match outside.ended.get(id) {
            // Guarantee 1: a run whose id was returned ends.
            None => broken.push(format!("{id} has not ended: {:?}", runs.iter().find(|run| run.id == *id))),
            // Guarantee 6: `on_complete` runs at least once.
            Some(_) if !seen.completed.contains_key(id) => broken.push(format!("{id} ended without `on_complete`")),
            // Guarantee 3: an aborted run is never completed by a later iteration.
            Some(state) if outside.aborted.get(id) == Some(&State::Aborted) && *state != State::Aborted => {
                broken.push(format!("{id} was aborted and became {state}"));
            }
            Some(_) => {}
        }
    }
    for run in runs.iter().filter(|run| seen.enough.contains_key(&run.id)) {
        let (iteration, attempt) = seen.enough[&run.id];
        // An attempt that a fast clock takes for dead has a successor before it is aborted.
        let goes_on = (run.iteration, run.attempt) > (iteration, attempt) && outside.faults.skew.is_zero();
        if goes_on || !matches!(run.state, State::Aborted | State::Completed) {
            broken.push(format!("{} was aborted in {iteration}, {attempt}, and is {run:?}", run.id));
        }
    }
    for (key, ids) in &outside.keys {
        // A run that has failed or expired frees its key.
        let frees = |state: &State| matches!(state, State::Failed | State::Expired);
        let held: BTreeSet<_> = ids.iter().filter(|id| !outside.ended.get(*id).is_some_and(frees)).collect();
        if held.len() > 1 {
            broken.push(format!("key {key} was taken by {held:?}"));
        }
    }
}

/// Guarantee 4, and that nothing of a paused run starts.
fn calls(outside: &Outside<'_>, seen: &Seen, broken: &mut Vec<String>) {
    for ((id, iteration, attempt), times) in &seen.calls {
        // Guarantee 4: a handler never starts before its time.
        let early = |due: &Timestamp| times.iter().any(|time| *time + outside.faults.skew < *due);
        if let Some(due) = outside.started.get(id).filter(|due| early(due)) {
            broken.push(format!("{id} ran at {times:?}, before {due}"));
        }
        let is_held =
            |time: &Timestamp| outside.paused.get(id).is_some_and(|pauses| pauses.hold(*time, outside.margin()));
        if times.iter().any(is_held) {
            broken.push(format!("{id} ran iteration {iteration}, attempt {attempt} while it was paused"));
        }
    }
}

/// Lifecycle events that a function subscribes to are told at least once, also where the process dies in between.
fn lives<'a>(seen: &Seen, runs: impl Iterator<Item = &'a RunView>, broken: &mut Vec<String>) {
    for run in runs.filter(|run| run.state.is_final()) {
        let starts = run.started_at.filter(|_| run.name == WORK.name()).map(|_| "started".to_owned());
        for moment in starts.into_iter().chain([run.state.to_string()]) {
            if !seen.told.contains(&(run.id, format!("task.{moment}:{}", run.name))) {
                broken.push(format!("{} is {moment}, which was not told", run.id));
            }
        }
    }
}

fn data(seen: &Seen, runs: &[RunView], broken: &mut Vec<String>) {
    // The first value of a step counts, for every attempt and iteration.
    for ((id, step), marks) in seen.marks.iter().filter(|(_, marks)| marks.len() > 1) {
        broken.push(format!("{id} got {marks:?} of step {step}"));
    }
    // No update of the output is lost.
    for run in runs {
        let output: BTreeMap<u32, u32> = run.output.as_ref().map(|output| output.parse().unwrap()).unwrap_or_default();
        if !(1..run.iteration).all(|iteration| output.contains_key(&iteration)) {
            broken.push(format!("{} is in iteration {} with {output:?} as its output", run.id, run.iteration));
        }
    }
}

/// Guarantee 5: an event is delivered to its subscriber at least once.
fn events(outside: &Outside<'_>, seen: &Seen, broken: &mut Vec<String>) {
    for number in &outside.published {
        if !seen.handled.contains_key(number) || !seen.audited.contains_key(number) {
            broken.push(format!("event {number} was not delivered"));
        }
    }
    for number in outside.published_late.iter().filter(|number| !seen.heard_late.contains(*number)) {
        broken.push(format!("event {number} was not delivered to the function that was deployed before it"));
    }
    if outside.faults.crash + outside.faults.duplicate + outside.faults.throttle + outside.faults.lost_reply == 0.0
        && outside.faults.throttling.is_none()
    {
        // Nothing calls a handler again that was done.
        let again = seen.audited.iter().filter(|(number, times)| **number >= 1_000 && **times > 1);
        broken.extend(again.map(|(number, times)| format!("event {number} was handled {times} times")));
    }
}

/// The same fire makes one run, none is lost, and none makes one while its schedule is paused.
async fn fires(outside: &Outside<'_>, ticks: &[RunView], broken: &mut Vec<String>) {
    let hour = |time: Timestamp| time.as_second().div_euclid(3_600);
    let fires: BTreeSet<i64> = ticks.iter().filter_map(|tick| tick.scheduled_at).map(hour).collect();
    let schedule = tick(&outside.app).await;
    let skipped: BTreeSet<i64> = schedule.skipped.iter().map(|skipped| hour(skipped.time)).collect();
    let start = dacapo_test_kit::START.parse().unwrap();
    let lost: Vec<i64> = (hour(start) + 1..hour(outside.app.now())).filter(|at| !fires.contains(at)).collect();
    let lost: Vec<_> = lost.into_iter().filter(|at| !skipped.contains(at)).collect();
    if ticks.len() != fires.len() || !lost.is_empty() {
        broken.push(format!("{} runs of {} fires, {lost:?} are lost", ticks.len(), fires.len()));
    }
    let paused = ticks.iter().filter(|tick| outside.schedule_paused.hold(tick.created_at, outside.margin()));
    broken.extend(paused.map(|tick| format!("{} fired while its schedule was paused", tick.id)));
}
