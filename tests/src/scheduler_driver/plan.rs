//! A schedule as the driver understands it.

use aws_sdk_scheduler::{
    operation::get_schedule::GetScheduleOutput,
    primitives::DateTime,
    types::{ActionAfterCompletion, ScheduleState},
};
use dacapo_domain::{FireTimes, cron, every, time_zone};
use jiff::{Timestamp, civil};

use super::{AnyError, target::Target};

/// What a schedule fires, when, and at what.
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) modified: Timestamp,
    pub(super) is_deleted_after: bool,
    pub(super) target: Target,
    pub(super) dead_letters: Option<Target>,
    arn: String,
    is_enabled: bool,
    rhythm: Rhythm,
    input: String,
}

enum Rhythm {
    Once(Timestamp),
    Again(FireTimes),
}

impl Plan {
    /// Reads what the service keeps of a schedule.
    pub(super) fn read(reply: &GetScheduleOutput) -> Result<Self, AnyError> {
        let modified = modified(reply.last_modification_date());
        let zone = reply.schedule_expression_timezone().unwrap_or("UTC");
        let target = reply.target().ok_or("it has no target")?;
        let dead_letters = target.dead_letter_config().and_then(|config| config.arn());
        Ok(Self {
            name: reply.name().unwrap_or_default().to_owned(),
            modified,
            is_deleted_after: reply.action_after_completion() == Some(&ActionAfterCompletion::Delete),
            target: Target::of_arn(target.arn())?,
            dead_letters: dead_letters.map(Target::of_arn).transpose()?,
            arn: reply.arn().unwrap_or_default().to_owned(),
            is_enabled: reply.state() != Some(&ScheduleState::Disabled),
            rhythm: Rhythm::read(reply.schedule_expression().unwrap_or_default(), zone, modified)?,
            input: target.input().unwrap_or("{}").to_owned(),
        })
    }

    pub(super) fn is_once(&self) -> bool {
        matches!(self.rhythm, Rhythm::Once(_))
    }

    /// The fires after `done`, up to now.
    pub(super) fn due(&self, done: Timestamp, now: Timestamp) -> Vec<Timestamp> {
        match &self.rhythm {
            _ if !self.is_enabled => vec![],
            Rhythm::Once(time) => Some(*time).into_iter().filter(|time| done < *time && *time <= now).collect(),
            Rhythm::Again(fires) => {
                fires.all().skip_while(|time| *time <= done).take_while(|time| *time <= now).collect()
            }
        }
    }

    /// The target's input at a fire: the service writes what it knows into its placeholders.
    pub(super) fn input_of(&self, time: Timestamp, attempt: u32) -> String {
        // The service makes a new id for every try.
        let id = format!("{:032x}", fastrand::u128(..));
        self.input
            .replace("<aws.scheduler.scheduled-time>", &time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
            .replace("<aws.scheduler.execution-id>", &id)
            .replace("<aws.scheduler.attempt-number>", &attempt.to_string())
            .replace("<aws.scheduler.schedule-arn>", &self.arn)
    }
}

impl Rhythm {
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

/// When a schedule was last changed: a `rate` counts from there. Whole seconds, as the service counts.
pub(super) fn modified(date: Option<&DateTime>) -> Timestamp {
    date.and_then(|date| Timestamp::from_second(date.secs()).ok()).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use aws_sdk_scheduler::types;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn plan(expression: &str, zone: &str, state: ScheduleState) -> Plan {
        let target = types::Target::builder()
            .arn("arn:aws:sqs:eu-west-1:000000000000:shop-dev-report")
            .role_arn("arn:aws:iam::000000000000:role/any")
            .input(r#"{"at":"<aws.scheduler.scheduled-time>","by":"<aws.scheduler.execution-id>"}"#)
            .build()
            .unwrap();
        let reply = GetScheduleOutput::builder()
            .name("report")
            .schedule_expression(expression)
            .schedule_expression_timezone(zone)
            .state(state)
            .target(target)
            .last_modification_date(DateTime::from_secs(at("2026-03-27T00:00:00Z").as_second()))
            .build();
        Plan::read(&reply).unwrap()
    }

    #[test]
    fn a_rate_fires_when_it_is_created_and_counts_from_there() {
        let plan = plan("rate(1 hour)", "UTC", ScheduleState::Enabled);
        let due = plan.due(Timestamp::MIN, at("2026-03-27T02:00:00Z"));
        assert_eq!(due, ["2026-03-27T00:00:00Z", "2026-03-27T01:00:00Z", "2026-03-27T02:00:00Z"].map(at));
        assert_eq!(plan.due(due[1], at("2026-03-27T02:00:00Z")), due[2..]);
    }

    #[test]
    fn a_cron_fires_in_its_time_zone() {
        let plan = plan("cron(0 6 * * ? *)", "Europe/Berlin", ScheduleState::Enabled);
        let due = plan.due(Timestamp::MIN, at("2026-03-30T00:00:00Z"));
        assert_eq!(due, ["2026-03-27T05:00:00Z", "2026-03-28T05:00:00Z", "2026-03-29T04:00:00Z"].map(at));
    }

    #[test]
    fn a_time_fires_once_and_never_early() {
        let plan = plan("at(2026-03-27T08:00:00)", "UTC", ScheduleState::Enabled);
        assert!(plan.is_once());
        assert_eq!(plan.due(Timestamp::MIN, at("2026-03-27T07:59:59.999Z")), []);
        let due = plan.due(Timestamp::MIN, at("2026-03-27T09:00:00Z"));
        assert_eq!(due, [at("2026-03-27T08:00:00Z")]);
        assert_eq!(plan.due(due[0], at("2026-03-27T09:00:00Z")), []);
    }

    #[test]
    fn what_is_disabled_never_fires() {
        let plan = plan("rate(1 minute)", "UTC", ScheduleState::Disabled);
        assert_eq!(plan.due(Timestamp::MIN, at("2026-03-28T00:00:00Z")), []);
    }

    #[test]
    fn each_try_has_an_id_of_its_own_and_the_same_time() {
        let plan = plan("rate(1 minute)", "UTC", ScheduleState::Enabled);
        let (one, other) = (plan.input_of(at("2026-03-27T00:01:00Z"), 1), plan.input_of(at("2026-03-27T00:01:00Z"), 2));
        assert!(one.starts_with(r#"{"at":"2026-03-27T00:01:00Z","by":""#), "{one}");
        assert!(!one.contains('<'), "{one}");
        assert_ne!(one, other);
    }
}
