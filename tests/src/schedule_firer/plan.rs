//! A schedule as the firer understands it.

use aws_sdk_scheduler::{
    operation::get_schedule::GetScheduleOutput,
    primitives::DateTime,
    types::{self, ActionAfterCompletion, ScheduleState},
};
use dacapo_domain::{FireTimes, cron, every, time_zone};
use jiff::{Timestamp, civil};

use super::{AnyError, target::Target};

/// The fires of a schedule, their times and their target.
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) target: Target,
    pub(super) dead_letters: Option<Target>,
    kept: Kept,
    recurrence: Recurrence,
}

/// All that the service keeps of a schedule. Two plans are equal if it is.
#[derive(PartialEq)]
struct Kept {
    arn: String,
    created: Option<DateTime>,
    modified: Option<DateTime>,
    begins: Option<DateTime>,
    ends: Option<DateTime>,
    expression: String,
    time_zone: String,
    state: Option<ScheduleState>,
    after_completion: Option<ActionAfterCompletion>,
    target: types::Target,
}

enum Recurrence {
    Once(Timestamp),
    Again(FireTimes),
}

impl PartialEq for Plan {
    fn eq(&self, other: &Self) -> bool {
        self.kept == other.kept
    }
}

impl Plan {
    /// Reads what the service keeps of a schedule.
    pub(super) fn read(reply: &GetScheduleOutput) -> Result<Self, AnyError> {
        let kept = Kept {
            arn: reply.arn().unwrap_or_default().to_owned(),
            created: reply.creation_date().copied(),
            modified: reply.last_modification_date().copied(),
            begins: reply.start_date().copied(),
            ends: reply.end_date().copied(),
            expression: reply.schedule_expression().unwrap_or_default().to_owned(),
            time_zone: reply.schedule_expression_timezone().unwrap_or("UTC").to_owned(),
            state: reply.state().cloned(),
            after_completion: reply.action_after_completion().cloned(),
            target: reply.target().ok_or("it has no target")?.clone(),
        };
        let dead_letters = kept.target.dead_letter_config().and_then(|config| config.arn());
        Ok(Self {
            name: reply.name().unwrap_or_default().to_owned(),
            target: Target::of_arn(kept.target.arn())?,
            dead_letters: dead_letters.map(Target::of_arn).transpose()?,
            recurrence: Recurrence::read(&kept.expression, &kept.time_zone, whole_seconds(kept.modified.as_ref()))?,
            kept,
        })
    }

    /// The time of the last change, as exactly as the service tells.
    pub(super) fn modified(&self) -> Option<&DateTime> {
        self.kept.modified.as_ref()
    }

    pub(super) fn is_once(&self) -> bool {
        matches!(self.recurrence, Recurrence::Once(_))
    }

    /// Is true where it fires once and asks to be deleted then.
    pub(super) fn is_deleted_after_once(&self) -> bool {
        self.is_once() && self.is_enabled() && self.kept.after_completion == Some(ActionAfterCompletion::Delete)
    }

    fn is_enabled(&self) -> bool {
        self.kept.state != Some(ScheduleState::Disabled)
    }

    /// The fires after `done`, up to now.
    pub(super) fn due(&self, done: Timestamp, now: Timestamp) -> Vec<Timestamp> {
        match &self.recurrence {
            _ if !self.is_enabled() => vec![],
            Recurrence::Once(time) => Some(*time).into_iter().filter(|time| done < *time && *time <= now).collect(),
            Recurrence::Again(fires) => {
                fires.all().skip_while(|time| *time <= done).take_while(|time| *time <= now).collect()
            }
        }
    }

