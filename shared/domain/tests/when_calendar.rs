//! Months, years and the bound of one year, against an independent calendar; and that no text breaks anything.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "only its calendar is used here")]
mod oracle;

use dacapo_domain::{Every, When, cron};
use jiff::Timestamp;
use oracle::{days_in, days_since_1970};
use proptest::prelude::*;

const DAY_MS: i64 = 86_400_000;

/// Year, month, day and milliseconds of the day.
type Civil = (i64, i64, i64, i64);

fn moments() -> impl Strategy<Value = Civil> {
    // Ends of months, and of February above all, more often than by chance.
    let day = prop_oneof![1..=31_i64, 28..=31_i64];
    let month = prop_oneof![1..=12_i64, Just(2)];
    (1970..=2198_i64, month, day, 0..DAY_MS)
        .prop_map(|(year, month, day, ms)| (year, month, day.min(days_in(year, month)), ms))
}

fn timestamp((year, month, day, ms): Civil) -> Timestamp {
    Timestamp::from_millisecond(days_since_1970(year, month, day) * DAY_MS + ms).unwrap()
}

/// The same day of a later month, or that month's last.
fn plus_months((year, month, day, ms): Civil, months: i64) -> Civil {
    let (year, month) = (year + (month - 1 + months) / 12, (month - 1 + months) % 12 + 1);
    (year, month, day.min(days_in(year, month)), ms)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn time_in_months_or_years_goes_by_the_calendar(now in moments(), months in 1..=12_i64) {
        let due = When::from(format!("{months} months")).resolve(timestamp(now)).unwrap();
        prop_assert_eq!(due, timestamp(plus_months(now, months)));
        let due = When::from("1 year").resolve(timestamp(now)).unwrap();
        prop_assert_eq!(due, timestamp(plus_months(now, 12)));
    }

    #[test]
    fn time_later_than_now_and_within_a_year_is_taken_and_no_other(now in moments(), ms in -DAY_MS..800 * DAY_MS) {
        let (now, latest) = (timestamp(now), timestamp(plus_months(now, 12)));
        let due = now + jiff::SignedDuration::from_millis(ms);
        let allowed = due > now && due <= latest;
        prop_assert_eq!(When::from(due).resolve(now).is_ok(), allowed);
        prop_assert_eq!(When::from(due.to_string()).resolve(now).is_ok(), allowed);
        prop_assert_eq!(When::from(ms).resolve(now).ok(), Some(due).filter(|_| allowed));
        if due.as_millisecond() > 315_360_000_000 {
            prop_assert_eq!(When::from(due.as_millisecond()).resolve(now).ok(), Some(due).filter(|_| allowed));
        }
    }

    #[test]
    fn time_in_a_fixed_unit_is_its_milliseconds_away(now in moments(), number in 1..=100_000_i64) {
        let now = timestamp(now);
        for (unit, ms) in [("second", 1_000), ("minutes", 60_000), ("hours", 3_600_000), ("day", DAY_MS), ("weeks", 7 * DAY_MS)] {
            let by_text = When::from(format!("{number} {unit}")).resolve(now).ok();
            let due = now + jiff::SignedDuration::from_millis(number * ms);
            prop_assert_eq!(by_text, When::from(due).resolve(now).ok(), "{} {}", number, unit);
        }
    }

    #[test]
    fn time_of_any_text_is_resolved_or_refused(text in "\\PC{0,40}", near in "[0-9a-zA-Z .,:/#?*TZ+-]{0,24}") {
        let now = timestamp((2024, 2, 29, 0));
        for text in [text, near] {
            if let Err(error) = When::from(text.as_str()).resolve(now) {
                prop_assert!(!error.to_string().is_empty());
                // A suggestion is right, or too far.
                if let Some(instead) = error.instead() {
                    let again = When::from(instead).resolve(now);
                    let right = again.is_ok() || again.is_err_and(|error| error.instead().is_none());
                    prop_assert!(right, "{:?} for {:?}", instead, text);
                }
            }
            let _ = Every::parse(&text);
            let _ = cron(&text).timezone(&text).check();
            let _ = cron(format!("0 0 {text} * ? *")).check();
            let _ = cron(format!("0 0 ? * {text} *")).check();
        }
    }
}
