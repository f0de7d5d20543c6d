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
                runs:
                    a_new_run_is_there_with_its_body,
                    a_run_that_is_not_there_is_none,
                    a_run_is_created_once,
                    a_create_tried_again_finds_that_it_has_won,
                    of_many_who_create_a_run_one_wins,
                    a_save_replaces_the_record,
                    a_save_stores_the_payloads_it_brings,
                    a_save_gives_the_payloads_as_far_as_they_are_at_hand,
                    a_lost_save_gives_the_record_that_won,
                    of_many_who_save_one_wins,
                    a_save_tried_again_finds_that_it_has_won,
                    a_save_tried_again_too_late_is_lost,
                    a_save_of_a_run_that_is_not_there_stores_nothing,
                    an_expired_run_is_gone,
                    an_expired_run_may_be_created_anew,
                    a_run_is_kept_until_its_time_is_up,
                    payloads_pass_through_unchanged,
                    the_largest_payloads_fit,
                    times_keep_their_milliseconds;
                keys:
                    a_key_gives_the_run_that_holds_it,
                    a_create_with_a_key_tried_again_finds_that_it_has_won,
                    a_key_belongs_to_its_task,
                    of_many_who_take_a_key_one_wins,
                    a_failed_runs_key_may_be_taken_over,
                    an_expired_runs_key_may_be_taken_over,
                    a_completed_runs_key_stays,
                    an_aborted_runs_key_stays,
                    of_many_who_take_a_key_over_one_wins,
                    a_key_past_its_time_may_be_taken_over,
                    a_key_is_held_at_least_until_its_run_ends,
                    a_record_is_kept_as_long_as_its_key;
                lists:
                    runs_are_listed_newest_first,
                    a_list_is_of_one_task,
                    a_list_of_nothing_is_empty,
                    a_list_is_of_one_state,
                    a_scheduled_run_that_is_due_is_listed_as_submitted,
                    pages_follow_each_other_without_gap_or_repetition,
                    pages_of_one_state_have_all_of_it,
                    a_cursor_stays_valid_while_runs_are_added,
                    what_is_no_cursor_is_refused,
                    an_expired_run_is_not_listed;
                watch:
                    the_longest_overdue_comes_first,
                    no_more_is_overdue_than_asked_for,
                    a_save_moves_the_look,
                    what_is_settled_is_not_overdue,
                    a_final_record_that_owes_something_is_overdue;
                logs:
                    an_entry_keeps_all_that_was_said,
                    logs_are_given_in_the_order_they_were_made,
                    many_entries_may_be_added_at_once,
                    no_entries_are_no_error,
                    the_same_entry_added_twice_is_one,
                    a_page_of_logs_begins_after_its_cursor,
                    logs_are_of_one_run;
                deliveries:
                    a_new_delivery_is_there_with_its_body,
                    a_delivery_that_is_not_there_is_none,
                    a_delivery_is_created_once,
                    a_delivery_stored_again_finds_that_it_has_won,
                    a_save_replaces_the_delivery,
                    a_lost_save_gives_the_delivery_that_won,
                    a_save_of_a_delivery_that_is_not_there_stores_nothing,
                    an_expired_delivery_is_gone;
                queues:
                    a_message_arrives_as_it_was_sent,
                    the_largest_message_fits,
                    a_message_arrives_at_its_function_alone,
                    a_delayed_message_arrives_after_its_delay,
                    the_longest_delay_is_a_quarter_of_an_hour,
                    a_function_without_a_queue_is_not_deployed,
                    a_backlog_is_what_is_visible,
                    a_dead_letter_is_kept_in_its_functions_own_queue,
                    a_dead_letter_without_a_queue_of_its_own_is_kept_in_the_apps;
                timers:
                    a_timer_sends_its_message_at_its_time,
                    a_timer_for_a_time_that_has_passed_fires_at_once,
                    the_same_name_replaces_the_timer,
                    a_deleted_timer_does_not_fire,
                    deleting_a_timer_that_is_not_there_is_no_error;
                loops:
                    an_execution_that_was_started_runs,
                    an_execution_that_never_was_has_ended,
                    starting_an_execution_twice_is_no_error,
                    a_stopped_execution_has_ended,
                    stopping_an_execution_that_never_was_is_no_error,
                    a_name_is_used_once;
                schedules:
                    a_schedule_fires_at_its_function,
                    a_schedule_that_is_put_again_replaces_the_former,
                    deleting_a_schedule_twice_is_no_error,
                    what_is_kept_of_a_schedule_is_kept_whole,
                    a_schedule_is_saved_by_who_has_seen_the_last,
                    a_schedule_saved_again_finds_that_it_has_won,
                    a_deleted_schedule_is_gone,
                    schedules_are_listed_by_name,
                    the_newest_manifest_stays;
            }
        }
    };
    (@rules $new:expr; $($port:ident: $($rule:ident),+;)+) => {
        $($(
            #[tokio::test]
            async fn $rule() {
                let bench = $new;
                $crate::contract::$port::$rule(&bench).await;
            }
        )+)+

        /// A rule that is written but not in the table would never be checked.
        #[test]
        fn every_rule_is_in_the_table() {
            let table = [$((stringify!($port), vec![$(stringify!($rule)),+])),+];
            for (port, rules) in table {
                assert_eq!($crate::contract::rules_of(port), rules, "rules of {port}");
            }
        }
    };
}

/// The rules that a file of this suite holds, in their order.
#[must_use]
pub fn rules_of(port: &str) -> Vec<String> {
    let path = format!("{}/src/contract/{port}.rs", env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read_to_string(path).expect("the suite's source is there");
    let rules = source.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
    rules.map(str::to_owned).collect()
}
