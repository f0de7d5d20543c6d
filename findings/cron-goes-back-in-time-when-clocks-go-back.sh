#!/bin/sh
# cron 0.17.0 (crates.io) yields times that aren't in order on the night when clocks go back.
#
# Seen: in New York on 1 November 2026, the times of "every 30 minutes" go from 01:00-05:00 back to 01:30-04:00, half an
# hour earlier. Who asks for one time after the other, by `after(&time).next()`, isn't given the second 01:00 and 01:30
# at all, so that a process which starts anew after each fire runs at other times than one which keeps its iterator.
# Expected: ascending times, and the same ones either way. `Schedule::after` is documented as `upcoming`, with "a start
# time other than the present", and README's "upcoming fire times" ascend.
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
cron = "=0.17.0"
chrono = "0.4"
chrono-tz = "=0.10.4"
TOML
cat <<'RUST' >src/main.rs
use chrono::TimeZone;
use chrono_tz::America::New_York;

fn main() {
    let schedule: cron::Schedule = "0 0/30 * * * *".parse().unwrap();
    let start = New_York.with_ymd_and_hms(2026, 11, 1, 0, 45, 0).unwrap();
    let iterated: Vec<_> = schedule.after(&start).take(5).collect();
    let next = |time: &_| schedule.after(time).next();
    let asked: Vec<_> = std::iter::successors(Some(start), next).skip(1).take(4).collect();
    for (name, times) in [("iterated", iterated), ("asked one by one", asked)] {
        let times: Vec<_> = times.iter().map(|time| time.format("%H:%M%:z").to_string()).collect();
        println!("{name}: {}", times.join(" "));
    }
}
RUST
cargo run --quiet >seen

cat <<'TEXT' >stated
iterated: 01:00-04:00 01:00-05:00 01:30-04:00 01:30-05:00 02:00-05:00
asked one by one: 01:00-04:00 01:30-04:00 02:00-05:00 02:30-05:00
TEXT

cat seen
diff stated seen
