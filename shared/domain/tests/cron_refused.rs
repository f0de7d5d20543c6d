//! Every form of a cron expression that the guide's chapter `schedules` refuses, with what is said of it.

use dacapo_domain::{Cron, cron};

/// The text behind the expression in the error.
fn refusal(expression: &str) -> String {
    let Err(error) = Cron::parse(expression) else { panic!("{expression:?} is accepted") };
    let error = error.to_string();
    let beginning = format!("read the cron expression {expression:?}: ");
    error.strip_prefix(&beginning).unwrap_or_else(|| panic!("{error}")).to_owned()
}

fn assert_refused<const N: usize>(table: [(&str, &str); N]) {
    for (expression, why) in table {
        assert_eq!(refusal(expression), why, "{expression:?}");
    }
}

#[test]
fn expression_with_other_than_six_fields_is_refused_with_the_fields_named() {
    assert_refused([
        ("", "it has 0 fields; allowed are 6: minute, hour, day of month, month, day of week, year"),
        ("0", "it has 1 field; allowed are 6: minute, hour, day of month, month, day of week, year"),
        ("0 6 * *", "it has 4 fields; allowed are 6: minute, hour, day of month, month, day of week, year"),
        ("0 0 0 6 * * ? *", "it has 8 fields; allowed are 6: minute, hour, day of month, month, day of week, year"),
        ("rate(5 minutes)", "it has 2 fields; allowed are 6: minute, hour, day of month, month, day of week, year"),
        ("cron(0 6 * * ? *)", "it stands in `cron(…)` already (write what is inside)"),
        ("CRON (0 6 * * ? *)", "it stands in `cron(…)` already (write what is inside)"),
        ("@daily", "nicknames are not known (write \"0 0 * * ? *\")"),
        ("@midnight", "nicknames are not known (write \"0 0 * * ? *\")"),
        ("@hourly", "nicknames are not known (write \"0 * * * ? *\")"),
        ("@weekly", "nicknames are not known (write \"0 0 ? * SUN *\")"),
        ("@monthly", "nicknames are not known (write \"0 0 1 * ? *\")"),
        ("@yearly", "nicknames are not known (write \"0 0 1 JAN ? *\")"),
        ("@annually", "nicknames are not known (write \"0 0 1 JAN ? *\")"),
        ("@reboot", "nicknames are not known"),
    ]);
}

#[test]
fn expression_of_five_fields_as_in_unix_is_refused_with_six() {
    let said = "it has 5 fields, as in Unix; allowed are 6, with a `?` for one of the days and a year";
    for (expression, instead) in [
        ("0 6 * * *", Some("0 6 * * ? *")),
        ("*/5 * * * *", Some("*/5 * * * ? *")),
        ("0 6 1 * *", Some("0 6 1 * ? *")),
        ("0 6 * * ?", Some("0 6 * * ? *")),
        ("0 6 * * mon", Some("0 6 ? * MON *")),
        ("0 6 * * 0", Some("0 6 ? * SUN *")), // Unix counts the days from 0 …
        ("0 6 * * 7", Some("0 6 ? * SUN *")),
        ("0 6 * * 1-5", Some("0 6 ? * MON-FRI *")), // … so its 1 is Monday
        ("0 6 * * 8", None),
        ("0 6 * * */2", None),
        ("0 6 1 * 1", None), // the first of the month, or a Monday: two schedules
    ] {
        let instead = instead.map_or_else(String::new, |instead| format!(" (write {instead:?})"));
        assert_eq!(refusal(expression), format!("{said}{instead}"), "{expression:?}");
    }
}

#[test]
fn expression_of_seven_fields_as_in_quartz_is_refused_with_six() {
    let said = "it has 7 fields, with seconds; allowed are 6, nothing is finer than a minute";
    assert_eq!(refusal("0 0 6 * * ? *"), format!("{said} (write \"0 6 * * ? *\")"));
    assert_eq!(refusal("30 0 6 ? * MON *"), format!("{said} (write \"0 6 ? * MON *\")"));
    assert_eq!(refusal("0 0 6 * * * *"), said); // what is left would be refused too
}

