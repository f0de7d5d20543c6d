//! The dashboard in Chromium, through its real pages, over the test kit: pages know their store by its ports alone, so
//! what is shown of AWS's data differs by nothing else.
//!
//! Tests are listed as ignored where no Chromium is (`CHROME`, or one on the path), and so are those of `axe-core` without
//! npm, which brings it: they have not run. `UPDATE=1` makes the guide's pictures anew.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod axe;
mod chromium;
mod live;
mod odd;
mod pictures;
#[path = "../all/sample.rs"]
mod sample;
mod walk;

use libtest_mimic::{Arguments, Trial};

/// Trials by the functions' own names, which run where this is here.
macro_rules! trials {
    ($is_here:expr, $($module:ident :: $name:ident),+ $(,)?) => {
        [$(trial(concat!(stringify!($module), "::", stringify!($name)), $is_here, $module::$name)),+]
    };
}

fn main() {
    let arguments = Arguments::from_args();
    let (has_chromium, has_npm) = (chromium::program().is_some(), axe::npm().is_some());
    for (is_here, says) in [
        (has_chromium, "no Chromium is on the path (nor at CHROME): the dashboard's tests in a browser do not run"),
        (has_npm, "no npm is on the path, which brings axe-core: the dashboard's tests of accessibility do not run"),
    ] {
        if !is_here {
            eprintln!("not run: {says}");
        }
    }
    let walks = trials![
        has_chromium,
        walk::reader_starts_a_run_sees_it_live_aborts_it_and_replays_it_with_another_body,
        walk::reader_pauses_a_queue_and_redrives_a_dead_letter,
        walk::reader_starts_and_aborts_a_run_by_keyboard_alone,
        walk::second_tab_that_aborts_a_run_is_told_that_it_has_ended,
        live::page_that_changes_keeps_what_is_open_typed_and_focused,
        live::page_waits_for_what_is_selected_and_follows_nothing_while_it_is_hidden,
        live::times_are_told_in_the_readers_zone_and_a_schedules_in_its_own,
        live::page_whose_server_is_gone_says_so_and_goes_on_once_it_is_back,
        odd::text_with_markup_in_every_field_is_shown_and_does_nothing,
        odd::body_that_is_long_deep_or_precise_comes_back_as_it_was,
        odd::json_is_checked_as_it_is_typed_with_its_line_and_laid_out_to_the_digit,
        odd::stale_form_and_cut_cursor_are_answered_with_what_to_do,
        pictures::every_page_weighs_60_kb_at_most,
        pictures::pictures_of_the_guide_are_of_these_pages,
    ];
    let accessible = trials![has_chromium && has_npm, axe::every_page_passes_axe_in_both_colours_and_widths];
    libtest_mimic::run(&arguments, walks.into_iter().chain(accessible).collect()).exit();
}

fn trial<F: Future<Output = ()> + 'static>(name: &str, is_here: bool, test: fn() -> F) -> Trial {
    let run = move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(test());
        Ok(())
    };
    Trial::test(name, run).with_ignored_flag(!is_here)
}
