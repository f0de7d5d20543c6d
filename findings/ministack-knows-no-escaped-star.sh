#!/bin/sh
# ministack 1.5.33 (PyPI) takes the backslash before an escaped star of StringMatches for a letter.
#
# Seen: the pattern 5\*2 doesn't hold for the text 5*2, and holds for 5\2.
# Expected: it holds for 5*2. Amazon States Language, "Choice State", StringMatches: "*" matches zero or more characters,
# and "\\*" the star itself.
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


for pattern, text in ("5*2", "5*2"), ("5*2", "512"), (r"5\*2", "5*2"), (r"5\*2", "512"), (r"5\*2", r"5\2"):
    print(f"{pattern} for {text}:", holds({"StringMatches": pattern}, text))
PYTHON

cat <<'TEXT' >stated
5*2 for 5*2: Yes
5*2 for 512: Yes
5\*2 for 5*2: No
5\*2 for 512: No
5\*2 for 5\2: Yes
TEXT

cat seen
diff stated seen