#[test]
fn expression_without_exactly_one_question_mark_for_a_day_is_refused() {
    let both = |instead: &str| {
        let write = format!("(write two schedules, or {instead:?})");
        format!("it names both a day of month and a day of week; one of the two must be ? {write}")
    };
    for (expression, instead) in [
        ("0 6 * * * *", "0 6 * * ? *"),
        ("0 6 1 * * *", "0 6 1 * ? *"),
        ("0 6 * * MON *", "0 6 ? * MON *"),
        ("0 6 1 * MON *", "0 6 1 * ? *"),
        ("0 6 L * L *", "0 6 L * ? *"),
    ] {
        assert_eq!(refusal(expression), both(instead), "{expression:?}");
    }
    assert_refused([
        (
            "0 6 ? * ? *",
            "both day fields are ?; one of the two must say which days (write \"0 6 * * ? *\" for every day)",
        ),
        (
            "? 6 * * ? *",
            "the minute can't hold a ? (write * for all of them; ? stands alone, in one of the two day fields)",
        ),
        (
            "0 6 * ? ? *",
            "the month can't hold a ? (write * for all of them; ? stands alone, in one of the two day fields)",
        ),
        // Quartz with seconds and without a year.
        (
            "0 0 6 * * ?",
            "the year can't hold a ? (write * for all of them; ? stands alone, in one of the two day fields)",
        ),
        (
            "0 6 1,? * ? *",
            "the day of month can't hold a ? (write * for all of them; ? stands alone, in one of the two day fields)",
        ),
        (
            "0 6 ? * MON,? *",
            "the day of week can't hold a ? (write * for all of them; ? stands alone, in one of the two day fields)",
        ),
    ]);
}

#[test]
fn value_out_of_range_is_refused_with_the_range() {
    assert_refused([
        ("60 6 * * ? *", "the minute 60 is out of range; allowed are 0-59"),
        ("0 24 * * ? *", "the hour 24 is out of range; allowed are 0-23"),
        ("0 6 0 * ? *", "the day of month 0 is out of range; allowed are 1-31"),
        ("0 6 32 * ? *", "the day of month 32 is out of range; allowed are 1-31"),
        ("0 6 * 0 ? *", "the month 0 is out of range; allowed are 1-12 and JAN-DEC"),
        ("0 6 * 13 ? *", "the month 13 is out of range; allowed are 1-12 and JAN-DEC"),
        ("0 6 ? * 8 *", "the day of week 8 is out of range; allowed are 1-7 (1 = Sunday) and SUN-SAT"),
        ("0 6 * * ? 1969", "the year 1969 is out of range; allowed are 1970-2199"),
        ("0 6 * * ? 2200", "the year 2200 is out of range; allowed are 1970-2199"),
        ("0 6 * * ? 99999999999999999999", "the year 99999999999999999999 is out of range; allowed are 1970-2199"),
        ("0 6 ? * 0 *", "the day of week 0 is not known: Sunday is 1 and Saturday is 7 (write 1 or SUN for Sunday)"),
        ("0 6 ? * 0-6 *", "the day of week 0 is not known: Sunday is 1 and Saturday is 7 (write 1 or SUN for Sunday)"),
    ]);
}

#[test]
fn text_that_is_no_value_of_its_field_is_refused() {
    assert_refused([
        ("a 6 * * ? *", "the minute \"a\" is not understood; allowed are 0-59 and the wildcards , - * /"),
        ("+5 6 * * ? *", "the minute \"+5\" is not understood; allowed are 0-59 and the wildcards , - * /"),
        ("-1 6 * * ? *", "the minute \"\" is not understood; allowed are 0-59 and the wildcards , - * /"),
        ("0 6am * * ? *", "the hour \"6am\" is not understood; allowed are 0-23 and the wildcards , - * /"),
        ("0 6.5 * * ? *", "the hour \"6.5\" is not understood; allowed are 0-23 and the wildcards , - * /"),
        ("0 ６ * * ? *", "the hour \"６\" is not understood; allowed are 0-23 and the wildcards , - * /"),
        ("0 6 x * ? *", "the day of month \"x\" is not understood; allowed are 1-31 and the wildcards , - * ? / L W"),
        ("0 6 * * ? L", "the year \"L\" is not understood; allowed are 1970-2199 and the wildcards , - * /"),
        ("1,,2 6 * * ? *", "the minute has an empty item in its list (take out the comma)"),
        ("0 6, * * ? *", "the hour has an empty item in its list (take out the comma)"),
        (
            "*,5 6 * * ? *",
            "the minute has a * inside a list, where it makes the other values needless (write *, or the values alone)",
        ),
    ]);
}

