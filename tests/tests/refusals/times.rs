//! Times, intervals and cron expressions, as they come through a client.

use std::time::Duration;

use dacapo::{Client, Schedule, prelude::*};
use dacapo_domain::{When, at};

use crate::both::{Both, PAID, REPORT, json};

#[tokio::test]
async fn time_that_is_none_is_refused_by_both_engines_alike() {
    let mut both = Both::new().await;
    let whens = [
        ("\"\"", When::from("")),
        ("\"5\"", "5".into()),
        ("\"90 sec\"", "90 sec".into()),
        ("\"1 day 2 hours\"", "1 day 2 hours".into()),
        ("\"1.5 hours\"", "1.5 hours".into()),
        ("\"-5 minutes\"", "-5 minutes".into()),
        ("\"0 minutes\"", "0 minutes".into()),
        ("\"2 years\"", "2 years".into()),
        ("\"tomorrow\"", "tomorrow".into()),
        ("\"1 fortnight\"", "1 fortnight".into()),
        ("\"2022-01-14T17:46:05.811Z\"", "2022-01-14T17:46:05.811Z".into()),
        ("\"2026-02-30T00:00:00Z\"", "2026-02-30T00:00:00Z".into()),
        ("\"2026-02-14 17:46:05Z\"", "2026-02-14 17:46:05Z".into()),
        ("0", 0.into()),
        ("-1", (-1).into()),
        ("u64::MAX", u64::MAX.into()),
        ("Duration::ZERO", Duration::ZERO.into()),
        ("Duration::MAX", Duration::MAX.into()),
        ("\"x\" a million times", "x".repeat(1_000_000).into()),
    ];
    for (given, when) in whens {
        let run = async |client: Client| client.run(REPORT, json("1")).after(when.clone()).await;
        both.refuse(&format!("run.after({given})"), run).await;
    }
    for (given, when) in [("\"90 sec\"", "90 sec"), ("\"2 years\"", "2 years")] {
        let publish = async |client: Client| client.publish(PAID, json("1")).after(when).await;
        both.refuse(&format!("publish.after({given})"), publish).await;
    }
    both.are("times");
}

#[tokio::test]
async fn schedule_that_never_fires_or_is_none_is_refused_by_both_engines_alike() {
    let mut both = Both::new().await;
    let schedules: [(&str, Schedule); 25] = [
        ("every(\"\")", every("")),
        ("every(\"0 days\")", every("0 days")),
        ("every(\"30 seconds\")", every("30 seconds")),
        ("every(\"1 month\")", every("1 month")),
        ("every(\"1 week\")", every("1 week")),
        ("every(\"1.5 hours\")", every("1.5 hours")),
        ("every(\"-1 days\")", every("-1 days")),
        ("every(\"9999999999 days\")", every("9999999999 days")),
        ("every(\"often\")", every("often")),
        ("cron(\"\")", cron("")),
        ("cron(\"0 6 * * *\")", cron("0 6 * * *")),
        ("cron(\"0 0 6 * * ? *\")", cron("0 0 6 * * ? *")),
        ("cron(\"@daily\")", cron("@daily")),
        ("cron(\"0 6 * * * *\")", cron("0 6 * * * *")),
        ("cron(\"60 6 * * ? *\")", cron("60 6 * * ? *")),
        ("cron(\"0 6 ? * FRI-MON *\")", cron("0 6 ? * FRI-MON *")),
        ("cron(\"0 6 L-3 * ? *\")", cron("0 6 L-3 * ? *")),
        ("cron(\"0 0 30 2 ? *\")", cron("0 0 30 2 ? *")),
        ("cron(\"0 0 1 1 ? 2025\")", cron("0 0 1 1 ? 2025")),
        ("cron in \"Europe/Berlim\"", cron("0 6 * * ? *").timezone("Europe/Berlim")),
        ("cron in \"\"", cron("0 6 * * ? *").timezone("")),
        ("cron in \"+02:00\"", cron("0 6 * * ? *").timezone("+02:00")),
        ("at(\"tomorrow\")", at("tomorrow")),
        ("at(\"2022-01-14T17:46:05Z\")", at("2022-01-14T17:46:05Z")),
        ("at(\"2 years\")", at("2 years")),
    ];
    for (given, schedule) in schedules {
        let put = async |client: Client| client.schedules().put("s", REPORT, schedule.clone(), json("1")).await;
        both.refuse(given, put).await;
    }
    both.are("schedules");
}
