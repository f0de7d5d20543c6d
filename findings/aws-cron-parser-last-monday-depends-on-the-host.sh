#!/bin/sh
# aws-cron-parser 1.1.12 (npm) finds another last Monday of a month on a host in Berlin than on one in UTC.
#
# Seen: after 1 October 2027, "0 0 ? * 2L *" is next due on 25 October where the host's time zone is UTC, and on 29
# November where it is Europe/Berlin: October has no last Monday there. A week is taken to be 168 hours of local time,
# and the week from that Monday has 169, for summer time ends on Sunday 31 October.
# Expected: 25 October 2027 everywhere. The result is a UTC time, and the last Monday of a month depends on no time zone
# (EventBridge user guide, "Cron expressions reference": L in the day-of-week field; rules run in UTC).
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

npm install --silent --no-audit --no-fund --ignore-scripts aws-cron-parser@1.1.12

cat <<'JS' >next.js
const { parse, next } = require("aws-cron-parser")
console.log(process.env.TZ, next(parse("0 0 ? * 2L *"), new Date("2027-10-01T00:00:00Z")).toISOString())
JS
for zone in UTC America/New_York Europe/Berlin; do
    TZ=$zone node next.js
done >seen

cat <<'TEXT' >stated
UTC 2027-10-25T00:00:00.000Z
America/New_York 2027-10-25T00:00:00.000Z
Europe/Berlin 2027-11-29T00:00:00.000Z
TEXT

cat seen
diff stated seen