#[test]
fn name_not_of_three_capitals_is_refused_with_its_spelling() {
    assert_refused([
        ("0 6 * mar ? *", "the month \"mar\" is not spelled as accepted (write \"MAR\")"),
        ("0 6 * March ? *", "the month \"March\" is not spelled as accepted (write \"MAR\")"),
        ("0 6 * FOO ? *", "the month \"FOO\" is not spelled as accepted"),
        ("0 6 ? * mon *", "the day of week \"mon\" is not spelled as accepted (write \"MON\")"),
        ("0 6 ? * mon-fri *", "the day of week \"mon-fri\" is not spelled as accepted (write \"MON-FRI\")"),
        ("0 6 ? * Monday *", "the day of week \"Monday\" is not spelled as accepted (write \"MON\")"),
        ("0 6 ? * TUES *", "the day of week \"TUES\" is not spelled as accepted (write \"TUE\")"),
        ("0 6 ? * MO *", "the day of week \"MO\" is not spelled as accepted"),
        ("0 6 ? * l *", "the day of week \"l\" is not spelled as accepted (write \"L\")"),
        ("0 6 l * ? *", "the day of month \"l\" is not spelled as accepted (write \"L\")"),
        ("0 6 3w * ? *", "the day of month \"3w\" is not spelled as accepted (write \"3W\")"),
    ]);
}

#[test]
fn range_that_runs_backwards_or_mixes_names_and_numbers_is_refused() {
    assert_refused([
        ("0 22-2 * * ? *", "the hour 22-2 runs backwards (write 22-23,0-2)"),
        ("23-0 6 * * ? *", "the minute 23-0 runs backwards (write 23-59,0)"),
        ("0 6 28-3 * ? *", "the day of month 28-3 runs backwards (write 28-31,1-3)"),
        ("0 6 * NOV-FEB ? *", "the month NOV-FEB runs backwards (write NOV-DEC,JAN-FEB)"),
        ("0 6 ? * FRI-MON *", "the day of week FRI-MON runs backwards (write FRI-SAT,SUN-MON)"),
        ("0 6 ? * SAT-SUN *", "the day of week SAT-SUN runs backwards (write SAT,SUN)"),
        ("0 6 ? * 6-2 *", "the day of week 6-2 runs backwards (write 6-7,1-2)"),
        ("0 6 * * ? 2030-2020", "the year 2030-2020 runs backwards (write 2030-2199,1970-2020)"),
        ("0 6 ? * MON-6 *", "the day of week MON-6 mixes a name and a number (write MON-FRI)"),
        ("0 6 ? * 2-FRI *", "the day of week 2-FRI mixes a name and a number (write MON-FRI)"),
        ("0 6 * 3-JAN ? *", "the month 3-JAN mixes a name and a number (write MAR-DEC,JAN)"),
    ]);
}

