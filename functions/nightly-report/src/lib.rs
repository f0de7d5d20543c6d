//! Sample function nightly-report.
