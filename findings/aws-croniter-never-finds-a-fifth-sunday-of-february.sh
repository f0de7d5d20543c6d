#!/bin/sh
# aws-croniter 2.1.1 (PyPI) says of a rare time that it never comes.
#
# Seen: the time after 27 November 2026 of "0 0 ? 2 1#5 *", the fifth Sunday of February, is None, which stands for an
# expression without a time. Asked from 2031, the same expression has one. The search ends after eleven steps, and a
# year takes two.
# Expected: 29 February 2032, a Sunday, from either. "1#5" is the fifth Sunday of a month (EventBridge user guide, "Cron
# expressions reference", # in the day-of-week field), and the year field goes up to 2199.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv env
env/bin/pip install --quiet --no-compile --disable-pip-version-check aws-croniter==2.1.1

env/bin/python - <<'PYTHON' >seen
from datetime import datetime, timezone
from aws_croniter import AwsCroniter

schedule = AwsCroniter("0 0 ? 2 1#5 *")
for start in (datetime(2026, 11, 27, tzinfo=timezone.utc), datetime(2031, 1, 1, tzinfo=timezone.utc)):
    time = schedule.get_next(start)[0]
    print("after", start.date(), "->", time and time.strftime("%Y-%m-%d, a %A"))
PYTHON

cat <<'TEXT' >stated
after 2026-11-27 -> None
after 2031-01-01 -> 2032-02-29, a Sunday
TEXT

cat seen
diff stated seen
