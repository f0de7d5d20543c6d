#!/bin/sh
# ministack 1.5.33 (PyPI) stores a DynamoDB number of 38 digits, and adds to it with 28.
#
# Seen: 11111111111111111111111111111111111111 is stored and read back whole; with 1 added, its last ten digits are
# zeros.
# Expected: 11111111111111111111111111111111111112. DynamoDB developer guide, "Supported data types", Number: "Numbers
# can have up to 38 digits of precision", and what exceeds that is an exception.
set -eu

dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server" && wait "$server"; } || true; rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv env
env/bin/pip install --quiet --no-compile --disable-pip-version-check ministack==1.5.33 boto3==1.43.106

port=$(env/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export BIND_HOST=127.0.0.1 GATEWAY_PORT="$port" SERVICES=dynamodb IOT_MTLS_ENABLED=0 SFTP_ENABLED=0
export HOME="$dir" TMPDIR="$dir"
env/bin/ministack >log 2>&1 &
server=$!

env/bin/python - <<'PYTHON' >seen
import os

import boto3
from botocore.config import Config

client = boto3.client(
    "dynamodb",
    "us-east-1",
    endpoint_url=f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
    aws_access_key_id="any",
    aws_secret_access_key="any",
    config=Config(retries={"max_attempts": 10, "mode": "standard"}),
)
client.create_table(
    TableName="numbers",
    AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
    KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
    BillingMode="PAY_PER_REQUEST",
)
key = {"name": {"S": "ones"}}
client.put_item(TableName="numbers", Item=key | {"value": {"N": "1" * 38}})
print("put:", client.get_item(TableName="numbers", Key=key)["Item"]["value"]["N"])
added = client.update_item(
    TableName="numbers",
    Key=key,
    UpdateExpression="SET #value = #value + :one",
    ExpressionAttributeNames={"#value": "value"},
    ExpressionAttributeValues={":one": {"N": "1"}},
    ReturnValues="ALL_NEW",
)
print("add 1:", added["Attributes"]["value"]["N"])
PYTHON

cat <<'TEXT' >stated
put: 11111111111111111111111111111111111111
add 1: 11111111111111111111111111110000000000
TEXT

cat seen
diff stated seen
