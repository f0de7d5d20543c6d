#!/bin/sh
# moto 5.2.5 (PyPI), executing a state machine, gives the output of an execution without its JSON quotes if it is a
# text.
#
# Seen: with the result "done", the output is done, which no JSON parser takes; the results "5" and 5 have one output.
# Expected: "done", "5" and 5. Step Functions API reference, DescribeExecution: output is "the JSON output data of the
# execution".
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
    for number, result in enumerate(["done", "5", 5, ["done"]]):
        machine = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "Result": result, "End": True}}}
        arn = client.create_state_machine(
            name=f"machine-{number}", definition=json.dumps(machine), roleArn="arn:aws:iam::123456789012:role/any"
        )["stateMachineArn"]
        execution = client.start_execution(stateMachineArn=arn, input="{}")["executionArn"]
        while (ended := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
            time.sleep(0.05)
        print("result", json.dumps(result), "output", ended["output"])
PYTHON

cat <<'TEXT' >stated
result "done" output done
result "5" output 5
result 5 output 5
result ["done"] output ["done"]
TEXT

cat seen
diff stated seen
