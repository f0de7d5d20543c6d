//! The counts of a change of a delivery.

use super::{DeliveryInput, DeliveryPhase, DeliveryRecord};
use crate::{
    code,
    measure::{Measured, Metric},
};

impl DeliveryRecord {
    /// The counts of the change from this record to the next one, beside the attempt itself.
    pub(super) fn measured(&self, input: &DeliveryInput, next: &Self) -> Measured {
        let mut values = vec![];
        let has_failed = match input {
            DeliveryInput::Handled(failures) | DeliveryInput::AttemptEnded(_, failures) => {
                if failures.iter().any(|failure| failure.error.error.code == code::TIMEOUT) {
                    values.push((Metric::TimedOut, 1));
                }
                true
            }
            _ => false,
        };
        match next.phase {
            DeliveryPhase::Dropped if self.phase != DeliveryPhase::Dropped => values.push((Metric::DeadLetters, 1)),
            DeliveryPhase::Retrying if has_failed => values.push((Metric::Retried, 1)),
            _ => {}
        }
        Measured { function: self.function.clone(), values }
    }
}
