//! The attempt that holds the lease says how far it is, asks for more time, or updates what is stored.

use dacapo_domain::{Input, Payloads, Phase, Progress, RunRecord, Task, Update, Version, slot};

use super::{
    records::{policy, running},
    tape::{Case, at, json, s, tape},
};

pub fn cases() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let half = Progress { message: "half".to_owned(), fraction: 0.5 };
    let token = running().lease().unwrap().token;
    let tags = Update { tags: Some(vec!["late".to_owned()]), ..Update::default() };
    let output = Update { tags: None, payloads: Payloads::none().with(slot::OUTPUT, json(r#"{"rows":2}"#)) };
    let until = |next: &mut RunRecord, end: i64| {
        let Phase::Running { lease, .. } = &mut next.phase else { unreachable!() };
        lease.until = at(end);
    };
    vec![
        tape("progress is stored", &running())
            .at(10)
            .gets(&Input::Progressed(token, half.clone()), known)
            .stores(|next| next.progress = Some(half.clone())),
        tape("progress is stored of a task that was removed", &running())
            .at(10)
            .gets(&Input::Progressed(token, half.clone()), Task::Removed)
            .stores(|next| next.progress = Some(half.clone())),
        tape("progress without the lease is refused", &running())
            .at(10)
            .gets(&Input::Progressed(Version(1), half.clone()), known)
            .keeps(),
        tape("another limit moves the end of the lease, counted from its start", &running())
            .at(10)
            .gets(&Input::Extended(token, s(60)), known)
            .stores(|next| until(next, 75)),
        tape("a limit beyond the longest moves the lease to when the runner stops", &running())
            .at(10)
            .gets(&Input::Extended(token, s(100_000)), known)
            .stores(|next| until(next, 5 + 1_795 + 10)),
        tape("another limit without the lease is refused", &running())
            .at(10)
            .gets(&Input::Extended(Version(1), s(60)), known)
            .keeps(),
        tape("tags are stored", &running())
            .at(10)
            .gets(&Input::Updated(token, tags.clone()), known)
            .stores(|next| next.tags = vec!["late".to_owned()]),
        tape("an output is stored, and the tags stay, of a task that was removed", &running())
            .at(10)
            .gets(&Input::Updated(token, output), Task::Removed)
            .stores(|_| {})
            .with(slot::OUTPUT, json(r#"{"rows":2}"#)),
        tape("an update without the lease is refused", &running())
            .at(10)
            .gets(&Input::Updated(Version(1), tags), known)
            .keeps(),
    ]
}
