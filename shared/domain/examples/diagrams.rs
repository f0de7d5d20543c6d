//! The tables of runs, deliveries and schedules as Mermaid state diagrams, as `ARCHITECTURE.md` shows them:
//! `cargo run -p dacapo-domain --example diagrams`.

#![expect(clippy::print_stdout, reason = "it is what this prints")]

use dacapo_domain::{delivery, run, schedule};

fn main() {
    for (title, diagram) in [
        ("A run", run::table::diagram()),
        ("A delivery", delivery::table::diagram()),
        ("A schedule", schedule::table::diagram()),
    ] {
        println!("{title}:\n\n```mermaid\n{diagram}```\n");
    }
}
