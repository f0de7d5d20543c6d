//! The chapter of limits and prices against the code.

use std::time::Duration;

use dacapo_domain::{Every, PRICES_OF, Usage, limits};

use super::{RESIZE, grouped, in_days, resize, rows};
use crate::{Definition, Retry, days, seconds, task};

fn numbers(chapter: &str, heading: &str) -> Vec<(String, String)> {
    rows(chapter, heading).into_iter().map(|row| (row[1].clone(), row[2].clone())).collect()
}

fn expected(rows: &[(u64, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(number, unit)| (grouped(*number), (*unit).to_owned())).collect()
}

#[test]
fn limits_chapter_has_the_numbers_of_the_code() {
    let message_bytes = limits::MESSAGE_BYTES as u64;
    let told = numbers(include_str!("../limits.md"), "| what | at most | unit |");
    let code = expected(&[
        (limits::TASK_NAME_CHARS as u64, "characters"),
        (limits::EVENT_NAME_CHARS as u64, "characters"),
        (limits::APP_CHARS as u64, "characters"),
        (limits::STAGE_CHARS as u64, "characters"),
        (limits::SLUG_BYTES as u64, "bytes"),
        (limits::KEY_CHARS as u64, "characters"),
        (limits::TAGS as u64, "tags"),
        (limits::TAG_CHARS as u64, "characters"),
        (limits::TOKEN_NAME_CHARS as u64, "characters"),
        (limits::BATCH as u64, "runs"),
        (limits::BATCH as u64, "runs"),
        (message_bytes, "bytes"),
        (limits::START_EXECUTION_BYTES as u64, "bytes"),
        (message_bytes, "bytes"),
        (limits::STEP_NAME_CHARS as u64, "characters"),
        (message_bytes, "bytes"),
        (message_bytes, "bytes"),
        (message_bytes, "bytes"),
        (limits::MANIFEST_BYTES as u64, "bytes"),
        (limits::RESULT_BYTES as u64, "bytes"),
        (limits::LOG_ENTRY_BYTES as u64, "bytes"),
        (limits::LOG_ENTRIES.into(), "entries"),
        (limits::LOG_BYTES, "bytes"),
        (limits::TEXT_BYTES as u64, "bytes"),
        (limits::STACK_BYTES as u64, "bytes"),
        (limits::CODE_BYTES as u64, "bytes"),
        (limits::MAX_TIMEOUT.as_secs(), "seconds"),
        (limits::RUNNER_STOPS.as_secs(), "seconds"),
        (limits::MAX_EVENT_TIMEOUT.as_secs(), "seconds"),
        (limits::END_HOOK.as_secs(), "seconds"),
        (in_days(limits::MAX_WAIT), "days"),
        (limits::MAX_QUEUE_DELAY.as_secs(), "seconds"),
        (limits::LOOP_ROUNDS.into(), "rounds"),
        (limits::LOOP_EVENTS.into(), "events"),
        (in_days(limits::LOOP_LIFE), "days"),
        (limits::HOPS.into(), "hops"),
        (limits::HOP_WINDOW.as_secs(), "seconds"),
    ]);
    assert_eq!(told, code);
    assert_eq!((limits::MIN_TIMEOUT, limits::MIN_WAIT), (seconds(1), seconds(1)));
}

#[test]
fn limits_chapter_has_the_defaults_of_the_code() {
    let told = numbers(include_str!("../limits.md"), "| what | by default | unit |");
    let code = expected(&[
        (in_days(limits::HISTORY), "days"),
        (in_days(limits::KEY_LIFE), "days"),
        (in_days(limits::EVENT_AGE), "days"),
        (limits::LEASE_MARGIN.as_secs(), "seconds"),
    ]);
    assert_eq!(told, code);
}

#[test]
fn limits_chapter_has_the_prices_of_the_code() {
    let chapter = include_str!("../limits.md");
    assert!(chapter.contains(PRICES_OF), "{PRICES_OF}");
    let nothing = Usage::default();
    let of_one = [
        Usage { write_units: 1.0, ..nothing },
        Usage { reads: 1.0, ..nothing },
        Usage { messages: 1.0, ..nothing },
        Usage { invocations: 1.0, ..nothing },
        Usage { gb_seconds: 1.0, ..nothing },
        Usage { transitions: 1.0, ..nothing },
        Usage { timers: 1.0, ..nothing },
    ];
    let dollars = |usage: Usage| usage.price_of_a_million() - nothing.price_of_a_million();
    let told: Vec<f64> =
        rows(chapter, "| a million of | dollars |").iter().map(|row| row[1].parse().expect("a number")).collect();
    assert_eq!(told.len(), of_one.len());
    for (told, usage) in told.iter().zip(of_one) {
        assert!((told - dollars(usage)).abs() <= 0.005 + 1e-9, "{told} for {usage:?}: {}", dollars(usage));
    }
    let run = Usage { write_units: 6.0, messages: 1.0, record_bytes: 690.0, ..Usage::SHORT };
    for usage in [run, run.shared_by(limits::INVOCATION_MESSAGES)] {
        assert!(chapter.contains(&format!("come to ${:.2}.", usage.price_of_a_million())));
    }
}

#[test]
fn limits_chapter_has_the_ranges_that_options_are_held_to() {
    let is_accepted = |task: crate::Task<String>| Definition::of(task).problems.is_empty();
    let option = || task(RESIZE, resize);
    for (accepted, refused) in [(128_u32, 127_u32), (10_240, 10_241)] {
        assert!(is_accepted(option().memory(accepted)) && !is_accepted(option().memory(refused)));
    }
    for (accepted, refused) in [(seconds(1), Duration::from_millis(999)), (days(3_650), days(3_651))] {
        assert!(is_accepted(option().max_duration(accepted)) && !is_accepted(option().max_duration(refused)));
        assert!(is_accepted(option().ttl(accepted)) && !is_accepted(option().ttl(refused)));
        assert!(is_accepted(option().history(accepted)) && !is_accepted(option().history(refused)));
    }
    assert!(Every::parse("1 minute").is_ok() && Every::parse("0 minutes").is_err());
    assert!(Every::parse("3650 days").is_ok() && Every::parse("3651 days").is_err());
    let is_debounced = |delay| dacapo_domain::Debounce::check(delay, Some(delay)).is_ok();
    assert!(is_debounced(Duration::from_millis(1)) && !is_debounced(Duration::ZERO));
    assert!(is_debounced(days(355)) && !is_debounced(days(356)));
    let is_wait = |wait| Retry::every(wait).check().is_ok();
    assert!(is_wait(seconds(1)) && !is_wait(seconds(0)) && is_wait(days(365)) && !is_wait(days(366)));

    let told: Vec<String> = rows(include_str!("../limits.md"), "| option | from | to |")
        .into_iter()
        .map(|row| row[1..].join(" to "))
        .collect();
    assert_eq!(
        told,
        [
            "128 MB to 10,240 MB",
            "1 s to 3,650 days",
            "1 ms; `max_delay`: the delay to 355 days",
            "1 minute to 3,650 days",
            "1 s to 365 days",
            "now to one year ahead"
        ]
    );
}
