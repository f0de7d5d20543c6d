#!/bin/sh
# statelint 3.1.0 (PyPI) knows JSONata, and refuses the JSONata Wait states of the specification.
#
# Seen: a Wait state whose Seconds or Timestamp is a JSONata string "should be an Integer" and "an RFC3339 timestamp". A
# JSONata string in Arguments is taken.
# Expected: no problem. Amazon States Language, "JSONata Wait State": it "MAY specify a JSONata string for the "Seconds"
# field", and the same for "Timestamp"; the second machine here is the specification's example.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv env
env/bin/pip install --quiet --no-compile --disable-pip-version-check statelint==3.1.0

while read -r state; do
    cat <<JSON >machine.json
{ "QueryLanguage": "JSONata", "StartAt": "S", "States": { "S": { $state, "End": true } } }
JSON
    echo "$state"
    env/bin/statelint machine.json || echo "exit code $?"
done <<'TEXT' >seen 2>&1
"Type": "Wait", "Seconds": "{% $states.input.delay %}"
"Type": "Wait", "Timestamp": "{% $states.input.expirydate %}"
"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": "{% $states.input %}"
TEXT

cat <<'TEXT' >stated
"Type": "Wait", "Seconds": "{% $states.input.delay %}"
One error:
 State Machine.States.S.Seconds is "{% $states.input.delay %}" but should be an Integer
exit code 1
"Type": "Wait", "Timestamp": "{% $states.input.expirydate %}"
One error:
 State Machine.States.S.Timestamp is "{% $states.input.expirydate %}" but should be an RFC3339 timestamp
exit code 1
"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": "{% $states.input %}"
TEXT

cat seen
diff stated seen
