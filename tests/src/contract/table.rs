//! The table of rules, and the macro that makes tests of it.

/// Makes a test of each rule for a bench: a module of this name, with the expression that makes a new bench.
///
/// ```ignore
/// dacapo_tests::contract!(sqlite_memory, SqliteBench::memory());
/// ```
#[macro_export]
macro_rules! contract {
    ($bench:ident, $new:expr) => {
        mod $bench {
            use super::*;

            $crate::contract! { @rules $new;
                creates:
                    new_record_is_loaded_as_it_was_written,
                    record_that_was_never_stored_is_none,
                    create_of_a_record_that_exists_gives_it_and_changes_nothing,
                    create_tried_again_finds_its_own_version_and_is_new,
                    create_tried_again_after_a_later_write_gives_the_later,
                    ten_creates_at_once_store_one_record,
                    ids_that_are_nearly_alike_are_kept_apart,
                    kinds_with_the_same_id_are_kept_apart,
                    document_with_digits_beyond_any_machine_type_keeps_them,
                    times_of_a_record_are_kept;
                saves:
                    save_in_the_version_seen_replaces_the_record,
                    save_in_an_older_version_gives_the_record_that_won,
                    save_tried_again_finds_its_own_version_and_is_done,
                    save_tried_again_after_a_later_write_is_lost,
                    ten_saves_of_one_version_at_once_store_one,
                    save_of_a_record_that_is_not_there_stores_nothing;
                payloads:
                    payload_that_was_never_written_is_absent,
                    payload_that_a_save_does_not_bring_stays,
                    small_payload_comes_with_every_reply,
                    large_payload_is_here_or_apart_in_every_reply,
                    payload_of_any_text_is_kept_to_the_last_character,
                    large_payload_of_wide_characters_is_kept,
                    largest_payloads_fit_all_at_once,
                    payload_of_another_size_replaces_the_former,
                    large_payload_of_a_write_that_loses_changes_nothing,
                    large_payloads_of_ten_saves_at_once_are_not_mixed;
                sets:
                    members_are_added_to_those_that_are_there,
                    members_added_at_once_are_all_there,
                    save_keeps_the_set_and_is_given_it,
                    set_of_a_thousand_members_is_whole,
                    set_of_a_record_that_is_gone_is_none,
                    peek_gives_those_that_are_there;
                claims:
                    claim_of_what_is_free_is_stored_with_its_record,
                    claim_that_is_held_gives_its_record_and_stores_nothing,
                    claim_in_the_version_seen_replaces_its_record,
                    claim_in_an_older_version_gives_its_record_and_stores_nothing,
                    claim_whose_record_has_gone_is_stored,
                    claim_of_what_has_expired_is_stored,
                    create_with_a_claim_tried_again_is_new,
                    create_with_a_claim_tried_again_after_a_save_is_new,
                    create_of_a_record_that_exists_leaves_the_claim_alone,
                    ten_takers_of_one_claim_at_once_store_one,
                    ten_takers_of_one_version_at_once_store_one;
                deletes:
                    deleted_record_is_gone,
                    delete_of_a_record_that_is_not_there_is_done,
                    delete_in_an_older_version_changes_nothing,
                    delete_takes_all_that_stands_beside_the_record,
                    effects_of_a_delete_happen,
                    effects_of_a_delete_that_loses_do_not_happen;
                owned:
                    record_beside_another_is_a_record_of_its_own,
                    record_beside_another_is_created_once,
                    ids_beside_one_record_are_kept_apart_from_those_beside_another,
                    records_beside_another_are_listed_by_their_ids,
                    large_payload_of_a_record_beside_another_is_read_with_it,
                    record_beside_another_is_found_by_its_place_in_an_index,
                    expiry_of_what_stands_beside_a_record_moves_with_a_write_of_it,
                    write_of_a_record_beside_another_leaves_its_expiry_where_it_was_moved,
                    expiry_of_what_stands_beside_a_record_that_ends_moves_with_its_end,
                    record_beside_another_is_deleted_with_it,
                    step_that_many_attempts_store_at_once_is_that_of_one;
                expiry:
                    record_whose_time_is_up_is_gone,
                    record_whose_time_is_not_up_stays,
                    save_of_an_expired_record_stores_nothing,
                    create_over_an_expired_record_leaves_nothing_of_it,
                    expired_record_is_not_listed,
                    delete_of_an_expired_record_is_done,
                    log_of_an_expired_record_is_empty,
                    long_log_of_an_expired_record_is_empty,
                    record_that_is_needed_again_keeps_all_that_stands_beside_it,
                    save_of_an_expired_record_lets_nothing_happen;
                queries:
                    query_gives_whole_records,
                    records_are_ordered_by_their_sort_texts,
                    bounds_include_the_lower_and_exclude_the_upper,
                    partitions_are_merged_in_one_order,
                    query_of_an_empty_partition_is_empty,
                    indexes_are_kept_apart,
                    place_appears_moves_and_disappears_with_a_write,
                    record_with_several_places_in_an_index_is_found_at_each,
                    places_of_a_record_expire_with_it,
                    records_of_one_sort_text_are_all_found,
                    records_with_heavy_payloads_are_all_found;
                pages:
                    page_has_no_more_records_than_asked_for,
                    pages_follow_each_other_and_end_with_the_last_record,
                    pages_of_merged_partitions_follow_each_other,
                    pages_of_one_sort_text_follow_each_other,
                    pages_of_what_is_reconciled_at_one_time_follow_each_other,
                    next_page_stays_the_same_while_records_are_added,
                    pages_with_expired_records_have_all_others,
                    page_of_more_than_a_hundred_records_has_them_all;
                reconcile:
                    longest_overdue_comes_first,
                    time_between_two_milliseconds_counts_as_the_later,
                    kinds_are_reconciled_together,
                    save_moves_the_time,
                    expired_record_is_not_reconciled,
                    time_that_was_seen_is_raised_and_another_is_not,
                    time_of_a_record_that_is_not_there_is_not_raised;
                logs:
                    line_is_read_as_it_was_added,
                    lines_are_ordered_by_their_sort_texts,
                    entries_of_a_run_are_ordered_as_they_were_made,
                    hundred_lines_added_at_once_are_a_hundred,
                    heavy_lines_are_all_read,
                    no_lines_are_no_error,
                    line_added_twice_is_one,
                    page_of_a_log_begins_after_the_line_told,
                    page_of_a_log_from_its_end_goes_back_from_the_line_told,
                    log_is_of_one_record;
                effects:
                    messages_of_a_create_and_its_claim_arrive,
                    messages_of_a_save_arrive,
                    create_that_loses_lets_nothing_happen,
                    save_that_loses_lets_nothing_happen,
                    effect_that_fails_leaves_the_record_and_the_others,
                    delayed_message_of_a_create_arrives_after_its_delay,
                    timers_of_writes_are_set_and_cancelled,
                    executions_of_writes_are_started_and_stopped,
                    dead_letter_of_a_save_is_kept,
                    schedules_of_writes_are_put_and_deleted;
                messages:
                    message_arrives_as_it_was_sent,
                    largest_message_fits,
                    message_arrives_at_its_function_alone,
                    delayed_message_arrives_after_its_delay,
                    delay_of_a_part_of_a_second_is_a_second,
                    delay_of_more_than_a_quarter_of_an_hour_is_refused,
                    function_without_a_queue_is_not_deployed,
                    backlog_is_what_is_visible,
                    dead_letter_of_a_function_with_a_queue_for_it_is_kept_there,
                    dead_letter_of_a_function_without_one_is_kept_in_the_apps;
                timers:
                    timer_sends_its_message_at_its_time_once,
                    timer_for_a_time_that_has_passed_fires_at_once,
                    timer_of_the_same_name_replaces_the_former,
                    cancelled_timer_does_not_fire,
                    cancel_of_a_timer_that_is_not_there_is_no_error;
                executions:
                    execution_that_was_started_runs,
                    execution_that_never_was_has_ended,
                    execution_started_twice_is_one,
                    execution_that_was_stopped_has_ended,
                    stop_of_an_execution_that_never_was_is_no_error,
                    execution_that_has_ended_does_not_start_again;
                commits:
                    record_that_was_created_is_loaded,
                    inputs_follow_each_other,
                    fresh_record_is_created_with_its_payloads,
                    record_that_cant_be_read_is_replaced_on_the_version_that_was_found,
                    fresh_record_that_exists_is_decided_on_as_it_stands,
                    input_that_changes_nothing_lets_its_effects_happen,
                    record_that_was_deleted_is_gone,
                    deletion_of_a_fresh_record_lets_its_effects_happen,
                    record_is_found_where_its_kind_says,
                    record_whose_time_is_up_may_be_created_anew;
                races:
                    ten_writers_of_one_record_lose_nothing,
                    writer_that_loses_decides_again,
                    write_that_is_throttled_is_tried_again,
                    write_whose_reply_is_lost_is_done_once,
                    write_whose_reply_is_lost_before_a_later_write_is_done_once,
                    create_whose_reply_is_lost_is_new,
                    deletion_whose_reply_is_lost_is_done,
                    deletion_that_loses_is_decided_again,
                    write_that_is_throttled_for_too_long_is_an_error,
                    effects_of_the_decision_that_is_stored_happen_alone;
                tokens:
                    completed_token_brings_the_message_of_the_run_that_waits,
                    token_that_is_not_completed_brings_the_message_of_its_run_in_time,
                    ten_completions_of_one_token_at_once_store_one_value,
                    completion_and_time_out_at_once_have_one_winner;
                runs:
                    new_run_brings_its_message_to_its_function,
                    run_that_is_due_much_later_waits_for_its_time,
                    ten_deliveries_of_one_message_take_one_attempt,
                    attempt_whose_reply_is_lost_is_its_takers_own,
                    run_is_read_as_it_was_stored_all_its_life,
                    run_that_continues_is_called_by_a_wait_loop_until_it_ends;
                joins:
                    last_child_that_ends_wakes_the_run_that_waits,
                    child_that_has_ended_before_is_not_missed,
                    children_that_end_while_the_run_begins_to_wait_wake_it_once,
                    wait_that_was_cut_short_is_taken_up_again,
                    abort_reaches_the_children_of_a_run;
                keys:
                    key_that_is_held_gives_the_run_that_holds_it,
                    create_with_a_key_whose_reply_is_lost_is_new,
                    key_belongs_to_its_task,
                    longest_key_fits,
                    ten_takers_of_a_key_at_once_store_one_run,
                    ten_takers_of_a_failed_runs_key_store_one_run,
                    key_of_a_failed_run_may_be_taken_over,
                    key_of_a_completed_or_aborted_run_stays,
                    key_past_its_time_may_be_taken_over,
                    key_of_an_unfinished_run_is_held_beyond_its_time,
                    record_is_kept_as_long_as_its_key;
                lists:
                    runs_are_listed_newest_first,
                    list_is_of_one_task,
                    list_of_several_tasks_is_newest_first,
                    failed_runs_are_listed_by_themselves,
                    run_is_listed_by_its_tags_its_parent_and_its_schedule,
                    run_that_is_put_off_is_listed_by_when_it_is_due,
                    expired_run_is_not_listed;
                deliveries:
                    first_failure_is_recorded_and_sent_again,
                    delivery_that_was_never_recorded_is_none,
                    ten_first_failures_of_one_event_are_one,
                    ten_arrivals_of_one_message_take_one_attempt,
                    dropped_delivery_is_kept_and_may_be_redriven,
                    failed_delivery_is_listed_by_its_state_function_and_event,
                    delivery_that_never_failed_is_on_no_list;
                schedules:
                    schedule_fires_at_its_function,
                    schedule_that_is_put_again_replaces_the_former,
                    schedule_that_is_deleted_twice_is_no_error,
                    record_of_a_schedule_is_kept_whole_and_fires,
                    changes_of_one_version_are_both_kept,
                    schedules_are_listed_by_name,
                    newest_manifest_stays;
            }
        }
    };
    (@rules $new:expr; $($subject:ident: $($rule:ident),+;)+) => {
        $($(
            #[tokio::test]
            async fn $rule() {
                let bench = $new;
                $crate::contract::$subject::$rule(&bench).await;
            }
        )+)+

        /// A rule that is written but not in the table would never be checked.
        #[test]
        fn every_rule_is_in_the_table() {
            let table = [$((stringify!($subject), vec![$(stringify!($rule)),+])),+];
            for (subject, rules) in table {
                assert_eq!($crate::contract::rules_of(subject), rules, "rules of {subject}");
            }
        }
    };
}

/// The rules that a file of this suite holds, in their order.
#[must_use]
pub fn rules_of(subject: &str) -> Vec<String> {
    let path = format!("{}/src/contract/{subject}.rs", env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read_to_string(path).expect("the suite's source is there");
    let rules = source.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
    rules.map(str::to_owned).collect()
}
