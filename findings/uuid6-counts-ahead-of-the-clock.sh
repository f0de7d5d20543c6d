#!/bin/sh
# uuid6 2025.0.1 (PyPI) dates its version 7 UUIDs into the future: each one is a millisecond later than the one before.
#
# Seen: of 100,000 UUIDs made in a second or so, the last one's time is more than a minute ahead of the clock.
# Expected: the time at which it was made. RFC 9562, section 5.7: unix_ts_ms is the "Unix Epoch timestamp in
# milliseconds"; the function's own documentation says the same. UUIDs of one millisecond are told apart by what follows
# (section 6.2).
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv env
env/bin/pip install --quiet --no-compile --disable-pip-version-check uuid6==2025.0.1

env/bin/python - <<'PYTHON'
import sys
import time

import uuid6

count = 100_000
started = time.time()
for _ in range(count):
    last = uuid6.uuid7()
ended = time.time()
ahead = (last.int >> 80) / 1000 - ended
print(f"{count} UUIDs in {ended - started:.1f} s; the last one is {ahead:.1f} s ahead of the clock")
sys.exit(0 if ahead > 60 else 1)
PYTHON
