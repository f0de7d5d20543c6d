//! Retry policies: the waits of `min(max, jitter × min × factor^(attempt−1))` as a table, every refusal, and the stored form.

use std::time::Duration;

use dacapo_domain::{Retry, RetryError, days, hours, minutes, seconds};
use proptest::prelude::*;

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The waits after these attempts, in seconds.
fn waits<const N: usize>(retry: Retry, unit: f64, attempts: [u32; N]) -> [u64; N] {
    attempts.map(|attempt| {
        let wait = retry.delay(attempt, unit);
        assert_eq!(wait.subsec_nanos(), 0, "whole seconds");
        wait.as_secs()
    })
}

#[test]
fn wait_is_min_times_factor_to_the_power_of_the_attempts_before_up_to_max() {
    let plain = Retry::attempts(20).jitter(false);
    assert_eq!(waits(plain, 0.9, [1, 2, 3, 4, 5, 6, 7, 8, 20]), [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    assert_eq!(waits(plain.min(seconds(10)).factor(3.0).max(minutes(5)), 0.9, [1, 2, 3, 4, 5]), [10, 30, 90, 270, 300]);
    assert_eq!(waits(plain.factor(1.0), 0.9, [1, 2, 9]), [1, 1, 1]);
    assert_eq!(waits(plain.min(seconds(60)), 0.9, [1, 2]), [60, 60]);
}

#[test]
fn wait_with_jitter_is_stretched_by_one_to_two_before_the_cap() {
    let retry = Retry::attempts(20).min(seconds(10));
    assert_eq!(waits(retry, 0.0, [1, 2, 3, 4]), [10, 20, 40, 60]);
    assert_eq!(waits(retry, 0.5, [1, 2, 3, 4]), [15, 30, 60, 60]);
    assert_eq!(waits(retry, 0.99, [1, 2, 3, 4]), [20, 40, 60, 60]); // 19.9 s, 39.8 s
    // A number outside 0 to 1 is one at its end.
    assert_eq!(waits(retry, -3.0, [1]), [10]);
    assert_eq!(waits(retry, 7.0, [1]), [20]);
}

#[test]
fn wait_with_a_fraction_of_a_second_is_rounded_up() {
    let plain = Retry::attempts(20).jitter(false);
    assert_eq!(waits(plain.min(millis(1)), 0.0, [1, 2]), [1, 1]);
    assert_eq!(waits(plain.min(millis(1_001)), 0.0, [1, 2]), [2, 3]);
    assert_eq!(waits(plain.min(millis(100)).factor(3.0), 0.0, [1, 2, 3, 4]), [1, 1, 1, 3]); // 2.7 s
    assert_eq!(waits(plain.min(millis(100)).factor(10.0), 0.0, [1, 2, 3]), [1, 1, 10]); // not 11
    assert_eq!(waits(plain.min(Duration::from_nanos(1)), 0.0, [1]), [1]);
    assert_eq!(waits(plain.min(Duration::ZERO), 0.0, [1, 20]), [0, 0]);
    assert_eq!(waits(plain.max(millis(2_500)), 0.0, [3]), [3]);
}

#[test]
fn wait_of_huge_attempts_factors_or_bounds_ends_at_the_cap() {
    let plain = Retry::attempts(u32::MAX);
    assert_eq!(waits(plain, 0.99, [64, 1_100, u32::MAX]), [60, 60, 60]);
    assert_eq!(waits(plain.factor(1e300), 0.99, [2, 3, u32::MAX]), [60, 60, 60]);
    assert_eq!(waits(plain.min(Duration::ZERO).factor(1e300), 0.5, [1, u32::MAX]), [0, 0]);
    let year = days(365).as_secs();
    assert_eq!(waits(plain.min(Duration::MAX).max(Duration::MAX), 0.99, [1, u32::MAX]), [year, year]);
    assert_eq!(waits(plain, 0.0, [0]), [1], "attempts count from 1");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn wait_without_jitter_is_arithmetic_of_whole_numbers(
        min in 0..100_000_u64, longer in 0..100_000_000_u64, factor in 1..10_u32, attempt in 1..60_u32,
    ) {
        let max = min + longer;
        let retry = Retry::attempts(60).min(millis(min)).max(millis(max)).factor(factor.into()).jitter(false);
        let growth = u128::from(factor).saturating_pow(attempt - 1);
        let wait_ms = u128::from(min).saturating_mul(growth).min(max.into());
        prop_assert_eq!(u128::from(retry.delay(attempt, 0.3).as_secs()), wait_ms.div_ceil(1_000));
    }

    #[test]
    fn wait_of_any_policy_is_at_most_a_year(
        ns in any::<[u64; 2]>(), factor in any::<f64>(), attempt in any::<u32>(), unit in any::<f64>(), jitter in any::<bool>(),
    ) {
        let [min, max] = ns.map(Duration::from_nanos);
        let retry = Retry::attempts(3).min(min).max(max).factor(factor).jitter(jitter);
        prop_assert!(retry.delay(attempt, unit) <= days(365));
    }
}

#[test]
fn policy_that_cannot_be_followed_is_refused() {
    for (retry, why) in [
        (
            Retry::attempts(0),
            "retry with 0 attempts: the first try counts as one (write `Retry::never()` for one try and no more)",
        ),
        (
            Retry::attempts(3).factor(0.5),
            "retry with a factor of 0.5: it is a number of at least 1 (1 for a wait that doesn't grow)",
        ),
        (
            Retry::attempts(3).factor(f64::NAN),
            "retry with a factor of NaN: it is a number of at least 1 (1 for a wait that doesn't grow)",
        ),
        (
            Retry::attempts(3).factor(f64::INFINITY),
            "retry with a factor of inf: it is a number of at least 1 (1 for a wait that doesn't grow)",
        ),
        (
            Retry::attempts(3).min(seconds(61)),
            "retry with a shortest wait of 61s and a longest of 60s (raise `.max(…)` or lower `.min(…)`)",
        ),
        (
            Retry::attempts(3).max(days(366)),
            "retry with a longest wait of 31622400s: at most 31536000s are allowed, a year",
        ),
        (
            Retry::attempts(3).age(Duration::ZERO),
            "retry up to an age of 0: any attempt is older (write `Retry::never()` for one try and no more)",
        ),
        (
            Retry::every(Duration::ZERO),
            "retry with a shortest wait of 0: it would be tried again at once, over and over (allowed: more than 0, rounded up to whole seconds; write `seconds(1)`)",
        ),
        (
            Retry::attempts(2).min(Duration::ZERO),
            "retry with a shortest wait of 0: it would be tried again at once, over and over (allowed: more than 0, rounded up to whole seconds; write `seconds(1)`)",
        ),
    ] {
        assert_eq!(retry.check().unwrap_err().to_string(), why);
    }
    assert_eq!(Retry::every(days(366)).check(), Err(RetryError::MaxTooLong(days(366))));
    for retry in [
        Retry::default(),
        Retry::never(),
        Retry::of_events(),
        Retry::every(hours(1)).at_most(24).age(days(1)),
        Retry::attempts(u32::MAX).min(millis(1)).max(millis(1)).factor(1.0),
        Retry::never().min(Duration::ZERO),
        Retry::attempts(1).max(days(365)),
    ] {
        assert_eq!(retry.check(), Ok(()), "{retry:?}");
    }
}

#[test]
fn policy_of_tasks_and_of_events_is_the_documented_default() {
    let task = Retry::default();
    assert_eq!((task.max_attempts(), task.max_age()), (3, None));
    assert_eq!(waits(task, 0.5, [1, 2]), [2, 3]);
    let event = Retry::of_events();
    assert_eq!((event.max_attempts(), event.max_age()), (u32::MAX, Some(days(14))));
    assert_eq!(waits(event, 0.5, [1, 2, 3_360]), [360, 360, 360]);
}

#[test]
fn policy_is_written_to_its_stored_form_and_read_again() {
    for (retry, json) in [
        (Retry::default(), r#"{"attempts":3,"minMs":1000,"maxMs":60000,"factor":2.0,"jitter":true}"#),
        (
            Retry::of_events(),
            r#"{"attempts":4294967295,"minMs":360000,"maxMs":360000,"factor":1.0,"jitter":false,"ageMs":1209600000}"#,
        ),
    ] {
        assert_eq!(serde_json::to_string(&retry).unwrap(), json);
        assert_eq!(serde_json::from_str::<Retry>(json).unwrap(), retry);
    }
    let read = |json: &str| serde_json::from_str::<Retry>(json).unwrap();
    assert_eq!(read("{}"), Retry::default(), "what older builds left out is as by default");
    assert_eq!(read(r#"{"attempts":5,"later":[1]}"#), Retry::attempts(5), "what newer builds add is left alone");

    // The shortest wait doesn't become none on its way.
    let short = Retry::attempts(3).min(Duration::from_nanos(1));
    let back = read(&serde_json::to_string(&short).unwrap());
    assert_eq!(back.delay(1, 0.0), short.delay(1, 0.0));
}
