#!/bin/sh
# moto 5.2.5 (PyPI) gives of several projected elements of a list only the last one named.
#
# Seen: of the list a, b, c, d the projection "letters[0], letters[2]" is ["c"], and "letters[2], letters[0]" is ["a"].
# Expected: ["a", "c"]. DynamoDB developer guide, "Using projection expressions": the projection expression "identifies
# the attributes that you want", several of them separated by commas, and an element of a list is one such attribute.
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
        TableName="lists",
        AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    key = {"name": {"S": "alphabet"}}
    client.put_item(TableName="lists", Item=key | {"letters": {"L": [{"S": letter} for letter in "abcd"]}})
    for indexes in [0], [0, 2], [2, 0], [1, 2, 3]:
        projection = ", ".join(f"letters[{index}]" for index in indexes)
        item = client.get_item(TableName="lists", Key=key, ProjectionExpression=projection)["Item"]
        print(f"{projection}:", [element["S"] for element in item["letters"]["L"]])
PYTHON

cat <<'TEXT' >stated
letters[0]: ['a']
letters[0], letters[2]: ['c']
letters[2], letters[0]: ['a']
letters[1], letters[2], letters[3]: ['d']
TEXT

cat seen
diff stated seen
