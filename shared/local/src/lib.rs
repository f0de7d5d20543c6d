//! Dacapo on one machine: the embedded engine, its client, and the test kit.
