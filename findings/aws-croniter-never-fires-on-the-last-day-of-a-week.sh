#!/bin/sh
# aws-croniter 2.1.1 (PyPI) takes L for a day of the week, and never fires on it.
#
# Seen: "0 12 ? * L *" passes the package's validation, and its next time is None. "0 12 ? * 7L *" has one.
# Expected: a Saturday, the last day of the week 1-7 or SUN-SAT. EventBridge user guide, "Cron expressions reference":
# "The L wildcard in the Day-of-month or Day-of-week fields specifies the last day of the month or week."
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv env
env/bin/pip install --quiet --no-compile --disable-pip-version-check aws-croniter==2.1.1

env/bin/python - <<'PYTHON' >seen
from datetime import datetime, timezone
from aws_croniter import AwsCroniter

for expression in ("0 12 ? * L *", "0 12 ? * 7L *", "0 12 ? * SAT *"):
    time = AwsCroniter(expression).get_next(datetime(2026, 11, 27, tzinfo=timezone.utc))[0]
    print(expression, "->", time and time.strftime("%Y-%m-%d, a %A"))
PYTHON

cat <<'TEXT' >stated
0 12 ? * L * -> None
0 12 ? * 7L * -> 2026-11-28, a Saturday
0 12 ? * SAT * -> 2026-11-28, a Saturday
TEXT

cat seen
diff stated seen
