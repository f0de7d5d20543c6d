//! The schedules that code declares: their names, and which of them is which over deploys.

use std::collections::BTreeMap;

use super::Schedule;
use crate::{Json, Manifest, ScheduleEntry, hash128, slug};

/// The schedules that a task declares, each with its name, unique in the app: the task's slug and a hash.
///
/// A schedule is the same over deploys as long as its times are: expression and time zone. Its place among the task's
/// schedules doesn't count, nor do its options and its body, so that another body or option leaves a pause, and the
/// counting of an `every`, as they are. Of several with the same times the bodies count too, and where those are the same
/// as well, their order.
///
/// ```
/// use dacapo_domain::{Json, cron, declared, every};
///
/// let (daily, weekly) = ((cron("0 6 * * ? *"), Json::default()), (every("7 days"), Json::default()));
/// let names = |schedules| declared("report", schedules).into_iter().map(|entry| entry.name).collect::<Vec<_>>();
///
/// let both = names(vec![daily.clone(), weekly.clone()]);
/// assert_eq!(both, ["report-101c0a28", "report-81c9ab7c"]);
/// assert_eq!(names(vec![weekly, daily]), [both[1].clone(), both[0].clone()]);
/// ```
#[must_use]
pub fn declared(task: &str, schedules: Vec<(Schedule, Json)>) -> Vec<ScheduleEntry> {
    let times: Vec<String> = schedules.iter().map(|(schedule, _)| schedule.to_string()).collect();
    let mut taken: BTreeMap<String, u32> = BTreeMap::new();
    let entries = schedules.into_iter().zip(&times).map(|((schedule, body), own)| {
        let is_alone = times.iter().filter(|times| *times == own).count() == 1;
        let told = if is_alone { own.clone() } else { format!("{own}\n{}", body.text()) };
        let name = format!("{}-{:08x}", slug(task), hash128(&told) & 0xffff_ffff);
        let count = taken.entry(name.clone()).or_default();
        *count += 1;
        let name = if *count == 1 { name } else { format!("{name}-{count}") };
        ScheduleEntry { name, schedule, body }
    });
    entries.collect()
}

impl Manifest {
    /// The name that a declared schedule had before a deploy, by the manifest of then: its own, or that of one which its
    /// task declares no more, with the same times and body, or else with the same body: its times were changed then.
    #[must_use]
    pub fn former_name(&self, deployed: &Self, task: &str, declared: &ScheduleEntry) -> Option<&str> {
        let (_, former) = self.task(task)?;
        let is_gone = |entry: &&ScheduleEntry| entry.name == declared.name || deployed.schedule(&entry.name).is_none();
        let alike: [&dyn Fn(&ScheduleEntry) -> bool; 3] = [
            &|entry| entry.name == declared.name,
            &|entry| entry.schedule.has_same_times(&declared.schedule) && entry.body == declared.body,
            &|entry| entry.body == declared.body,
        ];
        let find = |is_same: &dyn Fn(&ScheduleEntry) -> bool| {
            former.schedules.iter().filter(is_gone).find(|entry| is_same(entry)).map(|entry| &*entry.name)
        };
        alike.into_iter().find_map(find)
    }
}
