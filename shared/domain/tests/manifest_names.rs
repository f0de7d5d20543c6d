//! Names that would be two things at once on AWS: functions, their queues, and what every app has of its own.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use dacapo_domain::{
    APP_DLQ, CONDUCTOR, FunctionEntry, Holds, LifecycleEvent, Manifest, Policy, Retry, Subscription, TaskEntry, seconds,
};

fn task(name: &str) -> FunctionEntry {
    let entry = TaskEntry {
        name: name.to_owned(),
        policy: Policy::default(),
        private: false,
        may_continue: true,
        schedules: vec![],
    };
    FunctionEntry::task("a-crate", 256, entry)
}

fn events(crate_name: &str, dead_letter: bool) -> FunctionEntry {
    let (event, handler) = ("order.paid".to_owned(), "orders::paid".to_owned());
    let subscription = Subscription { event, handler, timeout: seconds(5), retry: Retry::of_events(), dead_letter };
    FunctionEntry::events(crate_name, 256, vec![subscription])
}

/// The refusal's text.
fn refused(functions: Vec<FunctionEntry>) -> String {
    Manifest::new("shop", functions).unwrap_err().to_string()
}

#[test]
fn name_of_what_every_app_has_is_refused_with_both() {
    assert_eq!(
        refused(vec![task("Undelivered!")]),
        "the app's own dead-letter queue and task \"Undelivered!\" (crate a-crate) have one name on AWS, \
         \"undelivered\" (rename one of them)"
    );
    assert!(refused(vec![events(APP_DLQ, false)]).contains("the app's own dead-letter queue and crate undelivered"));
    for functions in [vec![task("conductor")], vec![events(CONDUCTOR, false)]] {
        assert!(refused(functions).starts_with("the app's own conductor and "));
    }
    let beside_it = refused(vec![FunctionEntry::conductor(), task("Conductor")]);
    assert!(beside_it.contains("the app's conductor (crate conductor)") && beside_it.contains("task \"Conductor\""));
}

#[test]
fn name_of_a_functions_dead_letter_queue_is_refused_where_it_has_one() {
    assert_eq!(
        refused(vec![events("orders", true), task("orders dead")]),
        "the dead-letter queue of crate orders and task \"orders dead\" (crate a-crate) have one name on AWS, \
         \"orders-dead\" (rename one of them)"
    );
    assert!(Manifest::new("shop", vec![events("orders", false), task("orders dead")]).is_ok());
}

#[test]
fn names_that_are_only_alike_make_an_app() {
    let functions = ["undelivered 2", "the conductor", "loop", "scheduler", "sweep", "dead"].map(task);
    assert!(Manifest::new("shop", functions.to_vec()).is_ok());
}

#[test]
fn task_is_told_which_of_its_lifecycle_events_a_function_of_the_app_subscribes_to_now() {
    let subscribed = |event: LifecycleEvent, task: &str| {
        let mut function = events("listeners", false);
        if let Holds::Events(handlers) = &mut function.holds {
            handlers[0].event = event.of_task(task);
        }
        function
    };
    let told = |functions: Vec<FunctionEntry>| {
        let manifest = Manifest::new("shop", functions).unwrap();
        manifest.task("send mail").unwrap().1.policy.publishes.clone()
    };
    let failed = || subscribed(LifecycleEvent::Failed, "send mail");
    assert_eq!(told(vec![task("send mail"), failed()]), [LifecycleEvent::Failed].into());
    assert!(told(vec![task("send mail"), subscribed(LifecycleEvent::Failed, "send mails")]).is_empty());

    // What a former manifest told is forgotten.
    let mut former = task("send mail");
    if let Holds::Task(task) = &mut former.holds {
        task.policy.publishes = LifecycleEvent::ALL.into();
    }
    assert!(told(vec![former]).is_empty());
}
