//! The cost of runs and events on AWS: calls, counted from the requests of a deployed app, and their price.

mod calls;
mod counter;
mod prices;
mod site;
mod units;

use std::time::Duration;

use aws_sdk_sfn::types::HistoryEvent;
use dacapo::{Id, State};
use dacapo_core::commit::load;
use dacapo_domain::TokenRecord;
use echo::{ECHO, Said, WORD};
use heard::{NOISE, Noise};
use limited::LIMITED;

use crate::{AnyError, machine, table::Row};
use site::Site;

/// Times that something is done, to see that each costs the same.
const TIMES: u32 = 5;
/// Rounds of the longer of two runs, whose difference is what rounds cost.
const ROUNDS: u32 = 6;
/// Steps of the longer of two runs, whose difference is what steps cost.
const STEPS: u32 = 8;
/// Children of one parent.
const MANY: u32 = 1_000;

pub fn measure() -> Result<Vec<Row>, AnyError> {
    let site = Site::deploy()?;
    machine::runtime()?.block_on(async {
        let site = site.observed().await?;
        let mut rows = one_iteration(&site).await?;
        rows.extend(one_round(&site).await?);
        rows.extend(one_permit(&site).await?);
        rows.extend(one_child(&site).await?);
        rows.extend(one_step(&site).await?);
        rows.extend(one_token(&site).await?);
        rows.extend(many_children(&site).await?);
        rows.extend(one_event(&site).await?);
        Ok(rows)
    })
}

async fn one_iteration(site: &Site) -> Result<Vec<Row>, AnyError> {
    run(site, 0).await?; // Processes start, queue and account are looked up.
    site.counter.take();
    let mut record_bytes = 0;
    for _ in 0..TIMES {
        let id = run(site, 0).await?;
        record_bytes = record_bytes.max(site.counter.item_bytes(&format!("run/{id}")));
    }
    let calls = site.counter.take().of_one(TIMES);
    let mut rows = calls.rows(
        &format!("run now, one iteration, record of {record_bytes} bytes"),
        &[
            ("sqs", "1 send"),
            ("dynamodb writes", "3"),
            ("dynamodb write units", "6 with indexes"),
            ("dynamodb reads", "0"),
            ("states", "0"),
        ],
    );
    rows.extend(prices::rows(&calls, record_bytes));
    Ok(rows)
}

/// A run of several rounds against one of a single round.
async fn one_round(site: &Site) -> Result<Vec<Row>, AnyError> {
    let short = run(site, 1).await?;
    let first = site.counter.take();
    let long = run(site, 1 + ROUNDS).await?;
    let calls = site.counter.take().less(&first).of_one(ROUNDS);
    let transitions = transitions(site, long).await? - transitions(site, short).await?;
    let mut rows = calls.rows("one more `continue` round", &[("dynamodb writes", "≤ 2")]);
    let seen = format!("{}", f64::from(transitions) / f64::from(ROUNDS));
    rows.push(Row::new("one more `continue` round: transitions of the loop", seen, "≤ 3"));
    Ok(rows)
}

/// A run of a task of which one attempt may execute at once, which it may at once, against one without a limit.
async fn one_permit(site: &Site) -> Result<Vec<Row>, AnyError> {
    let limited = async || ended(site, site.client.run(LIMITED, Said::default()).await?.id()).await;
    limited().await?; // Its process starts.
    run(site, 0).await?;
    site.counter.take();
    run(site, 0).await?;
    let without = site.counter.take();
    limited().await?;
    let calls = site.counter.take().less(&without);
    Ok(calls.rows("a permit that is free", &[("sqs", "0"), ("dynamodb writes", "≤ 2")]))
}

/// A run that waits for some children against one that waits for fewer.
async fn one_child(site: &Site) -> Result<Vec<Row>, AnyError> {
    let (few, more) = (10, 30);
    let family = |children| finished(site, Said { children, ..Said::default() });
    family(few).await?;
    let first = site.counter.take();
    family(more).await?;
    let calls = site.counter.take().less(&first).of_one(more - few);
    let wanted = [("sqs", "0.1 send"), ("dynamodb writes", "≤ 5: its own 3, and 2"), ("dynamodb reads", "≤ 1")];
    Ok(calls.rows("one more child that is waited for", &wanted))
}

