//! The cases: what is put, declared, paused, fired, missed, deleted.

use dacapo_domain::{
    Effect, Schedule, ScheduleInput, ScheduleRecord, SkipReason, SkippedFire, Version, Work, cron, every, slot,
};

use super::{
    records::{active, by_code, declared, deleted, exclusive, fired, fresh, once, paused, put, run, unscheduled},
    tape::{Case, RANDOM, at, driven, json, tape},
};

pub fn cases() -> Vec<Case<ScheduleRecord>> {
    [puts(), schedules(), declares(), pauses(), fires(), misses(), deletes()].into_iter().flatten().collect()
}

fn puts() -> Vec<Case<ScheduleRecord>> {
    let changed = |next: &mut ScheduleRecord, task: &str, schedule: Schedule| {
        task.clone_into(&mut next.task);
        next.put = Some(schedule);
    };
    vec![
        tape("a schedule put for the first time counts from then", &fresh())
            .at(10)
            .gets(&put("import airports", every("1 day")), ())
            .stores(|next| {
                changed(next, "import airports", every("1 day"));
                (next.created_at, next.reconcile_at) = (at(10), Some(at(70)));
            })
            .with(slot::BODY, json("7"))
            .then(Work::PutSchedule),
        tape("a schedule put with other times counts anew", &active())
            .at(50)
            .gets(&put("import airports", cron("0 6 * * ? *")), ())
            .stores(|next| {
                changed(next, "import airports", cron("0 6 * * ? *"));
                (next.created_at, next.reconcile_at) = (at(50), Some(at(110)));
            })
            .with(slot::BODY, json("7"))
            .then(Work::PutSchedule),
        tape("a schedule put for another task counts anew", &active())
            .at(50)
            .gets(&put("export airports", every("1 day")), ())
            .stores(|next| {
                changed(next, "export airports", every("1 day"));
                (next.created_at, next.reconcile_at) = (at(50), Some(at(110)));
            })
            .with(slot::BODY, json("7"))
            .then(Work::PutSchedule),
        tape("a schedule put with other options alone goes on counting", &active())
            .at(50)
            .gets(&put("import airports", every("1 day").skip_while_running()), ())
            .stores(|next| changed(next, "import airports", every("1 day").skip_while_running()))
            .with(slot::BODY, json("7")),
        tape("a schedule put again before it is known to be in the scheduler is put there again", &unscheduled())
            .at(50)
            .gets(&put("import airports", every("1 day")), ())
            .stores(|next| next.reconcile_at = Some(at(70)))
            .with(slot::BODY, json("7"))
            .then(Work::PutSchedule),
        tape("a paused schedule that is put stays paused", &paused())
            .at(50)
            .gets(&put("import airports", every("2 days")), ())
            .stores(|next| {
                changed(next, "import airports", every("2 days"));
                (next.created_at, next.reconcile_at) = (at(50), Some(at(110)));
            })
            .with(slot::BODY, json("7"))
            .then(Work::PutSchedule),
    ]
}

fn schedules() -> Vec<Case<ScheduleRecord>> {
    let paused_before = driven(&unscheduled(), 12, &ScheduleInput::Paused, ());
    vec![
        tape("a schedule that is in the scheduler needs no repair", &unscheduled())
            .at(12)
            .gets(&ScheduleInput::Scheduled(at(10)), ())
            .stores(|next| next.reconcile_at = None),
        tape("a schedule that is known to be in the scheduler is noted once", &active())
            .at(12)
            .gets(&ScheduleInput::Scheduled(at(10)), ())
            .keeps(),
        tape("a schedule that was put otherwise in between is put into the scheduler again", &active())
            .at(12)
            .gets(&ScheduleInput::Scheduled(at(9)), ())
            .stores(|next| next.reconcile_at = Some(at(72)))
            .then(Work::PutSchedule),
        tape("a declared schedule is the deploy's to put", &fresh())
            .at(12)
            .gets(&ScheduleInput::Scheduled(at(9)), ())
            .keeps(),
        tape("a paused schedule is in the scheduler all the same", &paused_before)
            .at(13)
            .gets(&ScheduleInput::Scheduled(at(10)), ())
            .stores(|next| next.reconcile_at = None),
        tape("a schedule that may not be in the scheduler is put there again", &unscheduled())
            .at(70)
            .gets(&ScheduleInput::Reconciled, ())
            .stores(|next| next.reconcile_at = Some(at(130)))
            .then(Work::PutSchedule),
        tape("a paused schedule that may not be in the scheduler is put there again", &paused_before)
            .at(70)
            .gets(&ScheduleInput::Reconciled, ())
            .stores(|next| next.reconcile_at = Some(at(130)))
            .then(Work::PutSchedule),
    ]
}

