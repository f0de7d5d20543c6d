//! The attempt that holds the lease says how far it is, or asks for more time.

use dacapo_domain::{Input, Phase, Progress, RunRecord, Task, Version};

use super::{
    records::{policy, running},
    tape::{Case, at, s, tape},
};

pub fn cases() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let half = Progress { message: "half".to_owned(), fraction: 0.5 };
    let token = running().lease().unwrap().token;
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
    ]
}
