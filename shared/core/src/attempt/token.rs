//! The tokens of an attempt's run.

use dacapo_domain::{Json, NewToken, Secret, TokenInput, TokenRecord, TokenState, check_token_name, slot};
use jiff::Timestamp;

use super::{TaskAttempt, task::lock};
use crate::{
    Error, ErrorKind,
    commit::{Creation, commit, create, load},
};

/// The outcome of a token, as its run is told.
#[derive(Clone, Debug, PartialEq)]
pub enum TokenOutcome {
    /// It can still be completed.
    Open,
    /// The value that it was completed with.
    Value(Json),
    /// The time has passed.
    TimedOut,
}

impl TaskAttempt {
    /// The run's token of this name, which is made where there is none: the same for every attempt and iteration.
    ///
    /// # Errors
    /// `Usage` for a name of no or more than 256 characters; `Refused` once the attempt has ended; else what the store
    /// says.
    pub async fn token(&self, name: &str, until: Option<Timestamp>) -> Result<TokenRecord, Error> {
        check_token_name(name).map_err(|error| Error::usage(format_args!("make a token: {error}")))?;
        let (run, ports) = (self.run(), self.app().ports());
        if run.steps.may_have_tokens()
            && let Some(stored) = load(ports, &TokenRecord::key_of(run.id, name)).await?
        {
            return Ok(stored.record);
        }
        let secret = Secret::new(ports.clock.secret()?);
        {
            let mut beside = lock(&self.steps);
            beside.check(format_args!("make token {name:?}"))?;
            beside.tokens = beside.tokens.saturating_add(1);
        }
        let expires_at_s = run.step_expires_at_s(self.policy());
        let new = NewToken { run: run.id, name, secret, until, expires_at_s };
        let decision = TokenRecord::create(&new, &ports.clock.decision_context());
        Ok(match create(ports, &decision, self.write_until()).await? {
            Creation::New => decision.record,
            Creation::Exists(found) => found,
        })
    }

    /// The outcome of the run's token of this name. Once its time has passed, that is the answer for good: a completion
    /// that comes at the same time wins or is refused.
    ///
    /// # Errors
    /// `NotFound` for a name that the run has no token of; else what the store says.
    pub async fn told(&self, name: &str) -> Result<TokenOutcome, Error> {
        let (run, ports) = (self.run().id, self.app().ports());
        let missing = || {
            let text = format!(
                "find token {name:?} of run {run}: it has made none of this name (make it first: `cx.token({name:?}).await?`)"
            );
            Error::new(ErrorKind::NotFound, text)
        };
        let key = TokenRecord::key_of(run, name);
        let mut stored = load::<TokenRecord>(ports, &key).await?.ok_or_else(missing)?;
        if stored.record.state == TokenState::Open && stored.record.is_over(ports.clock.now()) {
            commit(ports, stored, &TokenInput::Asked, (), self.write_until()).await?;
            // One that was completed meanwhile has won.
            stored = load::<TokenRecord>(ports, &key).await?.ok_or_else(missing)?;
        }
        Ok(match stored.record.state {
            TokenState::Open => TokenOutcome::Open,
            TokenState::Completed(_) => TokenOutcome::Value(stored.payloads.take(slot::VALUE).unwrap_or_default()),
            TokenState::TimedOut(_) => TokenOutcome::TimedOut,
        })
    }
}
