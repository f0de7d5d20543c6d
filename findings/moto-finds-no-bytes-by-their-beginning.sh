#!/bin/sh
# moto 5.2.5 (PyPI) says of no bytes that they begin with others, nor with themselves.
#
# Seen: begins_with is false for the bytes ff 01 02 and the beginnings ff, ff 01, and ff 01 02; for a text it is true.
# Expected: true. DynamoDB developer guide, "Comparison operator and function reference", begins_with: true if the
# attribute begins with the operand, which may be binary; bytes are compared as they are, not as they are sent.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv env
env/bin/pip install --quiet --no-compile --disable-pip-version-check 'moto[dynamodb]==5.2.5' boto3==1.44.8

env/bin/python - <<'PYTHON' >seen
import boto3
from moto import mock_aws

with mock_aws():
    client = boto3.client("dynamodb", "us-east-1", aws_access_key_id="any", aws_secret_access_key="any")
    client.create_table(
        TableName="items",
        AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    key = {"name": {"S": "any"}}
    client.put_item(TableName="items", Item=key | {"bytes": {"B": b"\xff\x01\x02"}, "text": {"S": "abc"}})
    for attribute, beginning in (
        ("text", {"S": "a"}),
        ("bytes", {"B": b"\xff"}),
        ("bytes", {"B": b"\xff\x01"}),
        ("bytes", {"B": b"\xff\x01\x02"}),
    ):
        found = client.scan(
            TableName="items",
            FilterExpression="begins_with(#attribute, :beginning)",
            ExpressionAttributeNames={"#attribute": attribute},
            ExpressionAttributeValues={":beginning": beginning},
        )
        (value,) = beginning.values()
        print(f"{attribute}, {value!r}:", found["Count"])
PYTHON

cat <<'TEXT' >stated
text, 'a': 1
bytes, b'\xff': 0
bytes, b'\xff\x01': 0
bytes, b'\xff\x01\x02': 0
TEXT

cat seen
diff stated seen