#[test]
fn step_where_there_is_none_or_of_the_wrong_size_is_refused() {
    assert_refused([
        ("0 6 ? * MON/2 *", "the day of week MON/2 has a step, which is not accepted here (write MON,WED,FRI)"),
        ("0 6 ? * 2/2 *", "the day of week 2/2 has a step, which is not accepted here (write 2,4,6)"),
        ("0 6 ? * */2 *", "the day of week */2 has a step, which is not accepted here (write 1,3,5,7)"),
        ("0 6 ? * MON-FRI/2 *", "the day of week MON-FRI/2 has a step, which is not accepted here (write MON,WED,FRI)"),
        ("0 6 * JAN/3 ? *", "the month JAN/3 has a step, which is not accepted here (write JAN,APR,JUL,OCT)"),
        ("0 6 * JAN-JUN/2 ? *", "the month JAN-JUN/2 has a step, which is not accepted here (write JAN,MAR,MAY)"),
        ("/15 6 * * ? *", "the minute /15 has a step without a start (write */15)"),
        ("*/0 6 * * ? *", "the minute */0 has a step that is not a number from 1 to 59"),
        ("*/60 6 * * ? *", "the minute */60 has a step that is not a number from 1 to 59"),
        ("0/ 6 * * ? *", "the minute 0/ has a step that is not a number from 1 to 59"),
        ("0/5/2 6 * * ? *", "the minute 0/5/2 has a step that is not a number from 1 to 59"),
        ("0-30/-5 6 * * ? *", "the minute 0-30/-5 has a step that is not a number from 1 to 59"),
        ("0 */24 * * ? *", "the hour */24 has a step that is not a number from 1 to 23"),
        ("0 6 */32 * ? *", "the day of month */32 has a step that is not a number from 1 to 31"),
        ("0 6 * */13 ? *", "the month */13 has a step that is not a number from 1 to 12"),
        ("0 6 * * ? */231", "the year */231 has a step that is not a number from 1 to 230"),
    ]);
}

#[test]
fn last_day_where_it_is_not_documented_is_refused() {
    let last_of_month = "L stands alone, for the last day (write L)";
    let last_of_week = "L stands alone, for Saturday, or behind one day's number (write 6L for the last Friday)";
    assert_refused([
        (
            "0 6 L-3 * ? *",
            "the day of month L-3 is not accepted: days can't be counted from the last (write L for the last day, or a \
             fixed day such as 28)",
        ),
        (
            "0 6 LW * ? *",
            "the day of month LW is not accepted: the last weekday can't be said (write L for the last day, or in the \
             day of week 6L for the last Friday)",
        ),
        ("0 6 5L * ? *", &format!("the day of month 5L is not accepted: {last_of_month}")),
        ("0 6 ? * FRIL *", &format!("the day of week FRIL is not accepted: {last_of_week}")),
        ("0 6 ? * MON-FRIL *", &format!("the day of week MON-FRIL is not accepted: {last_of_week}")),
        ("0 6 ? * 8L *", &format!("the day of week 8L is not accepted: {last_of_week}")),
        ("0 6 L,15 * ? *", "the day of month has L inside a list; it must stand alone (write a schedule for each)"),
        ("0 6 ? * L,MON *", "the day of week has L inside a list; it must stand alone (write a schedule for each)"),
        ("0 6 ? * MON,6L *", "the day of week has 6L inside a list; it must stand alone (write a schedule for each)"),
    ]);
}

#[test]
fn nearest_weekday_and_nth_day_where_they_are_not_documented_are_refused() {
    let nearest = "W stands behind one day of month (write 3W for the weekday nearest the 3rd, or MON-FRI in the day \
                   of week)";
    let nth = "# stands between a day of week, 1 to 7, and its number in the month, 1 to 5";
    for (field, given) in [
        ("day of month", "W"),
        ("day of month", "0W"),
        ("day of month", "32W"),
        ("day of month", "1-5W"),
        ("day of month", "W3"),
        ("day of week", "3W"),
        ("day of week", "W"),
    ] {
        let expression =
            if field == "day of week" { format!("0 6 ? * {given} *") } else { format!("0 6 {given} * ? *") };
        assert_eq!(refusal(&expression), format!("the {field} {given} is not accepted: {nearest}"));
    }
    for given in ["3#6", "3#0", "8#1", "0#1", "#", "3#", "#3", "3#L", "3#02", "FRI#6", "3#2/2"] {
        let expression = format!("0 6 ? * {given} *");
        assert_eq!(refusal(&expression), format!("the day of week {given} is not accepted: {nth}"));
    }
    assert_refused([
        ("0 6 ? * MON#1 *", &format!("the day of week MON#1 is not accepted: {nth} (write \"2#1\")")),
        ("0 6 ? * mon#1 *", &format!("the day of week mon#1 is not accepted: {nth} (write \"2#1\")")),
        ("0 6 3#2 * ? *", &format!("the day of month 3#2 is not accepted: {nth}")),
        ("0 6 3W,15W * ? *", "the day of month has 3W inside a list; it must stand alone (write a schedule for each)"),
        ("0 6 ? * 3#1,6 *", "the day of week has 3#1 inside a list; it must stand alone (write a schedule for each)"),
        (
            "0 6 ? * 3#1,3#2 *",
            "the day of week 3#1,3#2 has more than one #; one is allowed (write a schedule for each)",
        ),
    ]);
}

