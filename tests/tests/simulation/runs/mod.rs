//! Runs of several iterations, with children, tokens, steps, keys, events and a schedule: started, aborted, paused and
//! completed from outside, until all of them have ended.

mod functions;
mod history;
mod judge;
mod seen;

use dacapo::{State, hours, minutes};
use dacapo_test_kit::Faults;
use dacapo_tests::histories::all_are_right;

pub use history::history;

#[test]
fn guarantees_hold_where_nothing_goes_wrong() {
    all_are_right(70, async |play| history(play, Faults::none()).await);
}

#[test]
fn guarantees_hold_where_replies_are_lost() {
    all_are_right(70, async |play| history(play, Faults { lost_reply: 0.1, ..Faults::none() }).await);
}

#[test]
fn guarantees_hold_where_anything_may_go_wrong() {
    all_are_right(70, async |play| history(play, Faults::default()).await);
}

#[test]
fn guarantees_hold_where_effects_are_part_of_their_write() {
    all_are_right(70, async |play| history(play, Faults { effects_apart: false, ..Faults::default() }).await);
}

#[test]
fn guarantees_hold_where_processes_keep_dying() {
    all_are_right(70, async |play| history(play, Faults { crash: 0.1, ..Faults::default() }).await);
}

/// Each process has a clock of its own.
#[test]
fn guarantees_hold_where_clocks_are_two_minutes_early_or_late() {
    all_are_right(70, async |play| history(play, Faults { skew: minutes(2), ..Faults::default() }).await);
}

/// Messages come after their queue's visibility, and after the conductor has sent them again.
#[test]
fn guarantees_hold_where_messages_come_hours_late() {
    all_are_right(70, async |play| history(play, Faults { latest: hours(3), ..Faults::default() }).await);
}

/// A deploy has taken the task away, and its subscribers are there still.
#[tokio::test(start_paused = true)]
async fn abort_of_a_run_of_a_removed_task_is_told() {
    let seen = seen::Witness::default();
    let app = functions::app(0, Faults::none(), &seen);
    let run = app.run(functions::CHILD, 1).after(hours(1)).await.unwrap().id();
    let app = app.redeployed(functions::functions(functions::Deploy::Changed, 0, &seen));
    assert_eq!(app.abort(run, "enough").await.unwrap().state, State::Aborted);
    app.advance(minutes(5)).await;
    assert!(seen.seen().told.contains(&(run, "task.aborted:child".to_owned())));
}
