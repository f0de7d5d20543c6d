#!/bin/sh
# moto 5.2.5 (PyPI) keeps one number twice in a set where it is written in two ways.
#
# Seen: 1.0 and 01 added to the set of 1 make 1, 1.0 and 01 of it.
# Expected: the set of 1. DynamoDB developer guide, "Supported data types", Sets: "Each value within a set must be
# unique"; Number: "Leading and trailing zeroes are trimmed".
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
    client.put_item(TableName="items", Item=key | {"numbers": {"NS": ["1"]}})
    for text in "1", "1.0", "01", "2":
        added = client.update_item(
            TableName="items",
            Key=key,
            UpdateExpression="ADD numbers :number",
            ExpressionAttributeValues={":number": {"NS": [text]}},
            ReturnValues="ALL_NEW",
        )
        print(f"{text}:", sorted(added["Attributes"]["numbers"]["NS"]))
PYTHON

cat <<'TEXT' >stated
1: ['1']
1.0: ['1', '1.0']
01: ['01', '1', '1.0']
2: ['01', '1', '1.0', '2']
TEXT

cat seen
diff stated seen
