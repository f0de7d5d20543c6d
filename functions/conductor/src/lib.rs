//! Sample function conductor.
