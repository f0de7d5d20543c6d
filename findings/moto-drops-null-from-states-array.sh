#!/bin/sh
# moto 5.2.5 (PyPI), executing a state machine, leaves null out of an array.
#
# Seen: States.Array('Foo', 2020, $.someJson, null) has three elements; only a line on standard error knows of the
# fourth.
# Expected: four, the last of them null. It is the example, with its result, of "States.Array" in appendix B of Amazon
# States Language.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv env
env/bin/pip install --quiet --no-compile --disable-pip-version-check 'moto[stepfunctions]==5.2.5' boto3==1.44.8

env/bin/python - <<'PYTHON' >seen 2>log
import json
import time

import boto3
from moto import mock_aws

machine = {
    "StartAt": "Make",
    "States": {
        "Make": {"Type": "Pass", "Parameters": {"foo.$": "States.Array('Foo', 2020, $.someJson, null)"}, "End": True}
    },
}
with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
    client = boto3.client("stepfunctions", "us-east-1", aws_access_key_id="any", aws_secret_access_key="any")
    arn = client.create_state_machine(
        name="machine", definition=json.dumps(machine), roleArn="arn:aws:iam::123456789012:role/any"
    )["stateMachineArn"]
    document = json.dumps({"someJson": {"random": "abcdefg"}, "zebra": "stripe"})
    execution = client.start_execution(stateMachineArn=arn, input=document)["executionArn"]
    while (ended := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(0.05)
    print(ended["status"], ended["output"])
PYTHON

cat <<'TEXT' >stated
SUCCEEDED {"foo": ["Foo", 2020, {"random": "abcdefg"}]}
TEXT

cat seen
diff stated seen