fn declares() -> Vec<Case<ScheduleRecord>> {
    vec![
        tape("a schedule declared for the first time counts from its deploy", &fresh())
            .at(60)
            .gets(&declared("import airports", false, 50), ())
            .stores(|next| next.created_at = at(50)),
        tape("a schedule declared as before, of which nothing was stored, counts from its deploy", &fresh())
            .at(60)
            .gets(&declared("import airports", true, 50), ())
            .stores(|next| next.created_at = at(50)),
        tape("a declared schedule with other times counts anew", &by_code())
            .at(60)
            .gets(&declared("export airports", false, 50), ())
            .stores(|next| {
                "export airports".clone_into(&mut next.task);
                next.created_at = at(50);
            }),
        tape("a schedule declared in the place of one that was put takes that out of the scheduler", &active())
            .at(60)
            .gets(&declared("export airports", true, 50), ())
            .stores(|next| {
                "export airports".clone_into(&mut next.task);
                (next.created_at, next.put) = (at(50), None);
            })
            .effect(delete_schedule),
        tape("a schedule declared in the place of one that is to be deleted is another", &deleted())
            .at(60)
            .gets(&declared("import airports", false, 50), ())
            .stores(|next| {
                *next = fresh();
                (next.version, next.created_at) = (Version(RANDOM), at(50));
            })
            .effect(delete_schedule),
        tape("a schedule declared as before goes on counting", &by_code())
            .at(60)
            .gets(&declared("import airports", true, 50), ())
            .keeps(),
        tape("a paused schedule that is declared anew stays paused", &paused())
            .at(60)
            .gets(&declared("import airports", false, 50), ())
            .stores(|next| (next.created_at, next.put) = (at(50), None))
            .effect(delete_schedule),
    ]
}

fn pauses() -> Vec<Case<ScheduleRecord>> {
    vec![
        tape("a schedule is paused", &active())
            .at(30)
            .gets(&ScheduleInput::Paused, ())
            .stores(|next| next.paused = true),
        tape("a schedule is resumed", &paused())
            .at(30)
            .gets(&ScheduleInput::Resumed, ())
            .stores(|next| next.paused = false),
    ]
}

fn fires() -> Vec<Case<ScheduleRecord>> {
    let (usual, exclusive_one) = (every("1 day"), every("1 day").skip_while_running());
    // Judged by the run of the fire at 100.
    let again = |input: ScheduleInput, is_there, is_unfinished| match input {
        ScheduleInput::Fired { time, run: id, schedule, .. } => {
            ScheduleInput::Fired { time, run: id, schedule, is_there, last_run: Some(run(100)), is_unfinished }
        }
        other => other,
    };
    let skips = |next: &mut ScheduleRecord, time, reason| {
        next.skipped.remember(SkippedFire { time: at(time), reason });
    };
    let overlapping = again(fired(200, exclusive_one.clone()), false, true);
    let skipped = driven(&exclusive(), 200, &overlapping, ());
    vec![
        tape("a fire of the usual schedule makes a run and stores nothing", &active())
            .at(100)
            .gets(&fired(100, usual.clone()), ())
            .keeps()
            .then(Work::StartRun),
        tape("a fire of a schedule that skips while running remembers its run", &active())
            .at(100)
            .gets(&fired(100, exclusive_one.clone()), ())
            .stores(|next| next.last_run = Some(run(100)))
            .then(Work::StartRun),
        tape("a fire while the former run is unfinished is skipped", &exclusive())
            .at(200)
            .gets(&overlapping, ())
            .stores(|next| skips(next, 200, SkipReason::Overlap)),
        tape("a fire after the former run has ended makes a run", &exclusive())
            .at(200)
            .gets(&again(fired(200, exclusive_one.clone()), false, false), ())
            .stores(|next| next.last_run = Some(run(200)))
            .then(Work::StartRun),
        tape("a fire that was judged before another one made its run is to be judged again", &exclusive())
            .at(200)
            .gets(&fired(200, exclusive_one.clone()), ())
            .keeps(),
        tape("a skipped fire that comes again is skipped still, although the run has ended", &skipped)
            .at(210)
            .gets(&fired(200, exclusive_one.clone()), ())
            .keeps(),
        tape("a fire that comes again makes its run although that is unfinished", &exclusive())
            .at(110)
            .gets(&again(fired(100, exclusive_one.clone()), false, true), ())
            .keeps()
            .then(Work::StartRun),
        tape("a fire whose run is there makes it still after a pause", &paused())
            .at(110)
            .gets(&again(fired(100, usual.clone()), true, false), ())
            .keeps()
            .then(Work::StartRun),
        tape("a fire of a paused schedule is skipped", &paused())
            .at(100)
            .gets(&fired(100, usual), ())
            .stores(|next| skips(next, 100, SkipReason::Paused)),
    ]
}

