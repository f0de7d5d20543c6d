#!/bin/sh
# moto 5.2.5 (PyPI) matches no EventBridge pattern that looks into a list of objects.
#
# Seen: a rule with {"firstName": ["Anna"]} passes an event with such an object to its queue, and none with a list of
# such objects. A list of texts is matched.
# Expected: a match. The README of event-ruler, EventBridge's own matcher ("JSON Array Matching"): "the array structure
# is "crushed out" of the rule pattern, and any contained objects are treated as if they are the value of the parent
# field"; the event and the pattern here are its example.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv env
env/bin/pip install --quiet --no-compile --disable-pip-version-check 'moto[events,sqs]==5.2.5' boto3==1.44.8

env/bin/python - <<'PYTHON' >seen
import json

import boto3
from moto import mock_aws

anna = {"firstName": "Anna", "lastName": "Smith"}
john = {"firstName": "John", "lastName": "Doe"}
with mock_aws():
    session = boto3.Session("any", "any", region_name="us-east-1")
    events, sqs = session.client("events"), session.client("sqs")
    for number, (employees, pattern) in enumerate(
        [
            (anna, {"firstName": ["Anna"]}),
            ([john, anna], {"firstName": ["Anna"]}),
            (["John", "Anna"], ["Anna"]),
        ]
    ):
        queue = sqs.create_queue(QueueName=f"queue-{number}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name="rule", EventPattern=json.dumps({"detail": {"employees": pattern}}))
        events.put_targets(Rule="rule", Targets=[{"Id": "queue", "Arn": arn}])
        detail = json.dumps({"employees": employees})
        events.put_events(Entries=[{"Source": "example", "DetailType": "example", "Detail": detail}])
        passed = len(sqs.receive_message(QueueUrl=queue).get("Messages", []))
        print(f"{json.dumps(pattern)}: {passed} of {json.dumps(employees)}")
PYTHON

cat <<'TEXT' >stated
{"firstName": ["Anna"]}: 1 of {"firstName": "Anna", "lastName": "Smith"}
{"firstName": ["Anna"]}: 0 of [{"firstName": "John", "lastName": "Doe"}, {"firstName": "Anna", "lastName": "Smith"}]
["Anna"]: 1 of ["John", "Anna"]
TEXT

cat seen
diff stated seen
