#!/bin/sh
# moto 5.2.5 (PyPI) fails with an error of Python's where a condition compares a number with a text.
#
# Seen: the condition value < :text, of an item whose value is a number, ends in "'<' not supported between instances of
# 'decimal.Decimal' and 'str'".
# Expected: the condition is false, so ConditionalCheckFailedException. DynamoDB API reference, ComparisonOperator LT: if
# an item's value is "of a different type than the one provided in the request, the value does not match".
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
    item = key | {"value": {"N": "1"}}
    client.put_item(TableName="items", Item=item)
    for kind, operand in ("number", {"N": "2"}), ("text", {"S": "2"}):
        try:
            client.put_item(
                TableName="items",
                Item=item,
                ConditionExpression="#value < :operand",
                ExpressionAttributeNames={"#value": "value"},
                ExpressionAttributeValues={":operand": operand},
            )
            print(f"{kind}: stored")
        except Exception as error:
            print(f"{kind}: {type(error).__name__}: {error}")
PYTHON

cat <<'TEXT' >stated
number: stored
text: TypeError: '<' not supported between instances of 'decimal.Decimal' and 'str'
TEXT

cat seen
diff stated seen