/// A run of several steps against one of none.
async fn one_step(site: &Site) -> Result<Vec<Row>, AnyError> {
    run(site, 0).await?;
    let without = site.counter.take();
    finished(site, Said { steps: STEPS, ..Said::default() }).await?;
    let calls = site.counter.take().less(&without).of_one(STEPS);
    let wanted = [("dynamodb writes", "1"), ("dynamodb write units", "1"), ("dynamodb reads", "0")];
    Ok(calls.rows("a step, its value up to 1 KB", &wanted))
}

/// A run that waits for its token, which is completed then, against one that doesn't.
async fn one_token(site: &Site) -> Result<Vec<Row>, AnyError> {
    run(site, 0).await?;
    let without = site.counter.take();
    let id = site.client.run(ECHO, Said { waits: true, ..Said::default() }).await?.id();
    let token = loop {
        if site.looker.state(id).await?.state == State::Waiting {
            break load::<TokenRecord>(site.looker.ports(), &TokenRecord::key_of(id, WORD)).await?;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let token = token.ok_or("no token")?.record.text();
    site.client.complete(token.to_string(), "go on".to_owned()).await?;
    ended(site, id).await?;
    let calls = site.counter.take().less(&without);
    let wanted = [("sqs", "1 send"), ("dynamodb writes", "5: 2 of the token; wait, wake, attempt")];
    Ok(calls.rows("a token that is waited for", &wanted))
}

/// A parent of as many children as there may be against one of none, and they against as many runs of their own.
async fn many_children(site: &Site) -> Result<Vec<Row>, AnyError> {
    run(site, 0).await?;
    let alone = site.counter.take();
    finished(site, Said { children: MANY, ..Said::default() }).await?;
    let mut calls = site.counter.take().less(&alone);
    for _ in 0..MANY {
        calls = calls.less(&alone);
    }
    // A batch sends ten at once: fewer than as many runs.
    calls.operations.retain(|(service, _), _| service == "dynamodb");
    let wanted = [
        ("dynamodb writes", "≤ 2,010: 1,000 say who waits, 1,010 wake it"),
        ("dynamodb reads", "≤ 1,003: 1,000 look for an abort, 3 wake it"),
    ];
    Ok(calls.rows(&format!("{MANY} children that are waited for, beside their own runs"), &wanted))
}

async fn one_event(site: &Site) -> Result<Vec<Row>, AnyError> {
    let publish = || site.client.publish(NOISE, Noise { decibels: 60 }).into_future();
    publish().await?; // The manifest is read, once a minute.
    site.is_idle("heard").await?;
    site.counter.take();
    for _ in 0..TIMES {
        publish().await?;
    }
    site.is_idle("heard").await?;
    let calls = site.counter.take().of_one(TIMES);
    let wanted = [("sqs", "1 send"), ("dynamodb", "0")];
    Ok(calls.rows("an event handled at first try, per subscriber", &wanted))
}

/// Runs the task to its end, and lets the loop come to its own.
async fn run(site: &Site, continues: u32) -> Result<Id, AnyError> {
    finished(site, Said { continues, ..Said::default() }).await
}

async fn finished(site: &Site, said: Said) -> Result<Id, AnyError> {
    let id = site.client.run(ECHO, said).await?.id();
    ended(site, id).await?;
    Ok(id)
}

async fn ended(site: &Site, id: Id) -> Result<(), AnyError> {
    let record = site.looker.wait_for(id).await?;
    if record.state != State::Completed {
        return Err(format!("run {id} is {}: {:?}", record.state, record.error_message).into());
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(())
}

/// States that the loop of a run entered: what AWS bills.
async fn transitions(site: &Site, id: Id) -> Result<u32, AnyError> {
    let execution = site.execution(id).await?;
    let pages = site.sfn.get_execution_history().execution_arn(execution).into_paginator().items().send();
    let history: Vec<HistoryEvent> = pages.collect::<Result<_, _>>().await?;
    let entered = history.iter().filter(|event| event.r#type().as_str().ends_with("StateEntered")).count();
    Ok(u32::try_from(entered)?)
}
