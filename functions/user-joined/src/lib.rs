//! Sample function user-joined.
