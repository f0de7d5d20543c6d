//! The findings that follow from the facts. Nothing is asked here.

use std::collections::BTreeSet;

use dacapo_domain::CONDUCTOR;
use jiff::SignedDuration;

use super::{
    facts::{Account, Facts, Tool},
    finding::{Finding, Severity, is, ok},
    on_aws::{heartbeat, lambdas, queues, quotas, stack},
};
use crate::failure::exit;

/// A clock's difference that is seen, and one by which AWS refuses what it is sent.
const ODD: SignedDuration = SignedDuration::from_secs(5);
const REFUSED: SignedDuration = SignedDuration::from_secs(300);

/// The findings, in the order in which they are looked for.
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let mut found: Vec<Finding> = facts.tools.iter().map(tool).collect();
    if let Some(account) = &facts.account {
        found.extend(access(account));
        if account.identity.is_ok() {
            found.extend(stack(account, facts.manifest.as_ref()));
            found.extend(lambdas(account));
            found.extend(quotas(account));
            found.extend(queues(account));
            found.extend(heartbeat(account));
        }
    }
    found.extend(workspace(facts));
    found.extend(facts.skew.map(clock));
    found
}

fn tool(tool: &Tool) -> Finding {
    match &tool.version {
        Some(version) => ok("tools", version.clone()),
        None => is("tools", tool.without, format!("{} is not there", tool.name), Some(tool.remedy.to_owned())),
    }
}

fn access(account: &Account) -> Vec<Finding> {
    match &account.identity {
        Ok((id, arn)) => vec![ok("credentials", format!("{arn}, account {id}")), ok("region", &account.region)],
        Err(why) => {
            let next = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; or log in again";
            let refused = is("credentials", Severity::Problem, why, Some(next.to_owned()));
            vec![Finding { exit: exit::NO_ACCESS, ..refused }]
        }
    }
}

/// The workspace's functions against those that are served.
fn workspace(facts: &Facts) -> Option<Finding> {
    let (crates, manifest) = (facts.crates.as_ref()?, facts.manifest.as_ref()?);
    // The embedded engine has a conductor of its own.
    let is_function = |name: &&String| facts.account.is_some() || *name != CONDUCTOR;
    let deployed: BTreeSet<&String> = manifest.functions.iter().map(|function| &function.crate_name).collect();
    let deployed: BTreeSet<&String> = deployed.into_iter().filter(is_function).collect();
    let here: BTreeSet<&String> = crates.iter().filter(is_function).collect();
    let names = |names: BTreeSet<&&String>| names.into_iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    let (new, gone) = (names(here.difference(&deployed).collect()), names(deployed.difference(&here).collect()));
    let mut parts = vec![];
    if !new.is_empty() {
        parts.push(format!("in functions/, and not served: {new}"));
    }
    if !gone.is_empty() {
        parts.push(format!("served, and not in functions/: {gone}"));
    }
    let next = if facts.account.is_some() { "make deploy" } else { "dacapo dev" };
    Some(match parts.is_empty() {
        true => ok("workspace", "what is served is what functions/ holds"),
        false => is("workspace", Severity::Note, parts.join("; "), Some(next.to_owned())),
    })
}

fn clock(skew: SignedDuration) -> Finding {
    let by = skew.abs();
    let text = format!(
        "this machine's clock is {} s {} AWS's",
        by.as_secs(),
        if skew.is_positive() { "behind" } else { "ahead of" }
    );
    let next = Some("set the clock, by NTP for example".to_owned());
    match () {
        () if by >= REFUSED => {
            is("clock", Severity::Problem, format!("{text}: beyond 300 s AWS refuses what is signed"), next)
        }
        () if by >= ODD => is("clock", Severity::Warning, text, next),
        () => ok("clock", "this machine's clock goes as AWS's does"),
    }
}