    /// The target's input at a fire: the service writes what it knows into its placeholders.
    pub(super) fn input_of(&self, time: Timestamp, attempt: u32) -> String {
        // The service makes a new id for every try.
        let id = format!("{:032x}", fastrand::u128(..));
        let input = self.kept.target.input().unwrap_or("{}");
        input
            .replace("<aws.scheduler.scheduled-time>", &time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
            .replace("<aws.scheduler.execution-id>", &id)
            .replace("<aws.scheduler.attempt-number>", &attempt.to_string())
            .replace("<aws.scheduler.schedule-arn>", &self.kept.arn)
    }
}

impl Recurrence {
    fn read(expression: &str, zone: &str, created: Timestamp) -> Result<Self, AnyError> {
        let (kind, rest) = expression.split_once('(').ok_or("its expression is none")?;
        let text = rest.strip_suffix(')').ok_or("its expression has no end")?;
        Ok(match kind {
            "rate" => Self::Again(every(text).check()?.since(created)?),
            "cron" => Self::Again(cron(text).timezone(zone).check()?.since(created)?),
            "at" => Self::Once(time_zone(zone)?.to_timestamp(text.parse::<civil::DateTime>()?)?),
            _ => return Err(format!("its expression {expression:?} is none of rate, cron and at").into()),
        })
    }
}

/// The time that a `rate` counts from: whole seconds, as the service counts.
fn whole_seconds(date: Option<&DateTime>) -> Timestamp {
    date.and_then(|date| Timestamp::from_second(date.secs()).ok()).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
pub(super) mod tests {
    use aws_sdk_scheduler::operation::get_schedule::builders::GetScheduleOutputBuilder;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    pub(in super::super) fn plan(expression: &str, zone: &str, state: ScheduleState) -> Plan {
        Plan::read(&reply(expression, zone, state).build()).unwrap()
    }

    fn reply(expression: &str, zone: &str, state: ScheduleState) -> GetScheduleOutputBuilder {
        let target = types::Target::builder()
            .arn("arn:aws:sqs:eu-west-1:000000000000:shop-dev-report")
            .role_arn("arn:aws:iam::000000000000:role/any")
            .input(r#"{"at":"<aws.scheduler.scheduled-time>","by":"<aws.scheduler.execution-id>"}"#)
            .build()
            .unwrap();
        GetScheduleOutput::builder()
            .name("report")
            .schedule_expression(expression)
            .schedule_expression_timezone(zone)
            .state(state)
            .target(target)
            .action_after_completion(ActionAfterCompletion::Delete)
            .last_modification_date(DateTime::from_secs(at("2026-03-27T00:00:00Z").as_second()))
    }

    #[test]
    fn plans_are_equal_where_all_that_is_kept_of_the_schedule_is() {
        let (one, time) = ("rate(1 hour)", "at(2026-03-27T08:00:00)");
        let former = plan(one, "UTC", ScheduleState::Enabled);
        assert!(former == plan(one, "UTC", ScheduleState::Enabled));
        assert!(former != plan(time, "UTC", ScheduleState::Enabled), "replaced in the same second");
        assert!(former != plan(one, "Europe/Berlin", ScheduleState::Enabled));
        assert!(former != plan(one, "UTC", ScheduleState::Disabled));
        let reply = reply(one, "UTC", ScheduleState::Enabled);
        let mut target = reply.get_target().clone().unwrap();
        target.input = Some("{}".to_owned());
        assert!(former != Plan::read(&reply.target(target).build()).unwrap());
    }

    #[test]
    fn rate_fires_when_it_is_created_and_counts_from_there() {
        let plan = plan("rate(1 hour)", "UTC", ScheduleState::Enabled);
        let due = plan.due(Timestamp::MIN, at("2026-03-27T02:00:00Z"));
        assert_eq!(due, ["2026-03-27T00:00:00Z", "2026-03-27T01:00:00Z", "2026-03-27T02:00:00Z"].map(at));
        assert_eq!(plan.due(due[1], at("2026-03-27T02:00:00Z")), due[2..]);
    }

    #[test]
    fn cron_fires_in_its_time_zone() {
        let plan = plan("cron(0 6 * * ? *)", "Europe/Berlin", ScheduleState::Enabled);
        let due = plan.due(Timestamp::MIN, at("2026-03-30T00:00:00Z"));
        assert_eq!(due, ["2026-03-27T05:00:00Z", "2026-03-28T05:00:00Z", "2026-03-29T04:00:00Z"].map(at));
    }

    #[test]
    fn time_fires_once_and_never_early() {
        let plan = plan("at(2026-03-27T08:00:00)", "UTC", ScheduleState::Enabled);
        assert!(plan.is_once());
        assert_eq!(plan.due(Timestamp::MIN, at("2026-03-27T07:59:59.999Z")), []);
        let due = plan.due(Timestamp::MIN, at("2026-03-27T09:00:00Z"));
        assert_eq!(due, [at("2026-03-27T08:00:00Z")]);
        assert_eq!(plan.due(due[0], at("2026-03-27T09:00:00Z")), []);
    }

    #[test]
    fn schedule_that_is_disabled_never_fires() {
        let plan = plan("rate(1 minute)", "UTC", ScheduleState::Disabled);
        assert_eq!(plan.due(Timestamp::MIN, at("2026-03-28T00:00:00Z")), []);
    }

    #[test]
    fn try_of_a_fire_has_an_id_of_its_own_and_the_fires_time() {
        let plan = plan("rate(1 minute)", "UTC", ScheduleState::Enabled);
        let (one, other) = (plan.input_of(at("2026-03-27T00:01:00Z"), 1), plan.input_of(at("2026-03-27T00:01:00Z"), 2));
        assert!(one.starts_with(r#"{"at":"2026-03-27T00:01:00Z","by":""#), "{one}");
        assert!(!one.contains('<'), "{one}");
        assert_ne!(one, other);
    }
}
