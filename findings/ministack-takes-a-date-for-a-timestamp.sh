#!/bin/sh
# ministack 1.5.33 (PyPI) takes a date without a time for a timestamp of Step Functions.
#
# Seen: IsTimestamp holds for "2026-01-01", and for a time without an offset.
# Expected: neither. Amazon States Language, "Timestamps": the value is a text of RFC 3339's profile of ISO 8601, where an
# uppercase T stands between date and time, and an uppercase Z where there is no numeric offset.
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


def holds(rule, value):
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.value", **rule, "Next": "Yes"}], "Default": "No"}
    ends = {name: {"Type": "Pass", "Result": name, "End": True} for name in ("Yes", "No")}
    return output({"StartAt": "Choice", "States": {"Choice": choice, **ends}}, {"value": value})


for text in "2026-01-01T08:30:00Z", "2026-01-01T08:30:00", "2026-01-01", "tomorrow":
    print(f"{text}:", holds({"IsTimestamp": True}, text))
PYTHON

cat <<'TEXT' >stated
2026-01-01T08:30:00Z: Yes
2026-01-01T08:30:00: Yes
2026-01-01: Yes
tomorrow: No
TEXT

cat seen
diff stated seen
