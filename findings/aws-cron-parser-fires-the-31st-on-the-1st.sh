#!/bin/sh
# aws-cron-parser 1.1.12 (npm) fires what is due on the 31st on the 1st of the next month.
#
# Seen: after 2 April 2026, "0 0 31 * ? *" is next due on 1 May, which is no 31st; "0 0 29 2 ? *" on 1 March 2027.
# Expected: 31 May 2026 and 29 February 2028. The day-of-month field names days of the month (EventBridge user guide,
# "Cron expressions reference": 1-31; "In the Day field, 1-15 includes days 1 through 15 of the specified month"), and
# the package's README says that it supports all of that specification.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

npm install --silent --no-audit --no-fund --ignore-scripts aws-cron-parser@1.1.12

node - <<'JS' >seen
const { parse, next } = require("aws-cron-parser")
for (const expression of ["0 0 31 * ? *", "0 0 29 2 ? *"])
    console.log(expression, "->", next(parse(expression), new Date("2026-04-02T00:00:00Z")).toISOString())
JS

cat <<'TEXT' >stated
0 0 31 * ? * -> 2026-05-01T00:00:00.000Z
0 0 29 2 ? * -> 2027-03-01T00:00:00.000Z
TEXT

cat seen
diff stated seen
