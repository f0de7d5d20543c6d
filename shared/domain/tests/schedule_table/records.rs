//! Schedules in each phase, driven there by the machine.

use dacapo_domain::{
    Id, Schedule, ScheduleInput, SchedulePut, ScheduleRecord, Version, every, schedule::ScheduleInputName,
};

use crate::tape::{Taped, at, driven, json};

impl Taped for ScheduleRecord {
    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn phase_name(&self) -> String {
        format!("{:?}", self.phase())
    }

    fn input_name(input: &ScheduleInput) -> String {
        format!("{:?}", input.name())
    }
}

pub const NAME: &str = "nightly";

pub fn fresh() -> ScheduleRecord {
    ScheduleRecord::fresh(NAME, "import airports", at(0))
}

pub fn put(task: &str, schedule: Schedule) -> ScheduleInput {
    ScheduleInput::Put(SchedulePut { task: task.to_owned(), schedule, body: json("7") })
}

/// Put at 10, and not known to be in the scheduler.
pub fn unscheduled() -> ScheduleRecord {
    driven(&fresh(), 10, &put("import airports", every("1 day")), ())
}

/// Put at 10.
pub fn active() -> ScheduleRecord {
    driven(&unscheduled(), 11, &ScheduleInput::Scheduled(at(10)), ())
}

pub fn paused() -> ScheduleRecord {
    driven(&active(), 20, &ScheduleInput::Paused, ())
}

/// Put at 10, to be deleted at 30.
pub fn deleted() -> ScheduleRecord {
    driven(&paused(), 30, &ScheduleInput::Deleted, ())
}

/// Declared by a deploy.
pub fn by_code() -> ScheduleRecord {
    driven(&fresh(), 10, &declared("import airports", false, 10), ())
}

/// Put at 10, for once.
pub fn once() -> ScheduleRecord {
    let put = driven(&fresh(), 10, &put("import airports", dacapo_domain::at("1 hour")), ());
    driven(&put, 11, &ScheduleInput::Scheduled(at(10)), ())
}

/// A schedule whose latest fire, at 100, made a run.
pub fn exclusive() -> ScheduleRecord {
    driven(&active(), 100, &fired(100, every("1 day").skip_while_running()), ())
}

pub fn run(number: u128) -> Id {
    Id::new(at(0), number)
}

/// Fires whose run is named by their time.
pub fn fired(time: i64, schedule: Schedule) -> ScheduleInput {
    let run = run(time.unsigned_abs().into());
    ScheduleInput::Fired { time: at(time), run, schedule, is_there: false, last_run: None, is_unfinished: false }
}

pub fn sample(name: ScheduleInputName) -> ScheduleInput {
    match name {
        ScheduleInputName::Put => put("import airports", every("1 day")),
        ScheduleInputName::Scheduled => ScheduleInput::Scheduled(at(10)),
        ScheduleInputName::Reconciled => ScheduleInput::Reconciled,
        ScheduleInputName::Declared => declared("import airports", false, 50),
        ScheduleInputName::Paused => ScheduleInput::Paused,
        ScheduleInputName::Resumed => ScheduleInput::Resumed,
        ScheduleInputName::Fired => fired(100, every("1 day")),
        ScheduleInputName::Used => ScheduleInput::Used(at(10)),
        ScheduleInputName::Missed => ScheduleInput::Missed(vec![at(100)]),
        ScheduleInputName::Deleted => ScheduleInput::Deleted,
        ScheduleInputName::Unscheduled => ScheduleInput::Unscheduled,
    }
}

pub fn declared(task: &str, is_same: bool, seconds: i64) -> ScheduleInput {
    ScheduleInput::Declared { task: task.to_owned(), is_same, at: at(seconds) }
}
