#!/bin/sh
# pyawscron 1.0.7 (PyPI) finds no time for an expression which AWS's own guide gives as an example.
#
# Seen: "0/30 20-2 ? * MON-FRI *" is parsed, and its next time is an exception, "this shouldn't happen": the hours from
# 20 over midnight to 2 are read as none.
# Expected: Friday 27 November 2026, 20:00 UTC. The expression is in the table of examples of the EventBridge user guide
# ("Setting a schedule pattern for scheduled rules", every 30 minutes, overnight to 2:00 a.m. of the following day).
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv env
env/bin/pip install --quiet --no-compile --disable-pip-version-check pyawscron==1.0.7

env/bin/python - <<'PYTHON' >seen
from datetime import datetime, timezone
from pyawscron.awscron import AWSCron

schedule = AWSCron("0/30 20-2 ? * MON-FRI *")
print("hours", schedule.hours)
try:
    print(schedule.occurrence(datetime(2026, 11, 27, 9, tzinfo=timezone.utc)).next())
except Exception as error:
    print(type(error).__name__, str(error).strip())
PYTHON

cat <<'TEXT' >stated
hours []
Exception AwsCronParser : this shouldn't happen, but iter 11 > 10
TEXT

cat seen
diff stated seen