fn misses() -> Vec<Case<ScheduleRecord>> {
    let missed = ScheduleInput::Missed(vec![at(200), at(100)]);
    let remembers = |next: &mut ScheduleRecord| {
        for time in [100, 200] {
            next.skipped.remember(SkippedFire { time: at(time), reason: SkipReason::Missed });
        }
    };
    let remembered = driven(&active(), 300, &missed, ());
    vec![
        tape("missed fires are remembered", &active()).at(300).gets(&missed, ()).stores(remembers),
        tape("missed fires of a paused schedule are remembered", &paused()).at(300).gets(&missed, ()).stores(remembers),
        tape("missed fires are remembered once", &remembered).at(300).gets(&missed, ()).keeps(),
        tape("no missed fires change nothing", &active()).at(300).gets(&ScheduleInput::Missed(vec![]), ()).keeps(),
    ]
}

fn deletes() -> Vec<Case<ScheduleRecord>> {
    let goes = |next: &mut ScheduleRecord| (next.is_deleted, next.reconcile_at) = (true, Some(at(360)));
    let delete = |name, record: &ScheduleRecord| tape(name, record).at(300).gets(&ScheduleInput::Deleted, ());
    let used =
        |name, record: &ScheduleRecord, made| tape(name, record).at(300).gets(&ScheduleInput::Used(at(made)), ());
    let gone = |name, record: &ScheduleRecord| tape(name, record).at(300).gets(&ScheduleInput::Unscheduled, ());
    let paused_once = driven(&once(), 20, &ScheduleInput::Paused, ());
    let paused_by_code = driven(&by_code(), 20, &ScheduleInput::Paused, ());
    vec![
        delete("a schedule that was put leaves the scheduler first", &active()).stores(goes).then(Work::DeleteSchedule),
        delete("a paused one does so too", &paused()).stores(goes).then(Work::DeleteSchedule),
        delete("a schedule that code declared no more is deleted", &by_code()).deletes(),
        delete("a paused one that code declared no more is deleted", &paused_by_code).deletes(),
        delete("a schedule that is deleted again leaves the scheduler again", &deleted())
            .stores(|next| next.is_deleted = true)
            .then(Work::DeleteSchedule),
        tape("a schedule that may be in the scheduler still leaves it again", &deleted())
            .at(300)
            .gets(&ScheduleInput::Reconciled, ())
            .stores(goes)
            .then(Work::DeleteSchedule),
        gone("the record of a deleted schedule goes when the scheduler has it no more", &deleted()).deletes(),
        gone("a schedule that was put again in between comes back into the scheduler", &active())
            .stores(|next| next.reconcile_at = Some(at(360)))
            .then(Work::PutSchedule),
        gone("a paused one that was put again in between comes back too", &paused())
            .stores(|next| next.reconcile_at = Some(at(360)))
            .then(Work::PutSchedule),
        gone("a declared one is the deploy's", &by_code()).keeps(),
        used("a schedule that fires once is deleted when its run is there", &once(), 10)
            .stores(goes)
            .then(Work::DeleteSchedule),
        used("a paused one whose run is there is deleted too", &paused_once, 10)
            .stores(goes)
            .then(Work::DeleteSchedule),
        used("a schedule that was put again since is another one", &once(), 9).keeps(),
        used("a schedule that fires again is never used up", &active(), 10).keeps(),
        tape("a schedule that is put while another is to be deleted is a new one", &deleted())
            .at(300)
            .gets(&put("import airports", every("1 day")), ())
            .stores(|next| {
                *next = fresh();
                (next.version, next.created_at, next.reconcile_at) = (Version(RANDOM), at(300), Some(at(90)));
                next.put = Some(every("1 day"));
            })
            .with(slot::BODY, json("7"))
            .then(Work::PutSchedule),
    ]
}

fn delete_schedule(schedule: &ScheduleRecord) -> Effect {
    Effect::DeleteSchedule { name: schedule.name.clone() }
}
