#!/bin/sh
# ministack 1.5.33 (PyPI) gives null for paths of Step Functions with a slice, a filter, a union or a descent, and goes
# on.
#
# Seen: of [1, 2, 3] the paths [1:], [0,2], [-1:] and [?(@ > 1)] are all null, and so is $..name; [1] and [*] give what
# they name.
# Expected: [2, 3], [1, 3], [3], [2, 3] and the names. AWS Step Functions developer guide, "Using JSONPath paths": a path
# may use the operators of JSONPath, which those for reference paths alone exclude by name: "@ .. , : ? *".
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


data = {"numbers": [1, 2, 3], "inner": {"name": "ant"}}
for path in "[1]", "[*]", "[1:]", "[0,2]", "[-1:]", "[?(@ > 1)]":
    print(f"$.numbers{path}:", value(f"$.numbers{path}", data))
print("$..name:", value("$..name", data))
PYTHON

cat <<'TEXT' >stated
$.numbers[1]: 2
$.numbers[*]: [1, 2, 3]
$.numbers[1:]: None
$.numbers[0,2]: None
$.numbers[-1:]: None
$.numbers[?(@ > 1)]: None
$..name: None
TEXT

cat seen
diff stated seen
