#!/bin/sh
# ministack 1.5.33 (PyPI) takes true for the number 1 in Choice rules and in arrays of Step Functions.
#
# Seen: IsNumeric holds for true, BooleanEquals true holds for 1, and States.ArrayContains finds 1 in [true].
# Expected: none of them. Amazon States Language, "Choice State": IsNumeric tests for "a number", and BooleanEquals for a
# boolean; JSON has no number among its booleans.
set -eu

dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server" && wait "$server"; } || true; rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv env
env/bin/pip install --quiet --no-compile --disable-pip-version-check ministack==1.5.33 boto3==1.43.106

port=$(env/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export BIND_HOST=127.0.0.1 GATEWAY_PORT="$port" SERVICES=stepfunctions IOT_MTLS_ENABLED=0 SFTP_ENABLED=0
export HOME="$dir" TMPDIR="$dir"
env/bin/ministack >log 2>&1 &
server=$!

env/bin/python - <<'PYTHON' >seen
import json
import os
import time

import boto3
from botocore.config import Config

client = boto3.client(
    "stepfunctions",
    "us-east-1",
    endpoint_url=f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
    aws_access_key_id="any",
    aws_secret_access_key="any",
    config=Config(retries={"max_attempts": 10, "mode": "standard"}),
)


def output(definition, data):
    name = f"machine-{time.time_ns()}"
    role = "arn:aws:iam::000000000000:role/any"
    machine = client.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)
    execution = client.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps(data))
    while (seen := client.describe_execution(executionArn=execution["executionArn"]))["status"] == "RUNNING":
        time.sleep(0.1)
    return json.loads(seen["output"])


def value(expression, data):
    state = {"Type": "Pass", "Parameters": {"value.$": expression}, "End": True}
    return output({"StartAt": "Pass", "States": {"Pass": state}}, data)["value"]


def holds(rule, value):
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.value", **rule, "Next": "Yes"}], "Default": "No"}
    ends = {name: {"Type": "Pass", "Result": name, "End": True} for name in ("Yes", "No")}
    return output({"StartAt": "Choice", "States": {"Choice": choice, **ends}}, {"value": value})


print("IsNumeric, true:", holds({"IsNumeric": True}, True))
print("NumericEquals 1, true:", holds({"NumericEquals": 1}, True))
print("BooleanEquals true, 1:", holds({"BooleanEquals": True}, 1))
print("1 in [true]:", value("States.ArrayContains($.given, 1)", {"given": [True]}))
print("2 in [true]:", value("States.ArrayContains($.given, 2)", {"given": [True]}))
PYTHON

cat <<'TEXT' >stated
IsNumeric, true: Yes
NumericEquals 1, true: No
BooleanEquals true, 1: Yes
1 in [true]: True
2 in [true]: False
TEXT

cat seen
diff stated seen
