//! Load in shape: how many attempts execute at once, how many start in a time, and in which order those that wait come.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use dacapo::{Definition, Json, State, TaskContext, Timestamp, prelude::*};
use dacapo_domain::{FunctionEntry, Manifest, RunRecord, WaitsFor};
use dacapo_test_kit::{Faults, START, TestApp};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

const PRINT: TaskRef<Job, u32> = TaskRef::new("print");
const SCAN: TaskRef<Job, u32> = TaskRef::new("scan");

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Job {
    number: u32,
    customer: String,
    rounds: u32,
}

fn job(number: u32, customer: &str) -> Job {
    Job { number, customer: customer.to_owned(), rounds: 0 }
}

/// The attempts as their handlers saw them.
#[derive(Clone, Default)]
struct Printer(Arc<Mutex<Printed>>);

#[derive(Default)]
struct Printed {
    busy: BTreeMap<String, u32>,
    most: BTreeMap<String, u32>,
    began: Vec<(u32, Timestamp)>,
}

impl Printer {
    fn task(&self, task: TaskRef<Job, u32>) -> Task<Job, u32> {
        let printer = self.clone();
        dacapo::task(task, move |job: Job, cx: TaskContext| {
            let printer = printer.clone();
            async move { printer.print(job, &cx).await }
        })
    }

    async fn print(&self, job: Job, cx: &TaskContext) -> Result<Outcome<Job, u32>, TaskError> {
        self.0.lock().unwrap().began.push((job.number, cx.time()));
        for of in ["all", &job.customer] {
            let mut printed = self.0.lock().unwrap();
            let busy = printed.busy.entry(of.to_owned()).or_default();
            *busy += 1;
            let busy = *busy;
            let most = printed.most.entry(of.to_owned()).or_default();
            *most = busy.max(*most);
        }
        tokio::time::sleep(Duration::from_millis(10)).await; // The others of this moment go on meanwhile.
        for of in ["all", &job.customer] {
            *self.0.lock().unwrap().busy.get_mut(of).unwrap() -= 1;
        }
        match job.rounds {
            0 => Ok(Done(job.number)),
            _ => Ok(Continue::after(seconds(30), Job { rounds: job.rounds - 1, ..job })),
        }
    }

    /// The most that executed at once, of a customer or of all.
    fn most(&self, of: &str) -> u32 {
        self.0.lock().unwrap().most.get(of).copied().unwrap_or(0)
    }

    fn order(&self) -> Vec<u32> {
        self.0.lock().unwrap().began.iter().map(|(number, _)| *number).collect()
    }

    /// The seconds since the start at which attempts began.
    fn times(&self) -> Vec<i64> {
        let start: Timestamp = START.parse().unwrap();
        self.0.lock().unwrap().began.iter().map(|(_, at)| at.as_second() - start.as_second()).collect()
    }
}

/// An app where what is due goes on beside what runs, and nothing goes wrong.
fn app() -> TestApp {
    TestApp::with_these_faults(1, Faults::none())
}

#[tokio::test(start_paused = true)]
async fn no_more_attempts_execute_at_once_than_a_task_allows_and_all_have_their_turn() {
    let printer = Printer::default();
    let app = app().with(printer.task(PRINT).concurrency(2));
    for number in 0..8 {
        app.run(PRINT, job(number, "ada")).await.unwrap();
    }
    app.run_until_idle().await;
    assert_eq!((printer.most("all"), printer.order().len()), (2, 8));
    assert!(app.runs_of(PRINT).iter().all(|run| run.state == State::Completed && run.attempt == 1));
}

#[tokio::test(start_paused = true)]
async fn run_that_finds_no_place_is_submitted_says_so_and_nothing_watches_it() {
    let (begun, release) = (Arc::new(Mutex::new(false)), Arc::new(Notify::new()));
    let (first, held) = (begun.clone(), release.clone());
    let app = app().with(
        task(PRINT, move |job: Job, _: TaskContext| {
            let (is_first, held) = (!std::mem::replace(&mut *first.lock().unwrap(), true), held.clone());
            async move {
                if is_first {
                    held.notified().await;
                }
                Ok(job.number)
            }
        })
        .concurrency(1),
    );
    let runs = [app.run(PRINT, job(0, "ada")).await.unwrap().id(), app.run(PRINT, job(1, "ada")).await.unwrap().id()];
    let while_held = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let all = [app.client().state(runs[0]).await.unwrap(), app.client().state(runs[1]).await.unwrap()];
        let parked = all.into_iter().find(|run| run.state == State::Submitted).unwrap();
        let place = WaitsFor::Place { scope: "task.print".to_owned(), key: None };
        assert_eq!((parked.attempt, parked.waits_for), (1, Some(place)));
        let stored = app.client().ports().records.load(&RunRecord::key_of(parked.id)).await.unwrap().unwrap();
        assert_eq!(stored.header.reconcile_at, None);
        release.notify_one();
    };
    tokio::join!(app.advance(seconds(1)), while_held);
    assert!(app.runs_of(PRINT).iter().all(|run| run.state == State::Completed && run.attempt == 1));
}

