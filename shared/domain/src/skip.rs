//! Fields that are left out of stored forms where they say nothing.

/// Is true of 0, for `#[serde(skip_serializing_if)]`.
pub(crate) fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}
