#!/bin/sh
# ministack 1.5.33 (PyPI) fires a schedule of EventBridge Scheduler with the placeholders in its input as they are.
#
# Seen: the message of a schedule whose input is <aws.scheduler.scheduled-time> and <aws.scheduler.attempt-number> says
# just that.
# Expected: the time at which it was to fire, as 2026-11-28T16:00:00Z, and 1. EventBridge Scheduler user guide, "Adding
# context attributes": "EventBridge Scheduler replaces each keyword with its respective value when your schedule invokes the
# target."
set -eu

dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server" && wait "$server"; } || true; rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv env
env/bin/pip install --quiet --no-compile --disable-pip-version-check ministack==1.5.33 boto3==1.43.106

port=$(env/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export BIND_HOST=127.0.0.1 GATEWAY_PORT="$port" SERVICES=scheduler,sqs,iam,events IOT_MTLS_ENABLED=0 SFTP_ENABLED=0
export HOME="$dir" TMPDIR="$dir"
env/bin/ministack >log 2>&1 &
server=$!

env/bin/python - <<'PYTHON' >seen
import os
from datetime import datetime, timedelta, timezone

import boto3
from botocore.config import Config

settings = dict(
    region_name="us-east-1",
    endpoint_url=f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
    aws_access_key_id="any",
    aws_secret_access_key="any",
    config=Config(retries={"max_attempts": 10, "mode": "standard"}),
)
sqs, scheduler = boto3.client("sqs", **settings), boto3.client("scheduler", **settings)
queue = sqs.create_queue(QueueName="fires")["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
soon = datetime.now(timezone.utc) + timedelta(seconds=2)
scheduler.create_schedule(
    Name="once",
    ScheduleExpression=f"at({soon:%Y-%m-%dT%H:%M:%S})",
    FlexibleTimeWindow={"Mode": "OFF"},
    Target={
        "Arn": arn,
        "RoleArn": "arn:aws:iam::000000000000:role/scheduler",
        "Input": '{"time": "<aws.scheduler.scheduled-time>", "attempt": "<aws.scheduler.attempt-number>"}',
    },
)
messages = []
while not messages:
    messages = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5).get("Messages", [])
print(messages[0]["Body"])
PYTHON

cat <<'TEXT' >stated
{"time": "<aws.scheduler.scheduled-time>", "attempt": "<aws.scheduler.attempt-number>"}
TEXT

cat seen
diff stated seen
