//! The fires of random expressions, against two other implementations.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod oracle;

use dacapo_domain::{Cron, time_zone};
use fastrand::Rng;
use jiff::{Timestamp, tz::TimeZone};
use oracle::{Oracle, random};

/// Cases of each test; `DACAPO_CASES=100000` is the full run, some two and a half minutes in an unoptimized build.
fn cases() -> usize {
    std::env::var("DACAPO_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(3_000)
}

/// Whole, half and quarter hours, both hemispheres, a change of half an hour (Lord Howe), one at midnight (Cairo,
/// Havana), and none.
const ZONES: [&str; 12] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Cairo",
    "America/Havana",
    "Pacific/Apia",
    "America/Santiago",
    "Asia/Tokyo",
    "Africa/Casablanca",
];

#[test]
fn fires_agree_with_an_oracle_that_looks_at_every_day() {
    let zones = ZONES.map(|name| time_zone(name).unwrap());
    let mut rng = Rng::with_seed(3);
    let mut fired = 0;
    for case in 0..cases() {
        let expression = random::expression(&mut rng);
        let (zone, after) = (&zones[rng.usize(..zones.len())], random::moment(&mut rng));
        let told = || format!("case {case}: {expression} in {} after {after}", zone.iana_name().unwrap());

        let cron = Cron::parse(&expression).unwrap_or_else(|error| panic!("{}: {error}", told()));
        let expected = Oracle::new(&expression).fires_after(after, zone, 3);
        let fires: Vec<Timestamp> = cron.fires_after(after, zone).take(3).collect();
        assert_eq!(fires, expected, "{}", told());
        fired += fires.len();

        for pair in expected.windows(2) {
            assert_eq!(cron.previous_before(pair[1], zone), Some(pair[0]), "{}", told());
        }
        // Nothing fires between the previous one and the next.
        let just_after = after + jiff::SignedDuration::from_millis(1);
        if let Some(previous) = cron.previous_before(just_after, zone) {
            assert!(previous <= after, "{}", told());
            assert_eq!(cron.next_after(previous, zone), expected.first().copied(), "{}", told());
        }
    }
    assert!(fired > cases() * 2, "most of the random expressions fire, or the test shows nothing: {fired}");
}

/// The `croner` crate in the Quartz way of numbering days. It looks for a fire in UTC, as it has its own ideas of
/// daylight saving, and it knows no `3W` at a month's end as AWS has it.
#[test]
fn fires_agree_with_croner() {
    use chrono::DateTime;
    use croner::parser::{CronParser, Seconds, Year};
    let parser =
        CronParser::builder().seconds(Seconds::Required).year(Year::Required).alternative_weekdays(true).build();
    let mut rng = Rng::with_seed(4);
    let mut compared = 0;
    for case in 0..cases() {
        let expression = random::expression(&mut rng);
        let after = random::moment(&mut rng);
        let theirs = parser
            .parse(&in_their_words(&expression))
            .unwrap_or_else(|error| panic!("case {case}: {expression}: {error}"));
        let ours = Cron::parse(&expression).unwrap().next_after(after, &TimeZone::UTC);
        let start = DateTime::from_timestamp_millis(after.as_millisecond()).unwrap();
        let found = theirs.find_next_occurrence(&start, false).ok();
        let found = found.map(|fire| Timestamp::from_second(fire.timestamp()).unwrap());
        assert_eq!(ours, found, "case {case}: {expression} after {after}");
        compared += usize::from(found.is_some());
    }
    assert!(compared > cases() / 2, "{compared}");
}

/// A field of days that says `?` here says `*` there; `L` is Saturday only here; seconds can't go without saying, nor the end of a step.
fn in_their_words(expression: &str) -> String {
    let mut theirs = "0".to_owned();
    for (field, most) in expression.split(' ').zip([59, 23, 31, 12, 7, 2199]) {
        let field = if (field, most) == ("L", 7) { "7" } else { field };
        let items = field.split(',').map(|item| match item.split_once('/') {
            Some((from, step)) if from != "*" && !from.contains('-') => format!("{from}-{most}/{step}"),
            Some(("*", step)) if most == 2199 => format!("1970-2199/{step}"),
            _ => item.replace('?', "*"),
        });
        theirs = format!("{theirs} {}", items.collect::<Vec<_>>().join(","));
    }
    theirs
}
