//! Processes side by side: attempts that last for minutes, at times beyond their timeout, calls that take as long, and
//! meanwhile messages doubled and late, calls made twice, the conductor, aborts and deploys.

use dacapo::{minutes, seconds};
use dacapo_test_kit::Faults;
use dacapo_tests::histories::all_are_right;

use super::{debounce, families, load, runs};

/// Calls that take time, messages and calls that come again.
fn slow() -> Faults {
    Faults { slow: 0.1, duplicate: 0.2, late: 0.2, latest: minutes(10), ..Faults::default() }
}

#[test]
fn guarantees_hold_where_attempts_last_and_calls_take_time() {
    all_are_right(50, async |play| runs::history(play, slow()).await);
}

#[test]
fn guarantees_hold_where_attempts_last_and_clocks_differ() {
    all_are_right(50, async |play| runs::history(play, Faults { skew: minutes(2), ..slow() }).await);
}

#[test]
fn limits_hold_where_attempts_last_and_calls_take_time() {
    all_are_right(20, async |play| load::history(play, slow()).await);
}

#[test]
fn families_hold_together_where_calls_take_time() {
    all_are_right(10, async |play| families::history(play, Faults { slowest: seconds(60), ..slow() }).await);
}

#[test]
fn debounced_calls_are_handled_where_calls_take_time() {
    all_are_right(50, async |play| debounce::history(play, slow()).await);
}
