#!/bin/sh
# iso8601-duration 0.2.0 (crates.io) has seven digits for a duration: it loses the last millisecond of a day.
#
# Seen: PT86399.999S is 86,400 seconds, PT0.1S is 100.000001 ms, and PT16777217S is a second short. Its fields are f32.
# Expected: what is written, as std::time::Duration holds nanoseconds. Its README: "Both `to_std` and `to_chrono` will
# return `None` if the duration includes `year` and `month`"; without them it speaks of no loss.
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
iso8601-duration = "=0.2.0"
TOML
cat <<'RUST' >src/main.rs
fn main() {
    for text in ["PT86399.999S", "PT0.1S", "PT16777217S"] {
        println!("{text}: {:?}", iso8601_duration::Duration::parse(text).unwrap().to_std().unwrap());
    }
}
RUST
cargo run --quiet >seen

cat <<'TEXT' >stated
PT86399.999S: 86400s
PT0.1S: 100.000001ms
PT16777217S: 16777216s
TEXT

cat seen
diff stated seen
