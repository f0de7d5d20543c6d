//! What proves the whole: harness, contract suite, LocalStack, simulation, the law of the crates.

pub mod contract;
