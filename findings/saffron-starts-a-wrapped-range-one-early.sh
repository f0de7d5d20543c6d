#!/bin/sh
# saffron 0.1.0 (crates.io), Cloudflare's cron parser, begins a range that wraps around one too early.
#
# Seen: "0 0 * * FRI-MON" fires on Thursdays too, "0 22-2 * * *" at 21:00 too, and "0 0 1 NOV-FEB *" in October too. A
# range that doesn't wrap, as "0 0 * * FRI-SAT", is right.
# Expected: FRI, SAT, SUN and MON. A comment in its src/lib.rs: "to match up with quartz schedulers, we have to support
# wrapping around", so that FRI-SUN is "FRI,SAT,SUN".
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export CARGO_TARGET_DIR="$dir/target"

mkdir src
cat <<'TOML' >Cargo.toml
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
saffron = "=0.1.0"
chrono = { version = "0.4", default-features = false }
TOML
cat <<'RUST' >src/main.rs
use chrono::{DateTime, Utc};

fn main() {
    let start: DateTime<Utc> = "2026-11-01T12:00:00Z".parse().unwrap();
    for (expression, form) in [
        ("0 0 * * FRI-MON", "%a"),
        ("0 0 * * FRI-SAT", "%a"),
        ("0 22-2 * * *", "%H"),
        ("0 0 1 NOV-FEB *", "%b"),
    ] {
        let cron: saffron::Cron = expression.parse().unwrap();
        let times: Vec<_> = cron.iter_from(start).take(5).map(|time| time.format(form).to_string()).collect();
        println!("{expression}: {}", times.join(" "));
    }
}
RUST
cargo run --quiet >seen

cat <<'TEXT' >stated
0 0 * * FRI-MON: Mon Thu Fri Sat Sun
0 0 * * FRI-SAT: Fri Sat Fri Sat Fri
0 22-2 * * *: 21 22 23 00 01
0 0 1 NOV-FEB *: Dec Jan Feb Oct Nov
TEXT

cat seen
diff stated seen
