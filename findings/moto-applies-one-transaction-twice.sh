#!/bin/sh
# moto 5.2.5 (PyPI) applies a DynamoDB transaction again when it is sent again with the same ClientRequestToken.
#
# Seen: two identical TransactWriteItems calls with one token add 1 twice. The same token with another request is
# applied as well.
# Expected: 1, then IdempotentParameterMismatchException. DynamoDB's API reference, TransactWriteItems: "Providing a
# ClientRequestToken makes the call to TransactWriteItems idempotent, meaning that multiple identical calls have the
# same effect as one single call", and another request with the token within ten minutes is refused by that exception.
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
        TableName="counters",
        AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    key = {"name": {"S": "visits"}}

    def add(count):
        update = {
            "TableName": "counters",
            "Key": key,
            "UpdateExpression": "ADD visits :count",
            "ExpressionAttributeValues": {":count": {"N": count}},
        }
        try:
            client.transact_write_items(ClientRequestToken="token-1", TransactItems=[{"Update": update}])
        except client.exceptions.IdempotentParameterMismatchException as error:
            print(error.response["Error"]["Code"])
        print(f"add {count}:", client.get_item(TableName="counters", Key=key)["Item"]["visits"]["N"])

    for count in "1", "1", "5":
        add(count)
PYTHON

cat <<'TEXT' >stated
add 1: 1
add 1: 2
add 5: 7
TEXT

cat seen
diff stated seen
