#!/bin/sh
# statelint 3.1.0 (PyPI) refuses "BackoffRate": 2, and takes 2.0.
#
# Seen: "BackoffRate is 2 but should be a Float", and exit code 1.
# Expected: no problem. JSON has one kind of number (RFC 8259, section 6), and the Retry that AWS's guide to Step
# Functions recommends ("Handle transient Lambda service exceptions") has "BackoffRate": 2.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv env
env/bin/pip install --quiet --no-compile --disable-pip-version-check statelint==3.1.0

for rate in 2 2.0 1.5; do
    cat <<JSON >machine.json
{
  "StartAt": "Call",
  "States": {
    "Call": {
      "Type": "Task",
      "Resource": "arn:aws:states:::lambda:invoke",
      "Retry": [{ "ErrorEquals": ["States.ALL"], "BackoffRate": $rate }],
      "End": true
    }
  }
}
JSON
    echo "rate $rate"
    env/bin/statelint machine.json || echo "exit code $?"
done >seen 2>&1

cat <<'TEXT' >stated
rate 2
One error:
 State Machine.States.Call.Retry[0].BackoffRate is 2 but should be a Float
exit code 1
rate 2.0
rate 1.5
TEXT

cat seen
diff stated seen