#[test]
fn expression_that_never_fires_is_refused_by_its_schedule() {
    let refusal = |expression: &str, zone: &str| cron(expression).timezone(zone).check().unwrap_err().to_string();
    for (expression, zone) in [
        ("0 6 30 FEB ? *", "UTC"),
        ("0 6 31 APR,JUN,SEP,NOV ? *", "UTC"),
        ("0 6 30W FEB ? *", "UTC"),
        ("0 6 29 FEB ? 2025/4", "UTC"), // a year behind the leap years, but 2100 is none either
        ("30 2 29 3 ? 2026", "Europe/Berlin"), // skipped by daylight saving
    ] {
        assert_eq!(
            refusal(expression, zone),
            format!("schedule {expression:?} in {zone}: it never fires (check day, month and year)")
        );
    }
    let now = "2026-01-01T06:00:00Z".parse().unwrap();
    let again = |expression: &str| cron(expression).check().unwrap().since(now).map(|fires| fires.all().count());
    assert_eq!(
        again("0 6 1 JAN ? 2026").unwrap_err().to_string(),
        "schedule \"0 6 1 JAN ? 2026\" in UTC: it never fires after 2026-01-01T06:00:00Z (check day, month and year)"
    );
    assert_eq!(again("1 6 1 JAN ? 2026"), Ok(1));
}

#[test]
fn error_of_a_long_expression_is_short() {
    let item = "9".repeat(100_000);
    for expression in [format!("0 0 L-{item} * ? *"), format!("0 0 1 * ? /{item}"), format!("0 0 1 * MON {item}"), item]
    {
        let error = Cron::parse(&expression).unwrap_err().to_string();
        assert!(error.len() < 500, "{} bytes", error.len());
        assert!(
            error.ends_with("characters; allowed are 250 (write ranges and steps for lists, or several schedules)")
        );
    }
    let minutes: Vec<String> = (0..60).map(|minute| minute.to_string()).collect();
    let minutes = minutes.join(",");
    let fits = format!("{minutes} 01,{} * * ? *", ["1"; 35].join(","));
    assert_eq!(fits.len(), 250);
    assert!(Cron::parse(&fits).is_ok_and(|cron| cron.aws_expression().len() == 256), "AWS takes 256");
    assert!(Cron::parse(&fits.replacen("0,", "00,", 1)).is_err());
}

#[test]
fn suggestion_of_every_refusal_is_accepted() {
    // Whole expressions stand in quotes, parts of one are put in the place of what was given.
    for expression in [
        "0 6 * * mon",
        "0 6 * * 1-5",
        "0 0 6 * * ? *",
        "0 6 * * * *",
        "0 6 1 * MON *",
        "0 6 ? * ? *",
        "@weekly",
        "@yearly",
        "0 22-2 * * ? *",
        "0 6 * NOV-FEB ? *",
        "0 6 ? * SAT-SUN *",
        "0 6 ? * MON-6 *",
        "0 6 * 3-JAN ? *",
        "0 6 ? * MON/2 *",
        "0 6 * JAN/3 ? *",
        "/15 6 * * ? *",
        "0 6 ? * mon-fri *",
        "0 6 l * ? *",
        "0 6 ? * FRI#2 *",
    ] {
        let error = refusal(expression);
        let (_, instead) = error.rsplit_once("(write ").unwrap();
        let instead = instead.trim_end_matches(')').trim_end_matches(" for every day");
        let instead = instead.rsplit_once(", or ").map_or(instead, |(_, instead)| instead).trim_matches('"');
        let whole = match instead.contains(' ') {
            true => instead.to_owned(),
            false => {
                let given =
                    expression.split(' ').find(|field| field.len() > 1 && error.contains(*field) || *field == "l");
                expression.replacen(given.unwrap(), instead, 1)
            }
        };
        assert!(Cron::parse(&whole).is_ok(), "{expression}: {error}: {whole}");
    }
}
