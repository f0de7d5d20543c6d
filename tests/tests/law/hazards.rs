//! Interleavings that break naive versions of this system, each with the tests that produce it on purpose.

use std::collections::BTreeSet;

use crate::source::{none, sources};

/// The hazards, each with tests that produce it.
const HAZARDS: &[(&str, &[&str])] = &[
    (
        "1 a run is woken, and its process dies before the send, long before the conductor would look",
        &["run_that_is_woken_on_day_2_by_a_process_that_dies_before_the_send_goes_on_within_two_minutes"],
    ),
    (
        "2 an end is stored, and its process dies before hooks, parent and permit hear of it",
        &["guarantees_hold_where_processes_keep_dying", "start_and_end_are_told_though_processes_die_at_any_moment"],
    ),
    (
        "3 children end before their parent waits, or are gone before it wakes",
        &[
            "children_first_all_have_ended_before_their_parent_waits_and_it_wakes",
            "record_of_a_child_outlives_the_run_that_waits_for_another",
        ],
    ),
    (
        "4 a token is completed before its run waits for it, or in the second of its time-out",
        &[
            "token_that_is_completed_before_its_run_comes_to_wait_is_not_missed",
            "completion_in_the_second_of_the_time_out_wins_or_is_refused_and_the_run_is_told_the_same",
        ],
    ),
    (
        "5 an execution that the app has stopped is taken for an abort",
        &[
            "stop_of_an_execution_that_another_has_followed_aborts_nothing",
            "stop_of_the_execution_of_a_run_that_was_paused_and_resumed_aborts_nothing",
        ],
    ),
    (
        "6 two executions call one run",
        &["execution_that_was_late_calls_nothing_once_another_has_taken_over_after_its_attempt_died"],
    ),
    (
        "7 an abort is written over by an outcome, or misses a child that is just started",
        &[
            "abort_overwritten_child_that_is_started_while_the_abort_spreads_does_nothing",
            "guarantees_hold_where_anything_may_go_wrong",
        ],
    ),
    (
        "8 the reply to a write is lost, and its retry finds it done",
        &["guarantees_hold_where_replies_are_lost", "attempt_whose_reply_is_lost_is_its_takers_own"],
    ),
    ("9 an outcome can't be written for a while", &["guarantees_hold_where_the_table_throttles"]),
    (
        "10 an attempt outlives its lease, and writes",
        &["attempt_that_outlives_its_lease_changes_no_record_and_its_step_counts_where_it_was_first"],
    ),
    ("11 a handler holds its thread past its limit", &["message_behind_a_blocked_handler_is_left_for_another_process"]),
    (
        "12 a key is taken by two, or by a process that dies before its run is stored",
        &["ten_takers_of_a_key_at_once_store_one_run", "ten_takers_of_a_failed_runs_key_store_one_run"],
    ),
    (
        "13 a permit is taken by a process that dies, or given back before the one that waits has parked",
        &[
            "limits_hold_and_every_run_has_its_turn_whatever_goes_wrong",
            "attempt_whose_start_was_counted_and_whose_process_died_gets_another_turn_within_minutes",
        ],
    ),
    ("14 a debounce or another due time leaves messages behind", &["debounced_calls_are_handled_whatever_goes_wrong"]),
    (
        "15 a record is stored, and its message is not sent",
        &["runs_of_one_function_whose_messages_are_lost_are_all_sent_again_within_two_sweeps"],
    ),
    (
        "16 a create comes a second time, after its run has started",
        &["create_tried_again_after_a_later_write_gives_the_later"],
    ),
    (
        "17 a backlog is sent again as if it were lost",
        &["delivery_with_a_busy_queue_is_reconciled_ever_more_rarely_up_to_an_hour"],
    ),
    (
        "18 the oldest record can't be repaired, and stands before all others",
        &["thousands_of_records_that_cannot_be_read_hold_up_no_other"],
    ),
    (
        "19 messages that are not acknowledged hide others",
        &["a_failing_handler_is_retried_per_message_and_its_batch_neighbours_are_left_alone"],
    ),
    ("20 a call is throttled, and counts as a crash", &["guarantees_hold_where_functions_throttle"]),
    (
        "21 what was only throttled comes to the dead-letter queue",
        &["event_that_was_received_in_vain_is_handled_before_it_is_given_up"],
    ),
    (
        "22 one message of a batch kills the process, or fails, and takes its neighbours with it",
        &["event_whose_body_panics_when_it_is_read_is_dropped_and_its_neighbours_are_handled"],
    ),
    (
        "23 a failing event is tried for two weeks",
        &["delivery_that_always_fails_ends_after_the_attempts_and_the_age_of_its_policy"],
    ),
    (
        "24 each of many waits is looked at every minute",
        &["run_of_any_history_keeps_the_rules_and_is_driven_to_its_end_by_the_conductor"],
    ),
    ("25 an index has one partition that is hot", &["ids_of_one_millisecond_spread_over_all_shards_of_every_index"]),
    (
        "26 runs and events start each other for ever",
        &["subscriber_that_starts_its_task_anew_is_stopped_by_the_hop_count"],
    ),
    (
        "27 an execution that is only late looks stuck",
        &["execution_that_was_late_calls_nothing_once_another_has_taken_over_after_its_attempt_died"],
    ),
    ("28 the conductor gets no turn, and nothing says so", &["failure_that_does_not_mend_itself_has_an_alarm"]),
    (
        "29 an execution that was stopped by hand is taken for one that runs",
        &[
            "execution_that_was_stopped_has_ended",
            "execution_that_was_started_by_hand_and_ends_from_outside_ends_its_run",
        ],
    ),
    (
        "30 the answer to a loop is lost, or a crash is reported that was none",
        &[
            "read_that_is_throttled_in_a_call_of_the_wait_loop_costs_no_attempt",
            "guarantees_hold_where_replies_are_lost",
        ],
    ),
    ("31 the event of an execution's end never comes", &["guarantees_hold_where_wait_loops_throttle"]),
    (
        "32 a deploy renames, merges or removes a function with runs in flight, or a publisher knows the one before",
        &[
            "runs_in_flight_of_a_task_that_is_renamed_fail_as_unknown_and_the_new_name_begins_anew",
            "failing_delivery_of_a_function_that_is_merged_into_another_is_dropped_and_later_events_reach_both_handlers",
        ],
    ),
    (
        "33 a delayed event lives in a schedule alone, which is lost",
        &["deferred_event_is_handled_although_its_schedule_could_not_send"],
    ),
    (
        "34 a fire comes again after its run's record is gone",
        &["fire_that_comes_again_after_a_short_history_makes_no_second_run"],
    ),
    (
        "35 a schedule fires early, and a machine's clock is off",
        &["a_run_that_its_schedule_brings_early_completes_at_its_time", "clock_that_is_ten_minutes_fast_is_set_back"],
    ),
    ("36 a record expires under a late message", &["create_over_an_expired_record_leaves_nothing_of_it"]),
    (
        "37 a name lacks what tells two things apart",
        &[
            "two_events_with_one_id_are_both_delivered",
            "children_alike_are_told_apart_by_their_number_and_by_their_task",
        ],
    ),
    (
        "38 a message that was received in vain counts as an attempt",
        &["event_that_was_received_in_vain_is_handled_before_it_is_given_up"],
    ),
    (
        "39 the failure of a handler can't be recorded, and comes back as a crash",
        &["delivery_keeps_its_authors_error_while_the_store_is_throttled"],
    ),
    (
        "40 one hook takes the others with it",
        &["hook_of_the_end_that_fails_panics_or_takes_too_long_is_logged_and_the_next_runs"],
    ),
    (
        "41 hooks outlast their lease, or a lease begins before its limit",
        &[
            "hook_of_the_end_is_stopped_before_the_lease_of_the_hooks_ends",
            "attempt_ends_before_its_lease_does_however_long_it_took_to_call_it",
        ],
    ),
    (
        "42 a schedule fires before its record is stored, or is left without one",
        &["first_fire_of_an_every_is_not_lost_however_soon_it_comes"],
    ),
    ("43 the older manifest wins", &["deploy_from_another_machine_replaces_what_a_later_build_left"]),
    (
        "44 an event that is due tomorrow goes to the subscribers of today",
        &["event_due_tomorrow_reaches_a_handler_that_is_deployed_meanwhile"],
    ),
    ("45 records that fail fill each sweep", &["sweep_repairs_five_hundred_and_leaves_the_rest_to_the_next"]),
    ("46 what stands beside a record outlives it", &["expired_record_is_deleted_with_all_that_stands_beside_it"]),
    (
        "47 more is accepted than can be done",
        &["starts_are_acknowledged_as_fast_as_messages_are_taken_where_there_is_no_room"],
    ),
    (
        "48 a caller hangs up, and takes the process with it",
        &["handler_goes_on_in_its_process_where_its_caller_goes_away"],
    ),
];

#[test]
fn hazard_is_produced_by_tests_that_there_are() {
    let tests: BTreeSet<String> = sources(&["tests", "shared", "infra"])
        .iter()
        .flat_map(|source| source.text.lines().map(str::trim))
        .map(|line| line.trim_start_matches("pub "))
        .filter_map(|line| line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn ")))
        .filter_map(|rest| rest.split(['(', '<']).next().map(str::to_owned))
        .collect();
    let named = HAZARDS.iter().flat_map(|(hazard, produced_by)| produced_by.iter().map(move |test| (hazard, test)));
    none(
        named
            .filter(|(_, test)| !tests.contains(**test))
            .map(|(hazard, test)| format!("no test is named {test}, which is to produce hazard {hazard:?}"))
            .collect(),
    );
}
