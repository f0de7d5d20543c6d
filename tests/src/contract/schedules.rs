//! Recurring schedules, what the history keeps of them, and the manifest.

use dacapo::port::{ScheduleItem, SchedulePut};
use dacapo_domain::{Json, Manifest, Message, cron, every, seconds};

use super::{
    Bench,
    fixture::{PATIENCE, now, version},
};

fn item(bench: &impl Bench, name: &str) -> ScheduleItem {
    let name = bench.unique(name);
    ScheduleItem { version: version(bench), ..ScheduleItem::of(&name, "task", now(bench)) }
}

fn next(bench: &impl Bench, seen: &ScheduleItem, change: impl FnOnce(&mut ScheduleItem)) -> ScheduleItem {
    let mut next = ScheduleItem { version: version(bench), ..seen.clone() };
    change(&mut next);
    next
}

async fn load(bench: &impl Bench, name: &str) -> Option<ScheduleItem> {
    bench.ports().store.schedule(name).await.expect("schedules can be read")
}

async fn save(bench: &impl Bench, seen: Option<&ScheduleItem>, next: &ScheduleItem) -> bool {
    bench.ports().store.save_schedule(seen, next).await.expect("schedules can be saved")
}

/// A schedule fires at its function, with its name and the time it fired for.
pub async fn a_schedule_fires_at_its_function(bench: &impl Bench) {
    let function = bench.function("report").await;
    let (name, start) = (bench.unique("schedule"), now(bench));
    bench.ports().schedules.put(&name, &function, &cron("* * * * ? *")).await.unwrap();
    bench.reopen().await;

    let messages = bench.receive_within(&function, 1, PATIENCE).await;

    let [Message::Fire(fire), ..] = &messages[..] else { panic!("a fire comes within a minute, not {messages:?}") };
    assert_eq!(fire.schedule, name);
    assert!(fire.time > start - seconds(60) && fire.time <= now(bench) + seconds(60), "{} at {start}", fire.time);
    bench.ports().schedules.delete(&name).await.unwrap();
}

/// Put again, it is another schedule for another function.
pub async fn a_schedule_that_is_put_again_replaces_the_former(bench: &impl Bench) {
    let (one, other) = (bench.function("one").await, bench.function("other").await);
    let name = bench.unique("schedule");
    bench.ports().schedules.put(&name, &one, &cron("0 0 1 1 ? 2199")).await.unwrap();
    bench.ports().schedules.put(&name, &other, &every("1 minute")).await.unwrap();

    assert!(!bench.receive_within(&other, 1, PATIENCE).await.is_empty());
    assert!(bench.receive(&one).await.is_empty());
    bench.ports().schedules.delete(&name).await.unwrap();
}

/// Deleting what isn't there is no error, and what was put may be deleted twice.
pub async fn deleting_a_schedule_twice_is_no_error(bench: &impl Bench) {
    let (function, name) = (bench.function("report").await, bench.unique("schedule"));
    bench.ports().schedules.put(&name, &function, &cron("0 0 1 1 ? 2199")).await.unwrap();
    bench.ports().schedules.delete(&name).await.unwrap();
    bench.ports().schedules.delete(&name).await.unwrap();
}

/// What is kept of a schedule is kept whole.
pub async fn what_is_kept_of_a_schedule_is_kept_whole(bench: &impl Bench) {
    let mut item = item(bench, "schedule");
    item.put = Some(SchedulePut { schedule: every("5 minutes"), body: Json::default() });
    item.paused = true;
    item.last_run = Some(bench.ports().clock.new_id());

    assert!(save(bench, None, &item).await);
    bench.reopen().await;

    assert_eq!(load(bench, &item.name).await, Some(item));
}

/// Who expects none where one is, or another than stands there, changes nothing.
pub async fn a_schedule_is_saved_by_who_has_seen_the_last(bench: &impl Bench) {
    let first = item(bench, "schedule");
    let second = next(bench, &first, |item| item.paused = true);
    let third = next(bench, &first, |item| item.task = "other".to_owned());
    assert_eq!(load(bench, &first.name).await, None);
    assert!(!save(bench, Some(&first), &second).await, "there is none yet");

    assert!(save(bench, None, &first).await);
    assert!(!save(bench, None, &third).await, "there is one");
    assert!(save(bench, Some(&first), &second).await);
    assert!(!save(bench, Some(&first), &third).await, "it has changed");

    assert_eq!(load(bench, &first.name).await, Some(second));
}

/// A reply was lost and the call is made again.
pub async fn a_schedule_saved_again_finds_that_it_has_won(bench: &impl Bench) {
    let first = item(bench, "schedule");
    let second = next(bench, &first, |item| item.paused = true);
    for _ in 0..2 {
        assert!(save(bench, None, &first).await);
    }
    for _ in 0..2 {
        assert!(save(bench, Some(&first), &second).await);
    }
}

/// A deleted one is gone; deleting it twice is no error.
pub async fn a_deleted_schedule_is_gone(bench: &impl Bench) {
    let item = item(bench, "schedule");
    save(bench, None, &item).await;
    for _ in 0..2 {
        bench.ports().store.delete_schedule(&item.name).await.unwrap();
        assert_eq!(load(bench, &item.name).await, None);
    }
}

/// All of them, by name.
pub async fn schedules_are_listed_by_name(bench: &impl Bench) {
    let (b, a) = (item(bench, "b"), item(bench, "a"));
    save(bench, None, &b).await;
    save(bench, None, &a).await;
    let mut all = bench.ports().store.schedules().await.unwrap();
    assert!(all.is_sorted_by(|one, other| one.name < other.name));
    all.retain(|item| [&a.name, &b.name].contains(&&item.name));
    assert_eq!(all, [a, b]);
}

/// The manifest is the newest that was stored; a late write doesn't bring an older one back.
pub async fn the_newest_manifest_stays(bench: &impl Bench) {
    let manifest =
        |made_ms| Manifest { made_ms, ..Manifest::new(&bench.unique("app"), vec![]).expect("no functions fit") };
    let now_ms = now(bench).as_millisecond();
    let (older, newer) = (manifest(now_ms), manifest(now_ms + 1));
    let ports = bench.ports();
    ports.store.put_manifest(&older).await.unwrap();
    assert_eq!(ports.store.manifest().await.unwrap(), Some(older.clone()));
    ports.store.put_manifest(&newer).await.unwrap();
    ports.store.put_manifest(&older).await.unwrap();
    drop(ports);
    bench.reopen().await;
    assert_eq!(bench.ports().store.manifest().await.unwrap(), Some(newer));
}
