//! Limits of load: permits of a pool, the tickets of those that wait for one, and queues that are paused.

use dacapo_core::{
    commit::{self, commit_call, commit_run},
    port::Ports,
    queues::{Gate, pause_queue, resume_queue},
};
use dacapo_domain::{
    AttemptEnd, AttemptOutcome, Id, Input, Json, Limit, Limits, Machine, Message, NewRun, OwnedQuery, Phase, Policy,
    PoolId, PoolRecord, RunRecord, Task, TicketRecord, seconds,
};
use futures::future::join_all;

use super::{
    Bench,
    fixture::{PATIENCE, deadline, new_run, stored_run},
    meddled::{Mishap, lossy},
};

/// A task of a queue that is limited.
struct Limited {
    task: String,
    policy: Policy,
}

impl Limited {
    /// So many attempts at once.
    async fn to(bench: &impl Bench, most: Option<u32>, most_per_key: Option<u32>) -> Self {
        let of = |concurrency| Limit { concurrency, rate: None };
        let (queue, total, per_key) = (Some(bench.unique("queue")), of(most), of(most_per_key));
        let policy = Policy { limits: Limits { queue, total, per_key }, ..Policy::default() };
        Self { task: bench.function("limited").await, policy }
    }

    fn pool(&self) -> PoolId {
        PoolId { scope: self.policy.limits.scope(&self.task), key: None }
    }

    /// New runs that are due, without the messages that bring them.
    async fn runs(&self, bench: &impl Bench, priorities_s: &[u32]) -> Vec<RunRecord> {
        let mut runs = vec![];
        for priority_s in priorities_s {
            runs.push(stored_run(bench, NewRun { priority_s: *priority_s, ..new_run(bench, &self.task) }).await);
        }
        bench.receive_within(&self.task, runs.len(), PATIENCE).await;
        runs
    }

    /// The message of a run arrives.
    async fn arrives(&self, bench: &impl Bench, ports: &Ports, run: &RunRecord, key: Option<&str>) -> RunRecord {
        let (gate, call) = (Gate::open(), Input::Delivered(run.purpose()));
        let called = commit_call(ports, &gate, run.clone(), call, &self.policy, key, deadline(bench)).await;
        called.expect("runs can be called").expect("the run is there").record
    }

    /// The attempt of a run ends, and gives its permits back.
    async fn ends(&self, bench: &impl Bench, run: &RunRecord) {
        let outcome = AttemptOutcome::Done { result: Ok(Json::default()), message: None };
        let token = run.lease().expect("the run executes").token;
        let input = Input::AttemptEnded(AttemptEnd::new(token, outcome, seconds(0)));
        let task = Task::Known(&self.policy);
        let ended = commit_run(&bench.ports(), run.clone(), &input, task, deadline(bench)).await;
        assert!(ended.unwrap().expect("the run is there").record.phase.is_final());
    }

    /// The run that is called next, by a message.
    async fn called(&self, bench: &impl Bench) -> Vec<Id> {
        let messages = bench.receive_within(&self.task, 1, PATIENCE).await;
        let run = |message| if let Message::Run(run) = message { run.run } else { panic!("{message:?}") };
        messages.into_iter().map(run).collect()
    }

    async fn stored_pool(&self, bench: &impl Bench) -> PoolRecord {
        let pool = commit::load::<PoolRecord>(&bench.ports(), &self.pool().record_key()).await;
        pool.expect("pools can be read").expect("the pool is there").record
    }

    /// The runs whose tickets stand beside the pool, in their order.
    async fn line(&self, bench: &impl Bench) -> Vec<Id> {
        let kind = TicketRecord::KIND.to_owned();
        let query = OwnedQuery { owner: self.pool().record_key(), kind, after: None, limit: 100 };
        let tickets = bench.ports().records.owned(&query).await.expect("tickets can be read");
        tickets
            .into_iter()
            .map(|ticket| commit::read_record::<TicketRecord>(ticket).unwrap().record.holder.run)
            .collect()
    }
}

fn executes(run: &RunRecord) -> bool {
    matches!(run.phase, Phase::Running { .. })
}

fn is_parked(run: &RunRecord) -> bool {
    matches!(run.phase, Phase::Parked { .. })
}

/// The one whose turn it is gets the permit in the write that gives it back, and is called by a message.
pub async fn permit_that_is_given_back_is_handed_to_the_first_in_line(bench: &impl Bench) {
    let limited = Limited::to(bench, Some(1), None).await;
    let runs = limited.runs(bench, &[0, 0, 60]).await;
    let first = limited.arrives(bench, &bench.ports(), &runs[0], None).await;
    assert!(executes(&first));
    let mut parked = vec![];
    for run in &runs[1..] {
        parked.push(limited.arrives(bench, &bench.ports(), run, None).await);
    }
    assert!(parked.iter().all(is_parked), "{parked:?}");
    bench.reopen().await;
    assert_eq!(limited.line(bench).await, [runs[2].id, runs[1].id], "a head start comes first");

    limited.ends(bench, &first).await;
    assert_eq!(limited.called(bench).await, [runs[2].id]);
    let (pool, line) = (limited.stored_pool(bench).await, limited.line(bench).await);
    assert!(pool.holds(runs[2].holder()) && pool.permits.len() == 1 && pool.has_waiting, "{pool:?}");
    assert_eq!(line, [runs[1].id]);
    let third = limited.arrives(bench, &bench.ports(), &parked[1], None).await;
    assert!(executes(&third));

    limited.ends(bench, &third).await;
    assert_eq!(limited.called(bench).await, [runs[1].id]);
    let second = limited.arrives(bench, &bench.ports(), &parked[0], None).await;
    limited.ends(bench, &second).await;
    let pool = limited.stored_pool(bench).await;
    assert!(pool.permits.is_empty() && pool.expires_at_s.is_some(), "{pool:?}");
    assert_eq!(limited.line(bench).await, []);
}

