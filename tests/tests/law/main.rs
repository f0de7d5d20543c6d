//! The law of the house: rules that no compiler keeps, each with the reason in its file and with tests of its own that
//! show what it finds and what it passes.
//!
//! | rule | file |
//! |---|---|
//! | a crate uses only those below it, and few crates name AWS, the store, the command line's libraries | `crates.rs` |
//! | within a crate, files import in no circle | `circles.rs` |
//! | the domain knows no clock, the core no files and no AWS, the engine no injected faults | `absent.rs` |
//! | records are written by `commit` alone | `writes.rs` |
//! | one word means one thing | `words.rs` |
//! | doc comments describe | `doc_comments.rs` |
//! | `ARCHITECTURE.md` names only what is there | `map.rs` |
//! | each hazard is produced by a test | `hazards.rs` |
//! | manifests inherit lints and versions, and no code is unsafe | `manifests.rs` |
//! | what the guide states is shown by a test | `behaviour.rs` |
//! | the top stays as drawn, and a function's `main` composes in three statements | `layout.rs` |

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

mod absent;
mod behaviour;
mod circles;
mod crates;
mod doc_comments;
mod hazards;
mod layout;
mod manifests;
mod map;
mod words;
mod writes;

// What the rules read.
mod modules;
mod source;
mod workspace;