#[tokio::test(start_paused = true)]
async fn later_iterations_count_and_a_run_between_two_holds_no_place() {
    let printer = Printer::default();
    let app = app().with(printer.task(PRINT).concurrency(1));
    for number in 0..3 {
        app.run(PRINT, Job { rounds: 2, ..job(number, "ada") }).await.unwrap();
    }
    app.run_until_idle().await;
    assert_eq!((printer.most("all"), printer.order().len()), (1, 9));
    // All first iterations come before the second ones, which wait for 30 s.
    assert!(printer.times()[..3].iter().all(|at| *at < 5), "{:?}", printer.times());
}

#[tokio::test(start_paused = true)]
async fn keys_have_places_of_their_own_and_are_fair_to_each_other() {
    let printer = Printer::default();
    let by_customer = printer.task(PRINT).concurrency_per_key(1, |job: &Job| &job.customer);
    let app = app().with(by_customer.concurrency(2));
    for number in 0..6 {
        app.run(PRINT, job(number, "greedy")).await.unwrap();
    }
    app.run(PRINT, job(6, "ada")).await.unwrap();
    app.run(PRINT, job(7, "grace")).await.unwrap();
    app.run_until_idle().await;
    assert_eq!((printer.most("all"), printer.most("greedy")), (2, 1));
    let last_of_others = printer.order().iter().rposition(|number| *number >= 6).unwrap();
    assert!(last_of_others < 5, "those of one customer came first: {:?}", printer.order());
}

/// Starts two runs under each of so many keys.
async fn each_key_has_its_place(keys: u32) {
    let printer = Printer::default();
    let app = app().with(printer.task(PRINT).concurrency_per_key(1, |job: &Job| &job.customer));
    let jobs: Vec<Job> = (0..2 * keys).map(|number| job(number, &format!("customer {}", number % keys))).collect();
    for some in jobs.chunks(1_000) {
        app.client().batch(PRINT, some.to_vec()).await.unwrap();
    }
    app.run_until_idle().await;
    assert_eq!(printer.order().len(), 2 * keys as usize);
    assert!((0..keys).all(|key| printer.most(&format!("customer {key}")) == 1));
    let latest = printer.times().into_iter().max().unwrap();
    assert!(latest < 60, "none waits for another key's runs: {latest} s");
}

#[tokio::test(start_paused = true)]
async fn each_of_five_hundred_keys_has_its_place_at_once() {
    each_key_has_its_place(500).await;
}

#[tokio::test(start_paused = true)]
#[ignore = "twenty thousand runs: minutes"]
async fn each_of_ten_thousand_keys_has_its_place_at_once() {
    each_key_has_its_place(10_000).await;
}

#[tokio::test(start_paused = true)]
async fn tasks_of_one_queue_share_its_places() {
    let printer = Printer::default();
    let app = app()
        .with(printer.task(PRINT).queue("paper").concurrency(2))
        .with(printer.task(SCAN).queue("paper").concurrency(2));
    for number in 0..4 {
        app.run(PRINT, job(number, "ada")).await.unwrap();
        app.run(SCAN, job(number, "ada")).await.unwrap();
    }
    app.run_until_idle().await;
    assert_eq!((printer.most("all"), printer.order().len()), (2, 8));
}

#[tokio::test(start_paused = true)]
async fn run_with_a_head_start_comes_before_those_that_wait_longer() {
    let printer = Printer::default();
    let app = app().with(printer.task(PRINT).concurrency(1));
    for number in 0..3 {
        app.run(PRINT, job(number, "ada")).after(seconds(1)).await.unwrap();
    }
    app.run(PRINT, job(9, "ada")).after(seconds(1)).priority(minutes(5)).await.unwrap();
    app.run_until_idle().await;
    let place = printer.order().iter().position(|number| *number == 9).unwrap();
    assert!(place <= 1, "only what had its place before came first: {:?}", printer.order());
}

