#!/bin/sh
# iso8601 0.6.6 (crates.io) reads the duration PT1.5H, an hour and a half, as zero, without an error.
#
# Seen: PT1.5H and PT1.5M are Ok(0ns), and P1DT1.5H is one day. PT1.5S is right, and P1.5D is an error.
# Expected: 5400 seconds, 90 seconds, or an error. ISO 8601 lets the last component of a duration have a decimal
# fraction (ISO 8601:2004, 4.4.3.2); the crate's own grammar, that of RFC 3339's appendix A, has no such durations at
# all.
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
iso8601 = "=0.6.6"
TOML
cat <<'RUST' >src/main.rs
fn main() {
    for text in ["PT1.5H", "PT1.5M", "P1DT1.5H", "PT1.5S", "P1.5D"] {
        println!("{text}: {:?}", iso8601::duration(text).map(std::time::Duration::from));
    }
}
RUST
cargo run --quiet >seen

cat <<'TEXT' >stated
PT1.5H: Ok(0ns)
PT1.5M: Ok(0ns)
P1DT1.5H: Ok(86400s)
PT1.5S: Ok(1.5s)
P1.5D: Err("Failed to parse duration: P1.5D")
TEXT

cat seen
diff stated seen
