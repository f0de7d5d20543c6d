//! Runs of very many rounds, through many executions.
//!
//! `DACAPO_ROUNDS=10000` goes further than `make test`. The number of rounds after which an execution hands over is lowered
//! by a state machine of the test's own: the deployed definition, in which each round counts as many.

use std::{env, time::Instant};

use aws_sdk_sfn::types::ExecutionStatus;
use chaos::{CHAOS, Chaos, Told};
use dacapo::{Id, Trigger};
use dacapo_core::commit::load;
use dacapo_domain::{RunRecord, limits, run::Invoker};
use serde_json::{Value, json};

use crate::app::{App, eventually, result};

/// Rounds unless the environment says otherwise.
const ROUNDS: u32 = 50;
/// The number that is added to the number of each round: an execution hands over after five.
const ADDED: u32 = 400;

#[tokio::test]
async fn run_of_very_many_rounds_is_handed_over_from_execution_to_execution_and_loses_no_round() {
    let app = App::deployed().await;
    let rounds = env::var("DACAPO_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let machine = app.hasty_state_machine().await;
    let input = json!({ "task": CHAOS.name(), "body": Chaos { continues: rounds, ..Chaos::default() } });
    let started = Instant::now();

    let start = app.sfn.start_execution().state_machine_arn(&machine).input(input.to_string());
    let execution = start.send().await.unwrap().execution_arn;

    // The first execution has made the run, and names it as it hands over.
    let id: Id = eventually("the first execution has handed over", || async {
        let reply = app.sfn.describe_execution().execution_arn(&execution).send().await.unwrap();
        let output: Value = serde_json::from_str(reply.output().unwrap_or("null")).unwrap();
        output["id"].as_str().map(|id| id.parse().unwrap()).ok_or_else(|| format!("{reply:?}"))
    })
    .await;
    for some in (0..rounds).step_by(ROUNDS as usize) {
        app.reaches(id, "goes on", |record| record.iteration > some || record.state.is_final()).await;
    }
    let record = app.ended(id).await;
    eprintln!("{rounds} rounds took {:.0} s", started.elapsed().as_secs_f64());

    assert_eq!(result::<Told>(&record), Told { iteration: rounds + 1, attempt: 1 });
    assert_eq!(record.trigger, Trigger::Direct);
    let stored = load::<RunRecord>(app.client.ports(), &RunRecord::key_of(id)).await.unwrap().unwrap();
    let Invoker::WaitLoop { generation, .. } = stored.record.invoker else { panic!("{:#?}", stored.record) };
    let each = limits::LOOP_ROUNDS / ADDED;
    assert!(generation >= rounds / each, "{generation} executions of {each} rounds each");
    let last = format!("{}:{id}-{generation}", machine.replace(":stateMachine:", ":execution:"));
    eventually("the last execution has ended with its run", || async {
        let reply = app.sfn.describe_execution().execution_arn(&last).send().await.unwrap();
        if reply.status() == &ExecutionStatus::Succeeded { Ok(()) } else { Err(format!("{reply:?}")) }
    })
    .await;
}

impl App {
    /// A state machine with the deployed definition, whose executions count each round as many, and start their
    /// successors from the same machine.
    async fn hasty_state_machine(&self) -> String {
        let deployed = self.sfn.describe_state_machine().state_machine_arn(self.state_machine().await);
        let deployed = deployed.send().await.unwrap();
        let mut definition: Value = serde_json::from_str(deployed.definition()).unwrap();
        let call = &mut definition["States"]["Call"]["Parameters"]["Payload"];
        let retries = "$$.State.RetryCount";
        assert_eq!(*call, json!({ "loop/2": { "call.$": "$.call", "retries.$": retries } }));
        let same = |field: &str| (format!("{field}.$"), json!(format!("$.call.{field}")));
        let mut counted: serde_json::Map<_, _> =
            ["run", "function", "generation", "started", "iteration", "attempt"].map(same).into_iter().collect();
        counted.insert("round.$".to_owned(), json!(format!("States.MathAdd($.call.round, {ADDED})")));
        *call = json!({ "loop/2": { "call": counted, "retries.$": retries } });
        let name = format!("{}-hasty-{:08x}", self.localstack.prefix(), fastrand::u32(..));
        let create = self.sfn.create_state_machine().name(name).role_arn(deployed.role_arn());
        create.definition(definition.to_string()).send().await.unwrap().state_machine_arn
    }
}
