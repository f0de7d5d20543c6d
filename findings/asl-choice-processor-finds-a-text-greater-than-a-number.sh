#!/bin/sh
# @wmfs/asl-choice-processor 1.24.1 (npm) lets a Choice rule for numbers match a text, a boolean and null.
#
# Seen: NumericGreaterThan 9 matches the text "10", NumericLessThan 9 matches false and null.
# Expected: the default state. Amazon States Language, "Choice State": "if the values are not both of the appropriate
# type (String, number, boolean, or Timestamp) the comparison will return false". The package's README names that
# specification.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

npm install --silent --no-audit --no-fund --ignore-scripts @wmfs/asl-choice-processor@1.24.1

node - <<'JS' >seen
const processor = require("@wmfs/asl-choice-processor")

function next(rule, value) {
    const choice = { Variable: "$.value", ...rule, Next: "Matched" }
    return processor({ Choices: [choice], Default: "Default" })({ value })
}

for (const [rule, value] of [
    [{ NumericGreaterThan: 9 }, 10],
    [{ NumericGreaterThan: 9 }, "10"],
    [{ NumericLessThan: 9 }, false],
    [{ NumericLessThan: 9 }, null],
    [{ NumericEquals: 10 }, "10"],
])
    console.log(JSON.stringify(rule), JSON.stringify(value), next(rule, value))
JS

cat <<'TEXT' >stated
{"NumericGreaterThan":9} 10 Matched
{"NumericGreaterThan":9} "10" Matched
{"NumericLessThan":9} false Matched
{"NumericLessThan":9} null Matched
{"NumericEquals":10} "10" Default
TEXT

cat seen
diff stated seen
