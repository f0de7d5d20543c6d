//! Recurring schedules made at run time.

use async_trait::async_trait;
use dacapo::port::{PortError, PortErrorKind, PortResult, Schedules};
use dacapo_domain::{Schedule, ScheduleError, Timetable, aws_at};

use crate::{
    schedule_name::hashed,
    scheduler::{PLACEHOLDER, Plan, Scheduler},
};

/// Recurring schedules made at run time. Their names end in a hash, so that none is taken for a declared one.
#[async_trait]
impl Schedules for Scheduler {
    async fn put(&self, name: &str, function: &str, schedule: &Schedule) -> PortResult<()> {
        let timetable = schedule.check().map_err(refused)?;
        let (expression, once) = match (&timetable, timetable.aws_expression()) {
            (_, Some(expression)) => (expression, false),
            (Timetable::At(when), None) => {
                let at = when.resolve(self.clock.now()).map_err(|error| refused(error.into()))?;
                (aws_at(at), true)
            }
            (_, None) => return Err(PortError::new(PortErrorKind::Refused, format!("{schedule} has no expression"))),
        };
        let plan = Plan {
            name: &hashed(name),
            expression,
            time_zone: timetable.aws_time_zone(),
            function,
            input: fire(name),
            once,
        };
        self.keep(&plan).await
    }

    async fn delete(&self, name: &str) -> PortResult<()> {
        self.remove(&hashed(name)).await
    }
}

/// A [`Message::Fire`](dacapo_domain::Message::Fire) whose time the service writes.
fn fire(schedule: &str) -> String {
    let schedule = serde_json::Value::from(schedule);
    format!(r#"{{"fire/1":{{"schedule":{schedule},"time":"{PLACEHOLDER}"}}}}"#)
}

fn refused(error: ScheduleError) -> PortError {
    PortError::new(PortErrorKind::Refused, format!("failed to put the schedule: {error}")).caused_by(error)
}

#[cfg(test)]
mod tests {
    use dacapo_domain::Message;

    use super::*;
    use crate::scheduler::inert;

    #[test]
    fn the_service_writes_the_time_and_nothing_else() {
        let name = "tenant <aws.scheduler.execution-id> \"7\"";
        let input = inert(&fire(name));
        assert_eq!(input.matches("<aws.scheduler.").count(), 1);

        let sent = input.replace("<aws.scheduler.scheduled-time>", "2026-11-21T19:00:00Z");
        let Message::Fire(fire) = Message::from_text(&sent).unwrap() else { panic!("{sent}") };
        assert_eq!(fire.schedule, name);
        assert_eq!(fire.time, "2026-11-21T19:00:00Z".parse().unwrap());
    }
}
