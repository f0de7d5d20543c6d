//! A year of twenty schedules in as many ways of keeping time, over both changes of the clocks, driven as an engine
//! drives them: no fire is lost, none is doubled, however late the engine's turn and however often a fire is delivered.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "the expressions are chosen here")]
mod oracle;

use std::collections::BTreeMap;

use dacapo_domain::{FireTimes, Id, Schedule, at, cron, every, fire_id};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use oracle::Oracle;

const CREATED: &str = "2026-02-01T00:07:30.5Z";
const END: &str = "2027-02-01T00:07:30.5Z";

/// Changes at two, at midnight, of half an hour, in both hemispheres, for Ramadan, and none.
fn schedules() -> Vec<Schedule> {
    let zoned = |zone: &str, expression: &str| cron(expression).timezone(zone);
    vec![
        zoned("Europe/Berlin", "30 2 * * ? *"),
        zoned("Europe/Berlin", "*/15 1-3 ? * SUN *"),
        zoned("America/New_York", "0/20 * * * ? *"),
        zoned("America/New_York", "0 2 ? MAR,NOV 1#1 *"),
        zoned("America/St_Johns", "15 * * * ? *"),
        zoned("America/Havana", "*/30 0 * * ? *"),
        zoned("America/Santiago", "0 0 * * ? *"),
        zoned("Australia/Lord_Howe", "*/10 1-2 * * ? *"),
        zoned("Australia/Sydney", "5 2 ? APR,OCT SUN *"),
        zoned("Africa/Cairo", "0 0 ? * FRI *"),
        zoned("Africa/Casablanca", "0 2-3 * * ? *"),
        zoned("Atlantic/Azores", "59 23,0,1 L * ? *"),
        zoned("Asia/Kathmandu", "45 5 15W * ? *"),
        cron("0 6 ? * MON-FRI *"),
        cron("0 0 1 */3 ? 2026"),
        cron("0 12 ? * 6L *").skip_while_running(),
        every("45 minutes").catch_up(),
        every("1 day").catch_up(),
        every("7 days"),
        at("3 months"),
    ]
}

fn timestamp(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The fires of the year, worked out without the crate's own arithmetic.
fn expected(schedule: &Schedule, about: usize) -> Vec<Timestamp> {
    let (created, end) = (timestamp(CREATED), timestamp(END));
    let json = serde_json::to_value(schedule).unwrap();
    let text = |key: &str| json.get(key).and_then(|value| value.as_str());
    if let Some(expression) = text("cron") {
        let zone = text("timezone").map_or(TimeZone::UTC, |name| TimeZone::get(name).unwrap());
        // One more than the engine found: had it lost one, that would still be within the year.
        let mut fires = Oracle::new(expression).fires_after(created, &zone, about + 1);
        fires.retain(|fire| *fire <= end);
        return fires;
    }
    let minutes = match text("every") {
        Some("45 minutes") => 45,
        Some("1 day") => 1_440,
        Some("7 days") => 10_080,
        _ => return vec![timestamp("2026-05-01T00:07:30.5Z")],
    };
    let fires = (0..).map(|number| created + SignedDuration::from_mins(number * minutes));
    fires.take_while(|fire| *fire <= end).collect()
}

fn fires_of(schedule: &Schedule) -> FireTimes {
    schedule.check().unwrap().since(timestamp(CREATED)).unwrap()
}

/// The engine's next turn: after seconds, minutes, hours, and now and then after days.
fn next_turn(rng: &mut Rng, now: Timestamp) -> Timestamp {
    let seconds = match rng.u8(..100) {
        0 => rng.i64(86_400..10 * 86_400),
        1..=20 => rng.i64(3_600..86_400),
        21..=60 => rng.i64(60..3_600),
        _ => rng.i64(1..60),
    };
    (now + SignedDuration::from_millis(seconds * 1_000 + rng.i64(0..1_000))).min(timestamp(END))
}

#[test]
fn fires_of_a_year_make_one_run_each_however_often_they_are_delivered() {
    let mut rng = Rng::with_seed(2026);
    let mut total = 0;
    for (number, schedule) in schedules().iter().enumerate() {
        let name = format!("task-{number} 1");
        let fires = fires_of(schedule);
        let mut runs: BTreeMap<Id, Timestamp> = BTreeMap::new();
        let (mut made, mut messages) = (0, Vec::new());
        let (mut now, mut last) = (timestamp(CREATED), None);
        while now < timestamp(END) {
            // All that became due since the last fire, each delivered once or more, in any order.
            loop {
                let next = fires.next_after(last.unwrap_or(timestamp(CREATED) - SignedDuration::from_nanos(1)));
                let Some(fire) = next.filter(|fire| *fire <= now) else { break };
                messages.extend(std::iter::repeat_n(fire, rng.usize(1..=3)));
                last = Some(fire);
            }
            rng.shuffle(&mut messages);
            for fire in messages.drain(..) {
                made += usize::from(runs.insert(fire_id(&name, fire), fire).is_none());
            }
            now = next_turn(&mut rng, now);
            if now == timestamp(END) {
                let rest = fires.after(last.unwrap_or(timestamp(CREATED))).take_while(|fire| *fire <= now);
                made += rest.filter(|fire| runs.insert(fire_id(&name, *fire), *fire).is_none()).count();
            }
        }
        let expected = expected(schedule, made);
        assert_eq!(made, expected.len(), "{schedule}");
        // Ids sort by time, so the runs are in the order of their fires.
        assert!(runs.values().eq(&expected), "{schedule}");
        total += made;
    }
    assert!(total > 50_000, "{total}");
}

#[test]
fn fires_of_a_year_with_an_engine_that_is_often_down_are_each_run_or_skipped() {
    let mut rng = Rng::with_seed(2027);
    for schedule in schedules() {
        let fires = fires_of(&schedule);
        let all = expected(&schedule, fires.all().take_while(|fire| *fire <= timestamp(END)).count());
        let mut seen = timestamp(CREATED) - SignedDuration::from_nanos(1);
        let mut accounted = 0;
        while seen < timestamp(END) {
            let now = next_turn(&mut rng, seen);
            let missed = fires.missed(seen, now, &schedule);
            let mut due: Vec<Timestamp> = all[accounted..].iter().copied().take_while(|fire| *fire <= now).collect();
            accounted += due.len();
            let run = if schedule.catches_up() { due.pop() } else { None };
            let kept = due.split_off(due.len().saturating_sub(100));
            assert_eq!((missed.run, missed.skipped), (run, kept), "{schedule}: {seen} to {now}");
            seen = now;
        }
        assert_eq!(accounted, all.len(), "{schedule}");
    }
}

/// The fires of which a handler is told are those that came before and will come after its own.
#[test]
fn fires_around_one_are_those_before_and_after_it() {
    for schedule in schedules() {
        let fires: Vec<Timestamp> = fires_of(&schedule).all().take(60).collect();
        let recurrence = schedule.check().unwrap();
        for place in 1..fires.len().saturating_sub(5) {
            let around = recurrence.around(fires[place]);
            assert_eq!(around.previous, Some(fires[place - 1]), "{schedule}");
            assert_eq!(around.next, fires[place + 1..place + 6], "{schedule}");
        }
    }
}
