//! `when`, `every` and `cron`: due times without any engine.

use crate::dacapo::dacapo;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn due_time_for_programs_is_a_utc_timestamp() {
    for (line, due) in [
        ("when '5 minutes' --from 2026-01-31T12:00:00Z --json", "2026-01-31T12:05:00Z"),
        ("--json when '1 month' --from 2026-01-31T12:00:00Z", "2026-02-28T12:00:00Z"),
        ("when --json --from 2026-01-31T12:00:00+01:00 '1 day'", "2026-02-01T11:00:00Z"),
        ("when 2026-06-01T00:00:00+02:00 --from 2026-01-31T12:00:00Z --json", "2026-05-31T22:00:00Z"),
    ] {
        assert_eq!(dacapo(line).json(), json!({"due": due}), "{line}");
    }
}

#[test]
fn fires_for_programs_are_utc_timestamps_in_order() {
    let said = dacapo("every '7 days' --from 2026-01-01T00:00:00Z --next 2 --json");
    assert_eq!(said.json(), json!({"next": ["2026-01-01T00:00:00Z", "2026-01-08T00:00:00Z"]}), "it fires when created");

    let said = dacapo("cron '30 2 * * ? *' --timezone Europe/Berlin --from 2026-03-28T00:00:00Z --next 3 --json");
    let next = json!({"next": ["2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z"]});
    assert_eq!(said.json(), next, "on 29 March there is no half past two");

    let said = dacapo("cron '0 0 1 1 ? 2027-2028' --from 2026-01-01T00:00:00Z --next 5 --json");
    assert_eq!(said.json(), json!({"next": ["2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"]}), "there are no more");
}

#[test]
fn due_time_for_people_says_how_far_off_it_is() {
    assert_snapshot!(dacapo("when '3 months' --from 2026-01-31T12:00:00Z"), @r"
    2026-04-30T12:00:00Z (in 89 d)
    exit 0
    ");
    assert_snapshot!(dacapo("cron '0 6 ? * MON-FRI *' --from 2026-01-02T12:00:00Z --next 2"), @r"
    2026-01-05 06:00:00 UTC (in 2 d)
    2026-01-06 06:00:00 UTC (in 3 d)
    exit 0
    ");
}

#[test]
fn bare_number_is_a_time_in_milliseconds_and_fires_are_told_on_the_clock_of_their_zone() {
    for (line, due) in [
        ("when 300000 --from 2026-01-31T12:00:00Z --json", "2026-01-31T12:05:00Z"),
        ("when 1769861100000 --from 2026-01-31T12:00:00Z --json", "2026-01-31T12:05:00Z"),
        ("when '5 minutes' --from 1769860800000 --json", "2026-01-31T12:05:00Z"),
    ] {
        assert_eq!(dacapo(line).json(), json!({"due": due}), "{line}");
    }
    assert_snapshot!(dacapo("cron '30 3 * * ? *' --timezone Europe/Zurich --from 2026-07-01T00:00:00Z --next 1"), @r"
    2026-07-01 03:30:00 Europe/Zurich (in 1 h)
    exit 0
    ");
}

#[test]
fn time_or_schedule_that_is_invalid_is_refused_with_what_is_allowed() {
    assert_snapshot!(dacapo("when '90 sec'"), @r#"
    error: failed to use "90 sec" as a time: "sec" is not a unit; allowed are second, minute, hour, day, week, month and year, singular or plural (write "90 seconds")
    exit 2
    "#);
    assert_snapshot!(dacapo("when '-5 minutes'"), @r#"
    error: failed to use "-5 minutes" as a time: it is negative; allowed is later than now
    exit 2
    "#);
    assert_snapshot!(dacapo("every '1 second'"), @r#"
    error: failed to read "1 second" as an interval: it counts seconds, and nothing is finer than a minute; allowed is a whole number from 1 of minutes, hours or days, such as "5 minutes"
    exit 2
    "#);
    assert_snapshot!(dacapo("cron '0 6 * * *'"), @r#"
    error: failed to read the cron expression "0 6 * * *": it has 5 fields, as in Unix; allowed are 6, with a `?` for one of the days and a year (write "0 6 * * ? *")
    exit 2
    "#);
    assert_snapshot!(dacapo("cron '0 6 ? * MON *' --timezone Mars/Olympus"), @r#"
    error: failed to find the time zone "Mars/Olympus": allowed are IANA names, such as "Europe/Berlin" or "UTC"
    exit 2
    "#);
    assert_snapshot!(dacapo("cron '0 0 30 2 ? *'"), @r#"
    error: failed to schedule "0 0 30 2 ? *" in UTC: it never fires (check day, month and year)
    exit 2
    "#);
}

#[test]
fn refusal_for_programs_is_one_json_document() {
    for line in
        ["when '1 day 2 hours' --json", "--json every soon", "cron '* * * * *' --json", "when --json", "--json nope"]
    {
        let said = dacapo(line);
        let error = said.error();
        assert_eq!(
            (said.code, &error["error"]["kind"], &error["error"]["exit"]),
            (2, &json!("usage"), &json!(2)),
            "{said}"
        );
        assert!(error["error"]["message"].as_str().is_some_and(|message| message.len() > 20), "{said}");
    }
}