#[tokio::test(start_paused = true)]
async fn no_more_attempts_start_in_any_window_than_a_rate_allows_and_what_is_over_is_spread() {
    let printer = Printer::default();
    let app = app().with(printer.task(PRINT).rate_limit(3, per(minutes(1))));
    for number in 0..9 {
        app.run(PRINT, job(number, "ada")).await.unwrap();
    }
    app.run_until_idle().await;
    let times = printer.times();
    assert_eq!(times.len(), 9);
    for window in times.windows(4) {
        assert!(window[3] - window[0] >= 60, "four within {window:?} of {times:?}");
    }
    for pair in times[3..].windows(2) {
        assert!(pair[1] - pair[0] >= 20, "a burst in {times:?}");
    }
    assert!(times[8] <= 60 + 6 * 21, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn queue_that_is_paused_lets_nothing_start_over_deploys_until_it_is_resumed_in_the_order_of_being_due() {
    for limited in [false, true] {
        let printer = Printer::default();
        let function = || if limited { printer.task(PRINT).concurrency(1) } else { printer.task(PRINT) };
        let app = app().with(function());
        let waits = app.run(PRINT, job(2, "ada")).after(seconds(20)).await.unwrap();
        let queue = app.client().queues().pause("print").await.unwrap();
        assert!(queue.paused_at.is_some());
        let created = app.run(PRINT, job(1, "ada")).await.unwrap();
        app.advance(minutes(1)).await;
        let state = async |id| app.client().state(id).await.unwrap().state;
        assert_eq!((state(created.id()).await, state(waits.id()).await), (State::Created, State::Created));

        let app = app.redeployed([Definition::of(function())]);
        app.run(PRINT, job(3, "ada")).await.unwrap();
        app.advance(days(30)).await;
        assert_eq!(printer.order(), Vec::<u32>::new(), "with a limit: {limited}");
        let listed = app.client().queues().list().await.unwrap();
        assert_eq!((listed.len(), listed[0].name.as_str(), listed[0].has_waiting), (1, "print", true));

        app.client().queues().resume("print").await.unwrap();
        app.run_until_idle().await;
        assert_eq!(printer.order(), [1, 2, 3], "with a limit: {limited}");
        assert!(app.runs_of(PRINT).iter().all(|run| run.state == State::Completed && run.attempt == 1));
    }
}

#[tokio::test(start_paused = true)]
async fn queue_without_limits_that_is_resumed_releases_a_hundred_runs_a_second() {
    let printer = Printer::default();
    let app = app().with(printer.task(PRINT));
    app.client().queues().pause("print").await.unwrap();
    for number in 0..250 {
        app.run(PRINT, job(number, "ada")).await.unwrap();
    }
    app.advance(minutes(1)).await;
    app.client().queues().resume("print").await.unwrap();
    app.run_until_idle().await;
    let mut each_second = BTreeMap::<i64, u32>::new();
    printer.times().iter().for_each(|at| *each_second.entry(*at).or_default() += 1);
    assert_eq!(each_second.values().sum::<u32>(), 250);
    assert!(each_second.values().all(|count| *count <= 100), "{each_second:?}");
}

#[tokio::test(start_paused = true)]
async fn run_that_executes_ends_its_attempt_while_its_queue_is_paused() {
    let printer = Printer::default();
    let app = app().with(printer.task(PRINT).queue("paper"));
    app.run(PRINT, Job { rounds: 1, ..job(1, "ada") }).await.unwrap();
    app.advance(seconds(1)).await;
    app.client().queues().pause("paper").await.unwrap();
    app.advance(minutes(5)).await;
    let run = app.run_of(PRINT);
    assert_eq!((run.state, run.iteration), (State::Submitted, 2));
    app.client().queues().resume("paper").await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.run_of(PRINT).state, State::Completed);
}

#[tokio::test]
async fn queue_that_no_task_has_is_refused_with_those_that_there_are() {
    let app = TestApp::new().with(Printer::default().task(PRINT).queue("paper"));
    let refused = app.client().queues().pause("papers").await.unwrap_err().to_string();
    assert_eq!(refused, "failed to find a queue named \"papers\" (did you mean \"paper\"?)");
    let refused = app.client().queues().resume("print").await.unwrap_err().to_string();
    assert_eq!(refused, "failed to find a queue named \"print\" (there are: paper)");
}

#[test]
fn limit_out_of_range_is_refused_with_what_was_given_and_what_is_allowed() {
    fn refused(task: Task<Job, u32>) -> String {
        Definition::of(task).describe("print").unwrap_err().join("; ")
    }
    let print = || Printer::default().task(PRINT);
    for (given, said) in [
        (refused(print().concurrency(0)), "concurrency of 0 (allowed: 1 to 1000)"),
        (refused(print().concurrency(1_001)), "concurrency of 1001 (allowed: 1 to 1000)"),
        (
            refused(print().concurrency_per_key(0, |job: &Job| &job.customer)),
            "concurrency_per_key of 0 (allowed: 1 to 1000)",
        ),
        (refused(print().rate_limit(0, per(minutes(1)))), "rate_limit of 0 starts (allowed: 1 and more)"),
        (refused(print().rate_limit(1, per(minutes(0)))), "rate_limit per 0ns (allowed: 1 s to 31 days)"),
        (refused(print().queue("a/b")), "queue name \"a/b\" is not 1 to 64 characters of a-z, A-Z, 0-9, - and _"),
        (
            refused(print().concurrency_per_key(1, |job: &Job| &job.customer).rate_limit_per_key(
                1,
                per(minutes(1)),
                |job: &Job| &job.number,
            )),
            "concurrency_per_key and rate_limit_per_key with two keys (give both the same named function)",
        ),
    ] {
        assert_eq!(given, format!("task \"print\": {said}"));
    }
    fn of_customer(job: &Job) -> &String {
        &job.customer
    }
    let both = print().concurrency_per_key(1, of_customer).rate_limit_per_key(1, per(minutes(1)), of_customer);
    assert!(Definition::of(both).describe("print").is_ok());
}

#[test]
fn tasks_that_give_one_queue_different_limits_are_no_app() {
    let entry = |task: Task<Job, u32>, name: &str| -> FunctionEntry { Definition::of(task).describe(name).unwrap() };
    let printer = Printer::default();
    let functions = vec![
        entry(printer.task(PRINT).queue("paper").concurrency(2), "print"),
        entry(printer.task(SCAN).queue("paper").concurrency(3), "scan"),
    ];
    let refused = Manifest::new("shop", functions).unwrap_err().to_string();
    let said = "queue \"paper\": task \"print\" gives it concurrency(2), and task \"scan\" concurrency(3) (let both say the same)";
    assert_eq!(refused, said);
}

#[tokio::test(start_paused = true)]
async fn body_that_gives_no_key_or_one_of_a_wrong_length_fails_its_run_before_the_handler() {
    fn last_name(job: &Job) -> &str {
        job.customer.split(' ').nth(1).expect("a customer has two names")
    }
    let printer = Printer::default();
    let app = app().with(printer.task(PRINT).concurrency_per_key(1, last_name));
    for (customer, said) in [
        ("ada ".to_owned(), "the body gives a key of 0 characters to limit the task by (allowed: 1 to 256)"),
        (
            format!("ada {}", "l".repeat(300)),
            "the body gives a key of 300 characters to limit the task by (allowed: 1 to 256)",
        ),
        ("ada".to_owned(), "the body gives no key to limit the task by: a customer has two names"),
    ] {
        let run = app.run(PRINT, job(1, &customer)).await.unwrap().id();
        app.run_until_idle().await;
        let run = app.state(run).await.unwrap();
        assert_eq!((run.state, run.error_message.as_deref(), run.attempt), (State::Failed, Some(said), 1));
    }
    let run = app.run_by_name(PRINT.name(), Json::of(&7).unwrap()).await.unwrap().id();
    app.run_until_idle().await;
    assert_eq!(app.state(run).await.unwrap().error_code.as_deref(), Some("BODY_MISMATCH"));
    assert_eq!(printer.order(), Vec::<u32>::new());
}

#[tokio::test]
async fn priority_of_a_task_that_nobody_waits_for_is_refused() {
    let app = TestApp::new().with(Printer::default().task(PRINT));
    let refused = app.run(PRINT, job(1, "ada")).priority(seconds(5)).await.unwrap_err().to_string();
    assert_eq!(
        refused,
        "failed to give a run of task \"print\" a priority: the task has no `concurrency` and no rate limit"
    );
    let app = TestApp::new().with(Printer::default().task(PRINT).concurrency(1));
    let refused = app.run(PRINT, job(1, "ada")).priority(Duration::from_millis(1_500)).await.unwrap_err().to_string();
    assert_eq!(refused, "failed to give a run a priority of 1.5s (allowed: whole seconds up to 31536000)");
}
