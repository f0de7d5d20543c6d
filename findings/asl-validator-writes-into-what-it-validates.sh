#!/bin/sh
# asl-validator 4.0.0 (npm) changes the state machine that it is asked to validate.
#
# Seen: after the call, each state of the caller's own object has a field QueryLanguage which nobody wrote.
# Expected: the object as it was. The README speaks of a validator that answers isValid and errors, with no word of a
# change; what a program deploys after the check isn't what it has read. A definition with frozen states shows the same:
# the call throws a TypeError.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

npm install --silent --no-audit --no-fund --ignore-scripts asl-validator@4.0.0

node - <<'JS' >seen
const validate = require("asl-validator")
const definition = { StartAt: "A", States: { A: { Type: "Pass", End: true } } }
console.log(JSON.stringify(definition))
console.log("valid", validate(definition).isValid)
console.log(JSON.stringify(definition))
const frozen = { StartAt: "A", States: { A: Object.freeze({ Type: "Pass", End: true }) } }
try {
    console.log("frozen: valid", validate(frozen).isValid)
} catch (error) {
    console.log("frozen:", error.name)
}
JS

cat <<'TEXT' >stated
{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}
valid true
{"StartAt":"A","States":{"A":{"Type":"Pass","End":true,"QueryLanguage":"JSONPath"}}}
frozen: TypeError
TEXT

cat seen
diff stated seen