/// However many come in one moment.
pub async fn ten_attempts_at_once_take_no_more_permits_than_there_are(bench: &impl Bench) {
    let limited = Limited::to(bench, Some(3), None).await;
    let runs = limited.runs(bench, &[0; 10]).await;
    let ports = bench.ports();
    let called = join_all(runs.iter().map(|run| limited.arrives(bench, &ports, run, None))).await;
    let executing: Vec<&RunRecord> = called.iter().filter(|run| executes(run)).collect();
    assert_eq!(executing.len(), 3, "{called:?}");
    assert!(called.iter().all(|run| executes(run) || is_parked(run)));
    let pool = limited.stored_pool(bench).await;
    assert!(executing.iter().all(|run| pool.holds(run.holder())), "{pool:?}");
    assert_eq!((pool.permits.len(), limited.line(bench).await.len()), (3, 7));
}

/// The write that takes a permit is made again, and takes no second one.
pub async fn permit_whose_reply_is_lost_is_one(bench: &impl Bench) {
    let limited = Limited::to(bench, Some(2), None).await;
    let runs = limited.runs(bench, &[0, 0]).await;
    let ports = lossy(bench.ports(), [Mishap::ReplyLost]);
    assert!(executes(&limited.arrives(bench, &ports, &runs[0], None).await));
    assert_eq!(limited.stored_pool(bench).await.permits.len(), 1);
    assert!(executes(&limited.arrives(bench, &bench.ports(), &runs[1], None).await));
}

/// Keys of any letters have pools of their own, and a total beside them.
pub async fn key_has_its_permits_for_itself(bench: &impl Bench) {
    let limited = Limited::to(bench, Some(3), Some(1)).await;
    let runs = limited.runs(bench, &[0; 4]).await;
    let mut called = vec![];
    for (run, key) in runs.iter().zip(["a/b", "a%2Fb", "a/b", "\u{1F600} ü"]) {
        called.push(limited.arrives(bench, &bench.ports(), run, Some(key)).await);
    }
    assert_eq!(called.iter().map(executes).collect::<Vec<_>>(), [true, true, false, true]);
    assert_eq!(called[0].permits.len(), 2, "the key's, and one of all");
    limited.ends(bench, &called[0]).await;
    assert_eq!(limited.called(bench).await, [runs[2].id]);
    assert!(executes(&limited.arrives(bench, &bench.ports(), &called[2], Some("a/b")).await));
}

/// With and without limits of its own: what is due waits, and comes once the queue is resumed.
pub async fn queue_that_is_paused_holds_what_is_due_until_it_is_resumed(bench: &impl Bench) {
    for most in [Some(5), None] {
        let limited = Limited::to(bench, most, None).await;
        let (pool, limit) = (limited.pool(), limited.policy.limits.total);
        let runs = limited.runs(bench, &[0]).await;
        let paused = pause_queue(&bench.ports(), &pool, limit, deadline(bench)).await.unwrap();
        assert!(paused.paused_at.is_some());
        bench.reopen().await;
        let held = limited.arrives(bench, &bench.ports(), &runs[0], None).await;
        assert!(matches!(held.phase, Phase::Parked { is_held: true, .. }), "{most:?}: {held:?}");
        assert_eq!(limited.line(bench).await, [runs[0].id]);

        let resumed = resume_queue(&bench.ports(), &pool, limit, deadline(bench)).await.unwrap();
        assert_eq!(resumed.paused_at, None);
        assert_eq!(limited.called(bench).await, [runs[0].id], "{most:?}");
        assert!(executes(&limited.arrives(bench, &bench.ports(), &held, None).await), "{most:?}");
    }
}

/// An attempt that died between its ticket and its parking asks again, and is one in the line.
pub async fn attempt_that_asks_again_has_one_ticket(bench: &impl Bench) {
    let limited = Limited::to(bench, Some(1), None).await;
    let runs = limited.runs(bench, &[0, 0]).await;
    limited.arrives(bench, &bench.ports(), &runs[0], None).await;
    for _ in 0..2 {
        let parked = limited.arrives(bench, &bench.ports(), &runs[1], None).await;
        assert!(is_parked(&parked));
    }
    assert_eq!(limited.line(bench).await, [runs[1].id]);
}
