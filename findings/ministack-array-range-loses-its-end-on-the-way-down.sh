#!/bin/sh
# ministack 1.5.33 (PyPI) leaves out the end of States.ArrayRange where its step is negative.
#
# Seen: States.ArrayRange(5, 1, -2) is [5, 3].
# Expected: [5, 3, 1]. AWS Step Functions developer guide, "Intrinsic functions", States.ArrayRange: from the first value
# to the second, both of them included, as in its own example, (1, 9, 2), whose array ends with 9.
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


for arguments in "1, 9, 2", "1, 5, 2", "5, 1, -2", "9, 1, -4":
    print(f"{arguments}:", value(f"States.ArrayRange({arguments})", {}))
PYTHON

cat <<'TEXT' >stated
1, 9, 2: [1, 3, 5, 7, 9]
1, 5, 2: [1, 3, 5]
5, 1, -2: [5, 3]
9, 1, -4: [9, 5]
TEXT

cat seen
diff stated seen
