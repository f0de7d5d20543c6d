#!/bin/sh
# aws-croniter 2.1.1 (PyPI) looks back past a time that its own look ahead finds.
#
# Seen: "0 0 15,31 1,4,7,10 ? *" is due on 15 April 2026 when asked forwards. Asked backwards from 10 May, the previous
# time is 31 January: April has no 31st, and the month is left without a look at its 15th.
# Expected: get_prev gives 15 April, as get_next and get_all_schedule_bw_dates do. Its documentation: "previous
# datetime(s) that match the aws cron expression". get_final_execution_time, "the final execution datetime between
# from_date and to_date", is wrong in the same way: it knows of none from April to 10 May.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv env
env/bin/pip install --quiet --no-compile --disable-pip-version-check aws-croniter==2.1.1

env/bin/python - <<'PYTHON' >seen
from datetime import datetime, timezone
from aws_croniter import AwsCroniter

april, may = (datetime(2026, *day, tzinfo=timezone.utc) for day in ((4, 1), (5, 10)))
schedule = AwsCroniter("0 0 15,31 1,4,7,10 ? *")
print("next after 1 April:", schedule.get_next(april)[0].date())
print("previous before 10 May:", schedule.get_prev(may)[0].date())
between = schedule.get_all_schedule_bw_dates(april, may)
print("all from 1 April to 10 May:", [time.date().isoformat() for time in between])
print("final from 1 April to 10 May:", schedule.get_final_execution_time(april, may))
PYTHON

cat <<'TEXT' >stated
next after 1 April: 2026-04-15
previous before 10 May: 2026-01-31
all from 1 April to 10 May: ['2026-04-15']
final from 1 April to 10 May: None
TEXT

cat seen
diff stated seen
