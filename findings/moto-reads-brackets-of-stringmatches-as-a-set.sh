#!/bin/sh
# moto 5.2.5 (PyPI), executing a state machine, gives "?" and "[...]" of StringMatches a meaning of their own.
#
# Seen: the pattern "log[1]-*.txt" doesn't match the text log[1]-x.txt, but log1-x.txt; "a?b" matches axb. They are read
# as patterns of file names.
# Expected: the contrary. Amazon States Language, "Choice State", StringMatches: 'No characters other than "*" have any
# special meaning during matching'.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv env
env/bin/pip install --quiet --no-compile --disable-pip-version-check 'moto[stepfunctions]==5.2.5' boto3==1.44.8

env/bin/python - <<'PYTHON' >seen
import json
import time

import boto3
from moto import mock_aws

with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
    client = boto3.client("stepfunctions", "us-east-1", aws_access_key_id="any", aws_secret_access_key="any")
    for number, (pattern, text) in enumerate(
        [
            ("log[1]-*.txt", "log[1]-x.txt"),
            ("log[1]-*.txt", "log1-x.txt"),
            ("a?b", "axb"),
            ("log-*.txt", "log-x.txt"),
        ]
    ):
        choice = {"Variable": "$.text", "StringMatches": pattern, "Next": "Matched"}
        machine = {
            "StartAt": "Choose",
            "States": {
                "Choose": {"Type": "Choice", "Choices": [choice], "Default": "Unmatched"},
                "Matched": {"Type": "Pass", "Result": {"says": "matches"}, "End": True},
                "Unmatched": {"Type": "Pass", "Result": {"says": "doesn't match"}, "End": True},
            },
        }
        arn = client.create_state_machine(
            name=f"machine-{number}", definition=json.dumps(machine), roleArn="arn:aws:iam::123456789012:role/any"
        )["stateMachineArn"]
        execution = client.start_execution(stateMachineArn=arn, input=json.dumps({"text": text}))["executionArn"]
        while (ended := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
            time.sleep(0.05)
        print(f"{pattern} {json.loads(ended['output'])['says']} {text}")
PYTHON

cat <<'TEXT' >stated
log[1]-*.txt doesn't match log[1]-x.txt
log[1]-*.txt matches log1-x.txt
a?b matches axb
log-*.txt matches log-x.txt
TEXT

cat seen
diff stated seen
