//! Tokens: completed from outside, and looked for by the run that waits.

use dacapo_domain::{
    Id, Input, Json, RunRecord, Signal, Task, TokenInput, TokenRecord, TokenState, TokenText, check_token_value,
};
use jiff::Timestamp;

use crate::{
    Error, ErrorKind,
    commit::{PATIENCE, Seen, commit, commit_run, load, retry_until},
    port::{PortResult, Ports},
};

/// Completes a token with a value, and wakes its run if it waits for it. The token is written first, then the run is
/// read: one that comes to wait meanwhile finds the token completed.
///
/// # Errors
/// `Usage` for a value larger than 1,048,576 bytes; `NotFound` if there is no such token, which is not told apart from a
/// wrong secret; `Refused` if it was completed before, its time has passed, or its run has ended; any error of the store.
pub async fn complete(ports: &Ports, text: &TokenText, value: Json) -> Result<(), Error> {
    check_token_value(&value).map_err(Error::usage)?;
    let until = ports.clock.now() + PATIENCE;
    let (token, run) = found(ports, text).await?;
    let refused = |why: String| {
        let text = format!("complete token {:?} of run {}: {why}", text.name, text.run);
        Err(Error::new(ErrorKind::Refused, text))
    };
    if run.phase.is_final() && token.state == TokenState::Open {
        return refused(format!("the run is {}", run.state_at(ports.clock.now())));
    }
    let committed = commit(ports, Seen::Stored(token), &TokenInput::Completed(value), (), until).await?;
    let Some(committed) = committed else { return Err(not_found()) };
    match (committed.changed, committed.record.state) {
        (true, _) => wake(ports, text, until).await,
        (false, TokenState::Completed(at)) => {
            // The first one may have died before it woke the run.
            wake(ports, text, until).await?;
            refused(format!("it was completed at {at}"))
        }
        (false, _) => {
            let passed = committed.record.until.unwrap_or(committed.record.created_at);
            refused(format!("its time passed at {passed}"))
        }
    }
}

/// The token of a text, and its run.
async fn found(ports: &Ports, text: &TokenText) -> Result<(TokenRecord, RunRecord), Error> {
    let token = load::<TokenRecord>(ports, &TokenRecord::key_of(text.run, &text.name)).await?;
    let token = token.map(|stored| stored.record).filter(|token| token.secret == text.secret).ok_or_else(not_found)?;
    let run = load::<RunRecord>(ports, &RunRecord::key_of(text.run)).await?.ok_or_else(not_found)?;
    Ok((token, run.record))
}

fn not_found() -> Error {
    let text = "find the token (it is of another app or stage, its text is not its own, or its run's history is over)";
    Error::new(ErrorKind::NotFound, text)
}

async fn wake(ports: &Ports, text: &TokenText, until: Timestamp) -> Result<(), Error> {
    let key = RunRecord::key_of(text.run);
    let Some(run) = retry_until(ports, until, || load::<RunRecord>(ports, &key)).await? else { return Ok(()) };
    let signal = Input::Signalled(Signal::Token { name: text.name.clone() });
    commit_run(ports, run.record, &signal, Task::Removed, until).await?;
    Ok(())
}

/// Says whether the token that a run waits for is completed or over.
///
/// # Errors
/// An error of the store.
pub(crate) async fn is_over(ports: &Ports, run: Id, name: &str, until: Timestamp) -> PortResult<bool> {
    let key = TokenRecord::key_of(run, name);
    // Of one that is not there, the handler gets the error.
    let token = retry_until(ports, until, || load::<TokenRecord>(ports, &key)).await?;
    Ok(token.is_none_or(|token| token.record.is_over(ports.clock.now())))
}
